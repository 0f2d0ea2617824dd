"""Whether classes differ in covariance, which no affine edit can hide.

Rows are whitened and split in two halves; D_c is a class's covariance less the common one, in one half. The sum over
classes of p_c <D_c, D'_c> estimates the squared difference without bias: the halves' errors are independent. It is
held against the same number under shuffled labels.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

SHUFFLES = 19
WIDEST = 256
"""Principal axes that are compared at most; those of the largest variance."""


class CovarianceDifference(NamedTuple):
    """Zero for equal covariances; 1 when a class's whitened covariance differs from the common one by its own size."""

    value: float
    p: float
    """share of shuffled labels that differ as much, the true labels counted in (1/20 is the least)"""


def covariance_difference(x: Float64[Tensor, "row width"], labels: Int64[Tensor, " row"]) -> CovarianceDifference:
    """How much class covariances differ on these rows."""
    whitened = _whitened(x)
    generator = torch.Generator().manual_seed(0)
    half = torch.randperm(len(x), generator=generator) % 2 == 0
    found = _product(whitened, labels, half)
    by_chance = [_product(whitened, labels[torch.randperm(len(x), generator=generator)], half) for _ in range(SHUFFLES)]
    p = (1 + sum(other >= found for other in by_chance)) / (1 + SHUFFLES)
    return CovarianceDifference(float(np.sqrt(max(0.0, found) / whitened.shape[1])), p)


def _whitened(x: Float64[Tensor, "row width"]) -> Float64[Tensor, "row axis"]:
    scales = x.std(0)
    centred = (x - x.mean(0)) / torch.where(scales > 0, scales, torch.ones_like(scales))
    values, vectors = torch.linalg.eigh(centred.mT @ centred / len(x))
    kept = values > values[-1] * 1e-9
    kept[: max(0, len(values) - WIDEST)] = False
    return centred @ (vectors[:, kept] * values[kept].rsqrt())


def _product(whitened: Tensor, labels: Tensor, half: Tensor) -> float:
    total = 0.0
    for label in labels.unique():
        of_class = labels == label
        differences = [_difference(whitened[chosen], of_class[chosen]) for chosen in (half, ~half)]
        if any(difference is None for difference in differences):
            continue
        first, second = differences
        assert first is not None
        assert second is not None
        total += float(of_class.double().mean() * (first * second).sum())
    return total


def _difference(whitened: Tensor, of_class: Tensor) -> Tensor | None:
    own = whitened[of_class]
    if len(own) < 2:
        return None
    centred = own - own.mean(0)
    return centred.mT @ centred / (len(own) - 1) - whitened.mT @ whitened / len(whitened)
