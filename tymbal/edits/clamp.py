"""Clamp or scale one feature of a dictionary (Templeton et al. 2024, "Scaling Monosemanticity": feature steering).

Only the feature's own part changes: x + (new - old) · direction. What the dictionary does not explain of x, its error
term, stays as it is, bit for bit up to that one addition; so clamping a feature to its own value changes nothing.
"""

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from math import isfinite
from typing import final

from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.edits.requirements import require_same_model, require_width, site_of
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import LanguageModel, TokenPlaces


@dataclass(frozen=True, eq=False)
class _FeatureEdit(ABC):
    """Gives a feature another value, which depends on the one it has."""

    dictionary: Dictionary
    _: KW_ONLY
    feature: int
    at_site: str | None = None
    """for a dictionary that records no site"""
    where: Where = EVERYWHERE
    along: Float[Tensor, " width"] | None = None
    """moves activations along this direction in the feature's place, just as far: the control of a clamp"""

    def __post_init__(self) -> None:
        if not 0 <= self.feature < self.dictionary.features:
            raise ValueError(f"expected a feature from 0 to {self.dictionary.features - 1}; got {self.feature}")
        if not isfinite(self._number):
            raise ValueError(f"expected a finite number; got {self._number}")
        site_of(self.dictionary, self.at_site)
        if self.along is not None and self.along.shape != self.dictionary.decoder[self.feature].shape:
            raise ValueError(f"expected a direction of width {self.dictionary.width}; got {tuple(self.along.shape)}")

    @property
    @abstractmethod
    def _number(self) -> float:
        """What the new value is made with."""

    @abstractmethod
    def _change(self, value: Float[Tensor, "batch token"]) -> Float[Tensor, "batch token"]:
        """What is added to the feature's value."""

    @property
    def site(self) -> str:
        """The dictionary's."""
        return site_of(self.dictionary, self.at_site)

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model that the dictionary was not made for."""
        require_same_model(model, self.dictionary.model, "a dictionary")
        require_width(model, self.site, self.dictionary.width, "a dictionary")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with the feature at its new value."""
        codes = self.dictionary.encode(activation)
        change = self._change((codes.values * (codes.indices == self.feature)).sum(-1))
        direction = self.dictionary.decoder[self.feature] if self.along is None else self.along.to(change)
        moved = activation + (change.unsqueeze(-1) * direction).to(activation.dtype)
        return self.where.put(activation, moved, places)


@final
@dataclass(frozen=True, eq=False)
class Clamp(_FeatureEdit):
    """Sets a feature to `value`, whether it was active or not."""

    _: KW_ONLY
    value: float
    """in activation units"""

    @property
    def _number(self) -> float:
        return self.value

    def _change(self, value: Float[Tensor, "batch token"]) -> Float[Tensor, "batch token"]:
        return self.value - value


@final
@dataclass(frozen=True, eq=False)
class Scale(_FeatureEdit):
    """Multiplies a feature's value by `factor`; 0 takes the feature out."""

    _: KW_ONLY
    factor: float

    @property
    def _number(self) -> float:
        return self.factor

    def _change(self, value: Float[Tensor, "batch token"]) -> Float[Tensor, "batch token"]:
        return (self.factor - 1) * value
