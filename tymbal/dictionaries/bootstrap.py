"""Intervals by resampling passages.

Tokens of one passage depend on each other, so whole passages are drawn, with replacement, as often as there are. Each
number is a function of sums over passages; a draw weights every passage by how often it came up.

    value      statistic(Σ_p column[p])
    interval   the 2.5 % and 97.5 % quantiles of statistic(Σ_p weight[p] · column[p]) over draws of the weights

Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 8 and 13 (percentile intervals).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Columns = Mapping[str, Float[Tensor, "passage ..."]]
Totals = Mapping[str, Float[Tensor, "draw ..."]]
Statistic = Callable[[Totals], Float[Tensor, " draw"]]


@dataclass(frozen=True, kw_only=True)
class Number:
    """A measured value with its 95 % interval."""

    value: float
    low: float
    high: float


class Bootstrap:
    """The same draws of passages for every number, so that numbers can be compared."""

    def __init__(self, passages: int, *, draws: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        picks = torch.randint(max(1, passages), (draws, passages), generator=generator)
        ones = torch.ones_like(picks, dtype=torch.float64)
        self.weights: Float[Tensor, "draw passage"] = torch.zeros(draws, passages, dtype=torch.float64).scatter_add_(
            1, picks, ones
        )
        """How often each draw holds each passage."""

    def over(self, columns: Columns) -> "Resampled":
        """Sums of these columns, of all passages and of each draw."""
        return Resampled(
            {name: column.sum(0, keepdim=True) for name, column in columns.items()},
            {
                name: (self.weights @ column.reshape(len(column), -1)).reshape(-1, *column.shape[1:])
                for name, column in columns.items()
            },
        )


class Resampled(NamedTuple):
    """Sums over all passages (one row) and over the passages of each draw."""

    everything: Totals
    draws: Totals

    def number(self, statistic: Statistic) -> Number:
        """The statistic of all passages, and its interval; draws without a value (0/0) are left out."""
        low, high = _interval(statistic(self.draws))
        return Number(value=float(statistic(self.everything)), low=low, high=high)


def _interval(drawn: Float[Tensor, " draw"]) -> tuple[float, float]:
    finite = drawn[torch.isfinite(drawn)]
    if len(finite) == 0:
        return float("nan"), float("nan")
    low, high = torch.quantile(finite, torch.tensor([0.025, 0.975], dtype=finite.dtype)).tolist()
    return low, high
