"""What a dose is a dose of: vectors added, or features clamped, at one site or at several at once.

A treatment makes the edits of any strength, and has a control: the same amounts along random directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import NamedTuple, Protocol, final, runtime_checkable

import torch

from tymbal.dictionaries import Dictionary
from tymbal.edits.clamp import Clamp
from tymbal.edits.vectors import SteeringVector
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import PlacedEdit


@runtime_checkable
class Treatment(Protocol):
    """Edits by strength; at strength 0 there are none."""

    @property
    def made(self) -> str:
        """What it is, in a few words."""
        ...

    @property
    def unit(self) -> str:
        """What a strength counts."""
        ...

    def edits(self, strength: float) -> Sequence[PlacedEdit]:
        """The edits of this strength, to be used together."""
        ...

    def random(self, seed: int) -> "Treatment":
        """The control: along random directions, as far."""
        ...


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AddedVectors:
    """Vectors, each at its site, all with the same strength."""

    vectors: tuple[SteeringVector, ...]
    where: Where = EVERYWHERE
    half_life: float | None = None
    relative: bool = False
    """whether strengths are shares of each activation's own length, whatever the vectors'"""

    def __post_init__(self) -> None:
        if not self.vectors:
            raise ValueError("expected at least one vector; got none")

    @property
    def made(self) -> str:
        """How the first vector was made, and where they are added."""
        where = "" if self.where.tokens == "all" else f", {self.where.tokens} tokens"
        return f"{self.vectors[0].made or 'vector'} at {', '.join(vector.site for vector in self.vectors)}{where}"

    @property
    def unit(self) -> str:
        """Of strengths."""
        return "length as a share of the activation's" if self.relative else "multiples of the vector"

    def edits(self, strength: float) -> list[PlacedEdit]:
        """One edit a vector."""
        how = {"relative": self.relative, "half_life": self.half_life, "where": self.where}
        return [vector.steer(strength, **how) for vector in self.vectors]

    def random(self, seed: int) -> "AddedVectors":
        """Random vectors of the same lengths."""
        drawn = tuple(vector.random(_own_seed(seed, place)) for place, vector in enumerate(self.vectors))
        return replace(self, vectors=drawn)


class FeatureAt(NamedTuple):
    """A dictionary's feature, and the activation that one unit of strength sets it to (its maximum, say)."""

    dictionary: Dictionary
    feature: int
    scale: float = 1.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ClampedFeatures:
    """Features of one or several dictionaries, each set to the strength times its own scale."""

    features: tuple[FeatureAt, ...]
    where: Where = EVERYWHERE
    seed: int | None = None
    """of random directions in the features' place; None for the features' own"""
    unit: str = "multiples of the feature's maximum"

    def __post_init__(self) -> None:
        if not self.features or not all(isfinite(feature.scale) for feature in self.features):
            raise ValueError("expected at least one feature, each with a finite scale")

    @property
    def made(self) -> str:
        """Which features, and where."""
        told = (f"{feature.feature} at {feature.dictionary.site}" for feature in self.features)
        return f"feature {', '.join(told)}"

    def edits(self, strength: float) -> list[PlacedEdit]:
        """One clamp a feature."""
        return [
            Clamp(dictionary, feature=feature, value=strength * scale, where=self.where, along=self._along(place))
            for place, (dictionary, feature, scale) in enumerate(self.features)
        ]

    def random(self, seed: int) -> "ClampedFeatures":
        """The same changes of the same tokens along random directions of the decoder rows' lengths."""
        return replace(self, seed=seed)

    def _along(self, place: int) -> torch.Tensor | None:
        if self.seed is None:
            return None
        dictionary, feature, _ = self.features[place]
        own = SteeringVector(direction=dictionary.decoder[feature].detach(), site=str(dictionary.site))
        return own.random(_own_seed(self.seed, place)).direction


def as_treatment(treated: Treatment | SteeringVector) -> Treatment:
    """A vector is a treatment by itself."""
    return AddedVectors(vectors=(treated,)) if isinstance(treated, SteeringVector) else treated


def _own_seed(seed: int, place: int) -> int:
    return seed + 100_003 * place
