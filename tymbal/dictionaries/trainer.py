"""One training step, and the state that a run is made of.

A step: loss and gradients (`loss.py`); the decoder's gradient loses its part along each direction, since directions
keep unit norm; the gradient's norm is clipped; Adam; directions are scaled to norm 1; features that did not fire grow
older by the rows of the batch.

The learning rate rises linearly over the first steps and falls linearly to zero over the last ones. All state that
the next step depends on is in `state()`, so that a run that continues from it takes the same steps, bit by bit.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", appendix A; Bricken et al. 2023 on the gradient
along unit-norm directions.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.files import KINDS
from tymbal.dictionaries.initial import Units, initialise
from tymbal.dictionaries.loss import batch_loss

BETAS = (0.9, 0.999)
EPSILON = 6.25e-10
"""Adam's constants in Gao et al. 2024."""
CLIP = 1.0
"""Largest norm of the whole gradient; the loss is in units of the variance."""


class Progressed(NamedTuple):
    """What one step measured, before its update."""

    step: int
    loss: float
    fvu: float
    """Fraction of variance unexplained on this batch, 0 is perfect; against the variance of the first rows."""
    l0: float
    dead: int
    """Features that have not fired for `dead_after` tokens."""


class Trainer:
    """A dictionary in training, in units where rows have mean squared norm = width."""

    def __init__(self, config: TrainingConfig, width: int, steps: int, units: Units) -> None:
        self.config, self.steps, self.units = config, steps, units
        self.dictionary: Dictionary = KINDS[config.kind](width, config.features, config.k)
        self.idle = torch.zeros(config.features, dtype=torch.int64)
        """Tokens since each feature last fired."""
        self.done = 0
        """Steps taken."""
        self.optimiser = torch.optim.Adam(
            self.dictionary.parameters(), lr=config.learning_rate, betas=BETAS, eps=EPSILON, fused=True
        )
        self._scores = torch.empty(config.batch, config.features)

    def begin(self, activations: Float[Tensor, "row width"]) -> None:
        """Initialise from the source's first rows."""
        initialise(self.dictionary, activations * self.units.scale, self.config.seed)

    def dead(self) -> Bool[Tensor, " feature"]:
        """Features that have not fired for `dead_after` tokens."""
        return self.idle >= self.config.dead_after

    def step(self, activations: Float[Tensor, "row width"]) -> Progressed:
        """Take one step on a batch in the model's own units; the numbers may be NaN, then nothing was changed."""
        dictionary, dead = self.dictionary, self.dead()
        self.optimiser.zero_grad()
        loss = batch_loss(
            dictionary,
            activations * self.units.scale,
            variance=self.units.variance,
            dead=dead,
            aux=self.config.aux,
            buffer=self._scores[: len(activations)],
        )
        measured = Progressed(
            self.done,
            float(loss.total.detach()),
            float(loss.squared_error) / (len(activations) * self.units.variance),
            float((loss.active.values > 0).sum()) / len(activations),
            int(dead.sum()),
        )
        loss.total.backward()
        remove_radial_part(dictionary)
        norm = torch.nn.utils.clip_grad_norm_(dictionary.parameters(), CLIP, foreach=True)
        if not bool(torch.isfinite(norm + loss.total.detach())):
            return measured._replace(loss=float("nan"))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * schedule(self.done, self.steps, self.config)
        self.optimiser.step()
        normalise_directions(dictionary)
        dictionary.observe(loss.active)
        self.idle += len(activations)
        self.idle[loss.active.features[loss.active.values > 0]] = 0
        self.done += 1
        return measured

    def state(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on."""
        tensors = {f"dictionary.{name}": tensor for name, tensor in self.dictionary.state_dict().items()}
        for name, parameter in self.dictionary.named_parameters():
            for key, tensor in self.optimiser.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = tensor
        units = torch.tensor(self.units, dtype=torch.float64)
        return tensors | {"idle": self.idle, "done": torch.tensor(self.done), "units": units}

    @classmethod
    def restored(cls, config: TrainingConfig, width: int, steps: int, state: dict[str, Tensor]) -> "Trainer":
        """The trainer that `state` was taken from."""
        trainer = cls(config, width, steps, Units(*state["units"].tolist()))
        own = {name.removeprefix("dictionary."): t for name, t in state.items() if name.startswith("dictionary.")}
        trainer.dictionary.load_state_dict(own)
        for name, parameter in trainer.dictionary.named_parameters():
            # Copies, because a tensor read from a file need not be aligned as a fresh one, and sums may then differ.
            trainer.optimiser.state[parameter] = {
                key: state[f"adam.{key}.{name}"].clone() for key in ("step", "exp_avg", "exp_avg_sq")
            }
        trainer.idle.copy_(state["idle"])
        trainer.done = int(state["done"])
        return trainer

    def finished(self) -> Dictionary:
        """The dictionary in the model's own units; training cannot go on after this."""
        self.dictionary.rescale(1 / self.units.scale)
        return self.dictionary.requires_grad_(False).eval()


def schedule(step: int, steps: int, config: TrainingConfig) -> float:
    """The learning rate's factor at a step: up over `warmup`, then 1, then down to zero over `decay` of all steps."""
    rise = (step + 1) / max(1.0, config.warmup * steps)
    fall = (steps - step) / max(1.0, config.decay * steps)
    return min(1.0, rise, fall)


@torch.no_grad()
def remove_radial_part(dictionary: Dictionary) -> None:
    """Take from each decoder direction's gradient its part along the direction."""
    gradient, decoder = dictionary.decoder.grad, dictionary.decoder
    assert gradient is not None
    gradient.addcmul_(decoder, (gradient * decoder).sum(1, keepdim=True), value=-1)


@torch.no_grad()
def normalise_directions(dictionary: Dictionary) -> None:
    """Scale each decoder direction to norm 1."""
    decoder = dictionary.decoder
    decoder.div_(decoder.norm(dim=1, keepdim=True).clamp_min(torch.finfo(decoder.dtype).tiny))
