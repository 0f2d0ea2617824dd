"""The oblique projection that linear erasure removes.

With Σ the covariance of the rows and B their class means (less the common mean, weighted by the square root of each
class's share), LEACE takes P = B (B'Σ⁻¹B)⁺ B'Σ⁻¹ of each centred row away. It is found with a Cholesky factor of the
correlation matrix: scale-free, so that one coordinate of size 3,000 hides no other. A ridge of a few rounding errors
keeps the factor regular. Whatever the ridge, P B = B holds, so class means come out equal to the last digits; only the
size of the edit depends on it. Directions are dropped below a canonical correlation of 1e-8, not below a size.

Sources: Belrose et al. 2023, "LEACE: Perfect linear concept erasure in closed form", theorem 4.3; for shrinkage Chen,
Wiesel, Eldar and Hero 2010, "Shrinkage algorithms for MMSE covariance estimation" (OAS), on correlations.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from tymbal.edits.statistics import Summary

LEAST_CORRELATION = 1e-8
"""Directions whose canonical correlation with the concept is lower carry rounding errors only."""


class ObliqueProjection(NamedTuple):
    """`left @ right`, idempotent."""

    left: Float64[Tensor, "width rank"]
    right: Float64[Tensor, "rank width"]
    shrinkage: float

    @property
    def size(self) -> float:
        """Mean squared length of what is taken from a row, in squared activation units."""
        return float(self.left.square().sum())  # right · Σ · right' is the identity


def oblique_projection(summary: Summary, *, shrink: bool = False) -> ObliqueProjection:
    """The projection onto the concept's directions that changes rows least."""
    width = len(summary.mean)
    variances = summary.covariance.diagonal()
    scales = torch.where(variances > 0, variances, torch.ones_like(variances)).sqrt()
    correlation = summary.covariance / torch.outer(scales, scales)
    correlation.diagonal().fill_(1.0)
    shrinkage = _oas(correlation, summary.rows) if shrink else 0.0
    correlation = (1 - shrinkage) * correlation
    correlation.diagonal().fill_(1.0)
    factor = _cholesky(correlation, width * torch.finfo(torch.float64).eps if summary.exact else _ridge(width))
    whitened = torch.linalg.solve_triangular(factor, summary.cross / scales.unsqueeze(1), upper=False)
    directions, correlations, _ = torch.linalg.svd(whitened, full_matrices=False)
    directions = directions[:, correlations > LEAST_CORRELATION]
    left = scales.unsqueeze(1) * (factor @ directions)
    right = torch.linalg.solve_triangular(factor.mT, directions, upper=True) / scales.unsqueeze(1)
    return ObliqueProjection(left, right.mT.contiguous(), shrinkage)


def _ridge(width: int) -> float:
    """About the spectral norm of fp32 rounding errors in a correlation matrix of this width."""
    return torch.finfo(torch.float32).eps * width**0.5


def _cholesky(matrix: Tensor, ridge: float) -> Float64[Tensor, "width width"]:
    while True:
        # Coordinates that repeat each other leave eigenvalues that rounding may turn negative.
        factor, failed = torch.linalg.cholesky_ex(matrix + ridge * torch.eye(len(matrix), dtype=matrix.dtype))
        if not int(failed):
            return factor
        ridge *= 4


def _oas(correlation: Tensor, rows: int) -> float:
    width = len(correlation)
    trace, square = float(correlation.trace()), float(correlation.square().sum())
    above = (1 - 2 / width) * square + trace**2
    below = (rows + 1 - 2 / width) * (square - trace**2 / width)
    return 1.0 if below <= 0 else min(1.0, above / below)
