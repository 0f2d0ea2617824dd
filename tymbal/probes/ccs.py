"""Contrast-consistent search (Burns et al. 2022): truth without labels, from pairs of a statement and its opposite.

1. Each side of the pairs is brought to mean 0 and spread 1, so that which side it is cannot be read.
2. p(x) = sigmoid(w·x + b) minimises the mean of (p(yes) + p(no) - 1)² + min(p(yes), p(no))²: a statement and its
   opposite must have probabilities that add up to 1, and not both be one half.
3. Of several initial weights the one with the least loss is kept. Its sign is arbitrary.

Nothing here knows of truth: any property that takes opposite values on the two sides fits as well, and the most salient
one wins (Farquhar et al. 2023, "Challenges with unsupervised LLM knowledge discovery").
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.probes.probe import Scale


@dataclass(frozen=True)
class ContrastProbe:
    """What contrast-consistent search found."""

    weight: Float[Tensor, " width"]
    bias: Float[Tensor, ""]
    yes: Scale
    no: Scale
    loss: float
    """Of the pairs it was fitted to; 0 is perfect, 0.25 that of saying one half."""

    def scores(self, yes: Float[Tensor, "pair width"], no: Float[Tensor, "pair width"]) -> Float[Tensor, "pair 1"]:
        """(p(yes) + 1 - p(no)) / 2; which end means what is not known."""
        above, below = _probabilities(self.yes.apply(yes).float(), self.no.apply(no).float(), self.weight, self.bias)
        return ((above + 1 - below) / 2)[:, None]


def fit_contrast(
    yes: Float[Tensor, "pair width"],
    no: Float[Tensor, "pair width"],
    *,
    restarts: int = 10,
    steps: int = 500,
    rate: float = 0.01,
    decay: float = 0.01,
    seed: int = 0,
) -> ContrastProbe:
    """The least loss of several starts, all fitted at once by AdamW."""
    scales = Scale.of(yes), Scale.of(no)
    sides = [scale.apply(side).float() for scale, side in zip(scales, (yes, no), strict=True)]
    generator = torch.Generator().manual_seed(seed)
    weight = torch.nn.functional.normalize(torch.randn(restarts, yes.shape[1], generator=generator), dim=1)
    weight.requires_grad_()
    bias = torch.zeros(restarts, requires_grad=True)
    optimiser = torch.optim.AdamW([weight, bias], lr=rate, weight_decay=decay)
    for _ in range(steps):
        optimiser.zero_grad()
        _losses(sides, weight, bias).sum().backward()
        optimiser.step()
    losses = _losses(sides, weight, bias).detach()
    best = int(losses.argmin())
    return ContrastProbe(weight[best].detach(), bias[best].detach(), *scales, float(losses[best]))


def _losses(sides: list[Tensor], weight: Tensor, bias: Tensor) -> Float[Tensor, " restart"]:
    yes, no = sides
    above, below = _probabilities(yes, no, weight.T, bias)
    return ((above + below - 1).square() + torch.minimum(above, below).square()).mean(0)


def _probabilities(yes: Tensor, no: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    return (yes @ weight + bias).sigmoid(), (no @ weight + bias).sigmoid()
