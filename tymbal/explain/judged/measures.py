"""How well a judge's ratings tell windows in which a feature is active from windows in which it is silent.

    balanced accuracy   (active windows rated above the middle / active windows
                         + silent windows rated below it / silent windows) / 2; a rating in the middle is half of each
    AUROC               the chance that an active window is rated above a silent one, ties half

Both are 0.5 for ratings that know nothing, and 1 for perfect ones; what was not answered counts as a rating in the
middle of the scale. Intervals come from resampled passages. With hard negatives for the silent windows these are the
"hard" ones.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from numpy import ndarray
from torch import Tensor

from tymbal.dictionaries import Number
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.probes import Classes
from tymbal.probes.scores import score

Weights = Float64[Tensor, "draw row"]
Statistic = Callable[[Weights], Float64[Tensor, " draw"]]
CONTRASTS = ("balanced_accuracy", "auroc", "hard_balanced_accuracy", "hard_auroc")


class Rated(NamedTuple):
    """A window and what a judge said of it."""

    rating: float | None
    """None where the judge did not answer"""
    active: bool
    hard: bool
    """a silent window that looks alike"""
    passage: int


def contrasts(rated: Sequence[Rated], middle: float, *, draws: int, seed: int) -> dict[str, Number | None]:
    """Each of `CONTRASTS`; None where there are no windows of a sort. `middle` is the middle of the scale."""
    found: dict[str, Number | None] = {}
    for prefix, hard in (("", False), ("hard_", True)):
        kept = [one for one in rated if one.active or one.hard == hard]
        ratings = torch.tensor([middle if one.rating is None else one.rating for one in kept], dtype=torch.float64)
        active = torch.tensor([one.active for one in kept], dtype=torch.bool)
        passages = np.array([one.passage for one in kept], dtype=np.int64)
        both = bool(active.any()) and not bool(active.all())
        yes = (ratings > middle).double() + (ratings == middle).double() / 2
        found[f"{prefix}balanced_accuracy"] = (
            resampled(lambda w, y=yes, a=active: _balanced(y, a, w), passages, draws, seed) if both else None
        )
        found[f"{prefix}auroc"] = (
            resampled(lambda w, r=ratings, a=active: auroc(r, a, w), passages, draws, seed) if both else None
        )
    return found


def resampled(statistic: Statistic, passages: ndarray, draws: int, seed: int) -> Number | None:
    """A statistic of weighted rows with its 95 % interval over resampled passages; None where it has no value."""
    own, local = np.unique(passages, return_inverse=True)
    value = float(statistic(torch.ones(1, len(passages), dtype=torch.float64)))
    drawn = statistic(Bootstrap(len(own), draws=draws, seed=seed).weights[:, torch.from_numpy(local)])
    known = drawn[torch.isfinite(drawn)].numpy()
    if not np.isfinite(value) or not len(known):
        return None
    low, high = np.quantile(known, (0.025, 0.975))
    return Number(value=value, low=float(low), high=float(high))


def auroc(ratings: Tensor, active: Tensor, weights: Weights) -> Tensor:
    """The area for each weighting; NaN where one leaves out all windows of a sort."""
    return score(ratings[:, None], Classes(active.long(), ("silent", "active")), weights)


def _balanced(yes: Tensor, active: Tensor, weights: Weights) -> Tensor:
    positive, negative = weights * active, weights * ~active
    return ((positive @ yes) / positive.sum(1) + (negative @ (1 - yes)) / negative.sum(1)) / 2
