"""Numbers of a model card with their intervals, by drawing documents or games."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 1_000


class Interval(NamedTuple):
    """An estimate with the 95 % interval of a bootstrap over documents, and how many things it counts."""

    value: float
    low: float
    high: float
    n: int

    def said(self, digits: int) -> str:
        """As a card says it."""
        value, low, high, n = self
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}], n = {n:,}"


def ratio(numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray) -> Interval:
    """Sum over sum, with a bootstrap over documents; `n` is the sum of the denominators."""
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    if below.sum() == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    generator = np.random.default_rng(0)
    drawn = generator.integers(len(above), size=(RESAMPLES, len(above)))
    ratios = above[drawn].sum(1) / np.maximum(below[drawn].sum(1), 1e-12)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(float(above.sum() / below.sum()), float(low), float(high), int(below.sum()))
