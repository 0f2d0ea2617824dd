"""Streaming mean and covariance in fp64.

1. Each batch is centred on its own mean, and its sum of outer products is taken there, so that a large mean costs no
   digits.
2. Two sets of moments merge exactly: counts add, means are weighted, and the outer product of the difference of the
   means is added with weight n_a n_b / (n_a + n_b).

Source: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", equations 2.1a and 2.1b, written
for matrices.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from tymbal.errors import TymbalError

_BLOCK = 8192  # rows converted to fp64 at a time


class Moments:
    """Count, mean and covariance of rows that arrive in batches; the order and size of batches do not matter."""

    count: int
    """rows seen"""

    def __init__(self, width: int) -> None:
        self.width = width
        self.count = 0
        self._mean = torch.zeros(width, dtype=torch.float64)
        self._scatter = torch.zeros(width, width, dtype=torch.float64)

    def update(self, rows: Float[Tensor, "row width"]) -> None:
        """Take in more rows; raises `ValueError` for rows of another width."""
        if rows.shape[-1] != self.width:
            raise ValueError(f"expected rows of width {self.width}; got {rows.shape[-1]}")
        for block in rows.split(_BLOCK):
            if len(block):
                exact = block.detach().to("cpu", torch.float64)
                mean = exact.mean(dim=0)
                centred = exact - mean
                # The mean is rounded; its error is taken out again (the corrected two-pass formula, Chan's 1.7).
                slip = centred.mean(dim=0)
                scatter = centred.mT @ centred - len(block) * torch.outer(slip, slip)
                self._add(len(block), mean + slip, scatter)

    def merge(self, other: "Moments") -> None:
        """Take in all rows that `other` has seen."""
        if other.width != self.width:
            raise ValueError(f"expected moments of width {self.width}; got {other.width}")
        if other.count:
            self._add(other.count, other._mean, other._scatter)

    def _add(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        total = self.count + count
        difference = mean - self._mean
        self._mean = self._mean + difference * (count / total)
        self._scatter = self._scatter + scatter + torch.outer(difference, difference) * (self.count * count / total)
        self.count = total

    @property
    def mean(self) -> Float64[Tensor, " width"]:
        """Mean of the rows, in activation units."""
        self._require_rows()
        return self._mean.clone()

    @property
    def covariance(self) -> Float64[Tensor, "width width"]:
        """Covariance of the rows, in squared activation units: the sum of outer products divided by the count."""
        self._require_rows()
        return (self._scatter + self._scatter.mT) / (2 * self.count)  # the product is symmetric only up to rounding

    @property
    def variance(self) -> Float64[Tensor, " width"]:
        """Variance of each coordinate, in squared activation units (the covariance's diagonal)."""
        self._require_rows()
        return self._scatter.diagonal() / self.count

    def _require_rows(self) -> None:
        if not self.count:
            raise TymbalError(expected="at least one row", got="none", do="update the moments with activations first")
