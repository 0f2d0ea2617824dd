"""A reader learns from rows and their targets; the probe it makes is frozen and scores other rows.

Each kind of reader is one final class in a file of its own. Scores have one column for two classes (the log-odds of the
second), else one a class (log-probabilities up to a constant) or one a number (the prediction itself).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from sklearn.model_selection import GroupKFold
from torch import Tensor

from tymbal.probes.targets import Target

Rows = Float[Tensor, "row width"] | Float[Tensor, "row token width"]
"""One vector a row; or, for readers that weigh tokens themselves, several, filled up with NaN."""


class Probe(ABC):
    """What a reader has learnt."""

    form: ClassVar[str]
    """The name under which it is saved."""

    @abstractmethod
    def scores(self, x: Rows) -> Float[Tensor, "row output"]:
        """Log-odds, class scores or predicted numbers, in fp32."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """All that it has learnt, by name."""

    @classmethod
    @abstractmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "Probe":
        """The probe of these tensors."""


class Reader(ABC):
    """Learns a probe; its dataclass fields are its configuration."""

    kind: ClassVar[str]
    """The name on the command line."""
    reads: ClassVar[tuple[type, ...]]
    """The kinds of target that it can learn."""

    @abstractmethod
    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> Probe:
        """The probe for these rows; rows of one group stay together wherever the reader tries itself out."""


@dataclass(frozen=True)
class LinearProbe(Probe):
    """Scores that are linear in the activation, in the model's own units."""

    form: ClassVar[str] = "linear"
    weight: Float[Tensor, "output width"]
    bias: Float[Tensor, " output"]

    def scores(self, x: Rows) -> Float[Tensor, "row output"]:
        return x @ self.weight.T + self.bias

    def tensors(self) -> dict[str, Tensor]:
        return {"weight": self.weight, "bias": self.bias}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "LinearProbe":
        return cls(tensors["weight"], tensors["bias"])


@dataclass(frozen=True)
class Scale:
    """Mean and spread of each unit, so that a reader sees units of like size."""

    mean: Float[Tensor, " width"]
    spread: Float[Tensor, " width"]

    @classmethod
    def of(cls, x: Float[Tensor, "row width"]) -> "Scale":
        """The scale of these rows; a unit that never varies keeps its size."""
        spread = x.double().std(0, correction=0)
        return cls(x.double().mean(0), torch.where(spread > 1e-6 * spread.max(), spread, 1.0))

    def apply(self, x: Tensor) -> Tensor:
        """Rows of mean 0 and spread 1, in fp64."""
        return (x.double() - self.mean) / self.spread

    def unscaled(self, weight: Tensor, bias: Tensor) -> LinearProbe:
        """A probe of the scaled rows as one of the rows themselves."""
        own = weight.double() / self.spread
        return LinearProbe(own.float(), (bias.double() - own @ self.mean).float())


def log_probabilities(scores: Float[Tensor, "row output"]) -> Float[Tensor, "row class"]:
    """Log-probabilities of the classes in nats."""
    if scores.shape[1] == 1:
        return torch.cat([F.logsigmoid(-scores), F.logsigmoid(scores)], 1)
    return scores.log_softmax(1)


def folds(groups: Int[Tensor, " row"], count: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to fit and rows to try, `count` times, groups kept together; none where there is but one group."""
    count = min(count, len(groups.unique()))
    if count < 2:
        return []
    return list(GroupKFold(count).split(np.zeros(len(groups)), groups=groups.numpy()))
