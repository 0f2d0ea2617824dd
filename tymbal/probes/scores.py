"""How well scores tell their targets, for one weighting of the rows or for many at once (the draws of a bootstrap).

auroc                two classes: the chance that a row of the second scores above a row of the first, ties half
balanced accuracy    more classes: the mean over classes of the share of its rows that score highest for it
R2                   numbers: 1 - squared errors / squared deviations from the mean of these rows, averaged over numbers
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.probes.targets import Classes, Numbers, Target

Weights = Float[Tensor, "draw row"]


def score_name(target: Target) -> str:
    """What `score` measures for this target."""
    if isinstance(target, Numbers):
        return "R2"
    return "AUROC" if len(target.names) == 2 else "balanced accuracy"


def chance(target: Target) -> float:
    """The score of a reader that knows nothing of the row."""
    if isinstance(target, Numbers):
        return 0.0
    return 0.5 if len(target.names) == 2 else 1 / len(target.names)


def score(scores: Float[Tensor, "row output"], target: Target, weights: Weights) -> Float[Tensor, " draw"]:
    """The score of these rows, for each weighting; NaN where a weighting leaves a class or all spread out."""
    if isinstance(target, Numbers):
        return r2(scores.double(), target.values.double(), weights)
    if len(target.names) == 2:
        return _auroc(scores[:, 0], target.ids, weights)
    return balanced_accuracy(scores, target, weights)


def _auroc(scores: Tensor, ids: Tensor, weights: Weights) -> Tensor:
    order = scores.argsort(stable=True)
    _, level = scores[order].unique_consecutive(return_inverse=True)
    yes = (ids[order] == 1).to(weights)
    levels = int(level[-1]) + 1

    def by_level(part: Tensor) -> Tensor:
        return torch.zeros(len(weights), levels, dtype=weights.dtype).index_add_(1, level, part)

    positive = by_level(weights[:, order] * yes)
    negative = by_level(weights[:, order] * (1 - yes))
    below = negative.cumsum(1) - negative / 2
    return (positive * below).sum(1) / (positive.sum(1) * negative.sum(1))


def balanced_accuracy(scores: Float[Tensor, "row class"], target: Classes, weights: Weights) -> Float[Tensor, " draw"]:
    """The mean over classes of the share of rows that score highest for their own."""
    hit = (scores.argmax(1) == target.ids).to(weights)
    member = torch.nn.functional.one_hot(target.ids, len(target.names)).to(weights)
    present = weights @ member
    recall = (weights * hit) @ member / present
    # A class that a draw leaves out has no recall; the others speak for the draw.
    return recall.nanmean(1)


def r2(
    predicted: Float[Tensor, "row output"], true: Float[Tensor, "row output"], weights: Weights
) -> Float[Tensor, " draw"]:
    """The share of the numbers' spread that is foretold; 1 is perfect, 0 a constant's."""
    errors = weights @ (predicted - true).square()
    deviations = weights @ (true - true.mean(0)).square()
    return (1 - errors / deviations).mean(1)
