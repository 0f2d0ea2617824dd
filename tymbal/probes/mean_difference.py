"""The mean of each class and nothing else ("mass mean": Marks & Tegmark 2023, "The Geometry of Truth").

The score of a class is how near its mean is: μ·x - |μ|²/2, around the mean of all rows; for two classes that is the
projection on the difference of means. One number, fitted to the rows, turns distances into log-odds.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Int
from scipy.optimize import minimize_scalar
from torch import Tensor

from tymbal.probes.probe import LinearProbe, Reader, Rows, log_probabilities
from tymbal.probes.targets import Classes, Target


@dataclass(frozen=True, kw_only=True)
class MeanDifference(Reader):
    """The difference of class means."""

    kind: ClassVar[str] = "mean-difference"
    reads: ClassVar[tuple[type, ...]] = (Classes,)

    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> LinearProbe:  # noqa: ARG002 - tries nothing out
        assert isinstance(target, Classes)
        exact = x.double()
        centre = exact.mean(0)
        means = torch.stack([exact[target.ids == number].mean(0) for number in range(len(target.names))]) - centre
        weight, bias = means, -means.square().sum(1) / 2
        if target.outputs == 1:
            weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
        distances = (exact - centre) @ weight.T + bias
        sharp = _sharpness(distances, target.ids)
        return LinearProbe((sharp * weight).float(), (sharp * (bias - weight @ centre)).float())


def _sharpness(distances: Tensor, ids: Tensor) -> float:
    """The factor with the least log-loss."""
    typical = float(distances.abs().mean().clamp(min=1e-12))

    def loss(logarithm: float) -> float:
        told = log_probabilities(distances / typical * 10**logarithm)
        return -float(told.gather(1, ids[:, None]).mean())

    found: Any = minimize_scalar(loss, bounds=(-3, 3), method="bounded")
    return 10 ** float(found.x) / typical
