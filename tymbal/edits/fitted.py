"""A steering vector fitted to what it should bring about: the likelihood of wanted words behind given beginnings.

A difference of means shows where a concept is *read*; which direction *writes* it, it need not show. So the vector is
searched for by its effect: Adam on the mean log-probability of the first tokens of each wanted part, the model's
weights as they are. Its length is a share of each activation's, so that the first token of a text is moved as well.

Source: Subramani et al. 2022, "Extracting latent steering vectors from pretrained language models"; Dunefsky and Cohan
2025, "One-shot optimized steering vectors mediate safety-relevant behaviors in LLMs".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.edits.vectors import SteeringVector
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.edits.written import Written, part_log_probabilities, tokens_of_parts
from tymbal.models import LanguageModel, TokenPlaces, Tokens


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a vector is fitted."""

    steps: int = 40
    batch: int = 16
    """texts a step, drawn anew"""
    rate: float = 0.02
    """Adam's, in shares of the activation's length for each coordinate"""
    tokens: int = 8
    """of each wanted part, from its first"""
    where: Where = EVERYWHERE
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.tokens) < 1 or not self.rate > 0:
            raise ValueError("expected at least one step, text and token, and a rate above 0")


def fitted_vector(
    model: LanguageModel, wanted: Sequence[Written], *, site: str, config: FitConfig | None = None
) -> SteeringVector:
    """The vector under which the model writes these parts; its length is the share of an activation's it was fitted at.

    Steer with it relatively: `vector.steer(strength, relative=True)`.
    """
    if not wanted:
        raise ValueError("expected at least one wanted text; got none")
    config = config or FitConfig()
    vector = torch.zeros(model.width, device=model.device, requires_grad=True)
    optimizer = torch.optim.Adam([vector], lr=config.rate)
    generator = torch.Generator().manual_seed(config.seed)
    for _ in range(config.steps):
        drawn = torch.randint(len(wanted), (config.batch,), generator=generator).tolist()
        loss = -_likelihood(model, [wanted[number] for number in drawn], vector, site, config)
        # The gradient of the vector alone; the weights' own gradients are left as they are.
        vector.grad = torch.autograd.grad(loss, [vector])[0]
        optimizer.step()
    return SteeringVector(
        direction=vector.detach().cpu(),
        site=model.site(site),
        model=model.identity,
        made=f"fitted to {len(wanted)} texts",
    )


class _Moved(NamedTuple):
    """What `Steer` does relatively with a vector whose length is the strength; here gradients reach the vector."""

    vector: Tensor
    site: str
    where: Where

    def require(self, model: LanguageModel) -> None:
        """Made for this model."""
        del model

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """Each activation, and its length times the vector."""
        return self.where.put(activation, activation + activation.norm(dim=-1, keepdim=True) * self.vector, places)


def _likelihood(
    model: LanguageModel, passages: list[Written], vector: Float[Tensor, " width"], site: str, config: FitConfig
) -> Tensor:
    """Mean log-probability of the first tokens of the parts, in nats a text."""
    tokens, inside = tokens_of_parts(model, passages)
    inside &= inside.cumsum(1) <= config.tokens
    beginnings = inside.int().argmax(1).clamp(min=1).tolist()
    # What follows the last token that counts has no part in it.
    kept = int(inside.any(0).nonzero().max()) + 1
    tokens, inside = Tokens(tokens.ids[:, :kept], tokens.mask[:, :kept]), inside[:, :kept]
    with torch.enable_grad(), model.edited(_Moved(vector, site, config.where), prompt=beginnings):
        # Texts end in padding, which no token before it attends to.
        logits = model.torch_model(input_ids=tokens.ids.to(model.device), use_cache=False).logits
    return part_log_probabilities(tokens, inside, logits).mean()
