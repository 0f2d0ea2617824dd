"""One training step, and the state that a run is made of.

A step: loss and gradients (`loss.py`); the decoder's gradient loses its part along each direction, where directions
keep unit norm; the gradient's norm is clipped; Adam; the biases of dead features rise (`revival.py`); directions are
scaled to norm 1; features that did not fire grow older by the rows of the batch; the coefficient of a sparsity penalty
moves towards the L0 that is asked for (`controller.py`); now and then dead features are replaced, if asked.

The learning rate rises linearly over the first steps and falls linearly to zero over the last ones. All state that
the next step depends on is in `state()`, so that a run that continues from it takes the same steps, bit by bit.

A step may be shared by several processes (`ranks.py`): each has some of a batch's rows and some of the features, and
what is measured, when a feature was last active and the learning rate are those of the whole.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", appendix A; Bricken et al. 2023 on the gradient
along unit-norm directions.
"""

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.config import Descent, TrainingConfig
from tymbal.dictionaries.controller import Controller
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.files import KINDS
from tymbal.dictionaries.initial import initialise
from tymbal.dictionaries.loss import Loss, batch_loss
from tymbal.dictionaries.ranks import ALONE, Ranks
from tymbal.dictionaries.reconstruction import Rows, Terms
from tymbal.dictionaries.revival import raise_biases, replace_dead
from tymbal.dictionaries.screening import room_for
from tymbal.dictionaries.units import Units, fold
from tymbal.errors import TrainingError

BETAS = (0.9, 0.999)
EPSILON = 6.25e-10
"""Adam's constants in Gao et al. 2024."""
CLIP = 1.0
"""Largest norm of the whole gradient; the loss is in units of the variance."""


PACE = {"decoder": 4.0, "threshold": 2.0}
"""How many times the learning rate a parameter has. A step of the encoder changes which features are chosen, and where
it is long starves some; one of the decoder does not, and may be longer, where directions keep norm 1. Thresholds have
far to go, and few scores to learn from."""

LIFTED_UNTIL = 0.5
"""Dead features are lifted in full until the learning rate has fallen to this share, then less and less."""


class Progressed(NamedTuple):
    """What one step measured, before its update."""

    step: int
    loss: float
    fvu: float
    """Fraction of variance unexplained on this batch, 0 is perfect; against the variance of the first rows."""
    l0: float
    dead: int
    """Features that have not fired for as long as `Revival` says."""
    sparsity: float
    """Coefficient of the sparsity penalty; 0 where there is none."""
    screened: float
    """Share of rows for which a bfloat16 screen was enough to select exactly; 0 where none is used."""


class Trainer:
    """A dictionary in training, in units where rows have mean squared norm = width; `width` is that of source rows.

    With `ranks` it holds one rank's features, and takes one rank's rows.
    """

    def __init__(
        self,
        config: TrainingConfig,
        width: int,
        steps: int,
        units: Units,
        ends: Ends = AUTOENCODER,
        *,
        ranks: Ranks = ALONE,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config, self.steps, self.units = config, steps, units
        self.dictionary = untrained(config, width, ends, ranks).to(device)
        self.rate = config.descent.rate(config.features)
        self.patience = config.revival.patience(steps * config.batch)
        self.idle = torch.zeros(self.dictionary.features, dtype=torch.int64, device=device)
        """Tokens, of all ranks together, since each feature last fired."""
        self.done = 0
        """Steps taken."""
        self.controller = Controller(config.kind, config.k, steps)
        groups = [
            {"params": [parameter], "pace": pace(self.dictionary, name)}
            for name, parameter in self.dictionary.named_parameters()
        ]
        self.optimiser = torch.optim.Adam(groups, lr=self.rate, betas=BETAS, eps=EPSILON, fused=True)
        rounds = config.descent.precision == "bf16"
        self.rounded = untrained(config, width, ends, ranks).to(device).bfloat16() if rounds else None
        """The dictionary as steps compute with it, where that is not its own precision."""
        self.device = torch.device(device)
        on_cpu, rows = self.device.type == "cpu", config.batch // ranks.row_parts
        self.room = room_for(rows, self.dictionary.width, self.dictionary.features) if on_cpu else None

    def begin(self, activations: Float[Tensor, "row width"]) -> None:
        """Initialise from the source's first rows."""
        initialise(self.dictionary, self.units.applied(activations.to(self.device)), self.config.seed)

    def dead(self) -> Bool[Tensor, " feature"]:
        """Features that have not fired for as long as `Revival` says."""
        return self.idle >= self.patience

    def sparsity(self) -> float:
        """Coefficient of the sparsity penalty in the next step."""
        if self.dictionary.competitive:
            return 0.0
        return self.controller.coefficient if self.config.objective.sparsity is None else self.config.objective.sparsity

    def step(self, activations: Float[Tensor, "row column"]) -> Progressed:
        """Take one step on a batch in the model's own units; the numbers may be NaN, then nothing was changed."""
        dictionary, dead, descent = self.dictionary, self.dead(), self.config.descent
        self.optimiser.zero_grad()
        rows = self.units.applied(activations.to(self.device))
        x, target = dictionary.ends.split(rows, dictionary.width)
        working = dictionary if self.rounded is None else rounded_from(dictionary, self.rounded)
        loss = batch_loss(working, x, self._terms(dead), target=target, room=self.room, exact=dictionary)
        measured = self._measured(loss, dead, dictionary.ranks.rows(len(x)))
        loss.total.backward()
        if self.rounded is not None:
            take_gradients(dictionary, self.rounded)
        if dictionary.unit_norm and not dictionary.ends.parts:
            remove_radial_part(dictionary)
        norm = dictionary.ranks.clip(dict(dictionary.named_parameters()), dictionary.features, CLIP)
        if not isfinite(float(norm) + measured.loss):
            return measured._replace(loss=float("nan"))
        share = schedule(self.done, self.steps, descent)
        for group in self.optimiser.param_groups:
            group["lr"] = group["pace"] * self.rate * share
        self.optimiser.step()
        raise_biases(dictionary, dead, loss.active, self.config.revival.lift * min(1.0, share / LIFTED_UNTIL))
        self._settle(loss.active, x, target)
        self.controller.observe(measured.l0)
        self.done += 1
        return measured

    def _measured(self, loss: Loss, dead: Bool[Tensor, " feature"], rows: int) -> Progressed:
        """What the whole batch says, whoever holds its rows and features."""
        ranks, active = self.dictionary.ranks, (loss.active.values > 0).sum()
        own = torch.stack([active.double(), dead.sum().double(), active.new_tensor(loss.uncertified).double()])
        found, idle, uncertified = ranks.over_features(own)
        by_row = torch.stack([loss.total.detach().double(), loss.squared_error.double(), found, uncertified])
        total, squared_error, found, uncertified = ranks.over_rows(by_row).tolist()
        return Progressed(
            self.done,
            total,
            squared_error / (rows * self.units.variance),
            found / rows,
            int(idle),
            self.sparsity(),
            1 - uncertified / (rows * ranks.feature_parts),
        )

    def _terms(self, dead: Bool[Tensor, " feature"]) -> Terms:
        objective = self.config.objective
        return Terms(
            variance=self.units.variance,
            dead=dead,
            aux=self.config.revival.aux,
            sparsity=self.sparsity(),
            multi_topk=objective.multi_topk,
            penalty=objective.penalty,
            bandwidth=objective.bandwidth,
        )

    def _settle(self, active: Active, x: Float[Tensor, "row width"], target: Float[Tensor, "row target"]) -> None:
        """What follows the optimiser's step."""
        if self.dictionary.unit_norm:
            normalise_directions(self.dictionary)
        self.dictionary.project()
        self.dictionary.observe(active)
        rows = self.dictionary.ranks.rows(len(x))
        fired = torch.zeros_like(self.idle, dtype=torch.bool)
        fired[active.features[active.values > 0]] = True
        self.idle += rows
        self.idle[self.dictionary.ranks.anywhere(fired)] = 0
        every, done = self.config.revival.resample_every, (self.done + 1) * rows
        if every and done // every > self.done * rows // every:
            dead = self.dead().nonzero().squeeze(-1)
            replace_dead(self.dictionary, self.optimiser, dead, Rows(x, target), seed=self.config.seed + self.done)
            self.idle[dead] = 0

    def state(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on."""
        tensors = {f"dictionary.{name}": tensor for name, tensor in self.dictionary.state_dict().items()}
        for name, parameter in self.dictionary.named_parameters():
            for key, tensor in self.optimiser.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = tensor
        return tensors | {
            "idle": self.idle,
            "done": torch.tensor(self.done),
            "units.scale": self.units.scale,
            "units.shift": self.units.shift,
            "units.variance": torch.tensor(self.units.variance, dtype=torch.float64),
            "controller": torch.tensor([self.controller.integral, self.controller.coefficient], dtype=torch.float64),
        }

    @classmethod
    def restored(
        cls,
        config: TrainingConfig,
        width: int,
        steps: int,
        state: Mapping[str, Tensor],
        ends: Ends = AUTOENCODER,
        *,
        ranks: Ranks = ALONE,
        device: torch.device | str = "cpu",
    ) -> "Trainer":
        """The trainer that `state` was taken from."""
        units = Units(state["units.scale"], state["units.shift"], float(state["units.variance"]))
        trainer = cls(config, width, steps, units, ends, ranks=ranks, device=device)
        own = {name.removeprefix("dictionary."): t for name, t in state.items() if name.startswith("dictionary.")}
        trainer.dictionary.load_state_dict(own)
        for name, parameter in trainer.dictionary.named_parameters():
            # Copies, because a tensor read from a file need not be aligned as a fresh one, and sums may then differ.
            trainer.optimiser.state[parameter] = {
                key: state[f"adam.{key}.{name}"].to(parameter.device, copy=True)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
        trainer.controller.integral, trainer.controller.coefficient = state["controller"].tolist()
        trainer.idle.copy_(state["idle"])
        trainer.done = int(state["done"])
        return trainer

    def finished(self) -> Dictionary:
        """The dictionary in the model's own units; training cannot go on after this."""
        return fold(self.dictionary, self.units).requires_grad_(False).eval()


def untrained(config: TrainingConfig, width: int, ends: Ends, ranks: Ranks = ALONE) -> Dictionary:
    """A dictionary of zeros as `config` asks for it, for a source's rows of this width; with one rank's features.

    Raises `TrainingError` for what cannot be trained.
    """
    if ends.row_norm is not None or (ends.parts and config.kind == "topk"):
        raise TrainingError(
            expected="a crosscoder of another kind than topk, which would compare values in units of different sites, "
            "and rows that are not normalised",
            got=f"{ends.row_norm or 'a crosscoder'} and kind {config.kind}",
            do="use batch_topk or relu",
        )
    read = width - (ends.target.width if ends.target else 0)
    features = config.features // ranks.feature_parts
    settings = {"width": read, "features": features, "k": config.k, "prefixes": config.objective.prefixes}
    dictionary = KINDS[config.kind].from_config({"site": None, "model": {}, **settings, **ends.to_json()})
    dictionary.ranks = ranks
    return dictionary


def pace(dictionary: Dictionary, name: str) -> float:
    """How many times the learning rate a parameter has."""
    return 1.0 if name == "decoder" and not dictionary.unit_norm else PACE.get(name, 1.0)


def schedule(step: int, steps: int, descent: Descent) -> float:
    """The learning rate's factor at a step: up over `warmup`, then 1, then down to zero over `decay` of all steps."""
    rise = (step + 1) / max(1.0, descent.warmup * steps)
    fall = (steps - step) / max(1.0, descent.decay * steps)
    return min(1.0, rise, fall)


@torch.no_grad()
def rounded_from(dictionary: Dictionary, copy: Dictionary) -> Dictionary:
    """`copy` with the dictionary's numbers, rounded to its own precision, and without gradients."""
    for rounded, exact in zip(copy.parameters(), dictionary.parameters(), strict=True):
        rounded.copy_(exact)
        rounded.grad = None
    return copy


@torch.no_grad()
def take_gradients(dictionary: Dictionary, copy: Dictionary) -> None:
    """Give the dictionary the gradients of its rounded copy."""
    for exact, rounded in zip(dictionary.parameters(), copy.parameters(), strict=True):
        exact.grad = None if rounded.grad is None else rounded.grad.to(exact)


@torch.no_grad()
def remove_radial_part(dictionary: Dictionary) -> None:
    """Take from each decoder direction's gradient its part along the direction."""
    gradient, decoder = dictionary.decoder.grad, dictionary.decoder
    assert gradient is not None
    gradient.addcmul_(decoder, (gradient * decoder).sum(1, keepdim=True), value=-1)


@torch.no_grad()
def normalise_directions(dictionary: Dictionary) -> None:
    """Scale each decoder direction to norm 1; of a crosscoder the sum of its norms at the sites."""
    norms = dictionary.direction_norms().unsqueeze(1)
    dictionary.decoder.div_(norms.clamp_min(torch.finfo(norms.dtype).tiny))
