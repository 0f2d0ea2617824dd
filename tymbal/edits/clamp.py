"""Clamp or scale one feature of a dictionary (Templeton et al. 2024, "Scaling Monosemanticity": feature steering).

Only the feature's own part changes: x + (new - old) · direction. What the dictionary does not explain of x, its error
term, stays as it is, bit for bit up to that one addition; so clamping a feature to its own value changes nothing.
"""

from dataclasses import KW_ONLY, dataclass
from math import isfinite
from typing import final

from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.edits.requirements import require_same_model, require_width, site_of
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import LanguageModel, TokenPlaces


@final
@dataclass(frozen=True, eq=False)
class Clamp:
    """Sets a feature to `value`, whether it was active or not."""

    dictionary: Dictionary
    _: KW_ONLY
    feature: int
    value: float
    """in activation units"""
    at_site: str | None = None
    """for a dictionary that records no site"""
    where: Where = EVERYWHERE

    def __post_init__(self) -> None:
        _check(self.dictionary, self.feature, self.value, self.at_site)

    @property
    def site(self) -> str:
        """The dictionary's."""
        return site_of(self.dictionary, self.at_site)

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model that the dictionary was not made for."""
        _require(self.dictionary, self.site, model)

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with the feature at its value."""
        change = self.value - _value(self.dictionary, self.feature, activation)
        return self.where.put(activation, _moved(self.dictionary, self.feature, activation, change), places)


@final
@dataclass(frozen=True, eq=False)
class Scale:
    """Multiplies a feature's value by `factor`; 0 takes the feature out."""

    dictionary: Dictionary
    _: KW_ONLY
    feature: int
    factor: float
    at_site: str | None = None
    """for a dictionary that records no site"""
    where: Where = EVERYWHERE

    def __post_init__(self) -> None:
        _check(self.dictionary, self.feature, self.factor, self.at_site)

    @property
    def site(self) -> str:
        """The dictionary's."""
        return site_of(self.dictionary, self.at_site)

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model that the dictionary was not made for."""
        _require(self.dictionary, self.site, model)

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with the feature scaled."""
        change = (self.factor - 1) * _value(self.dictionary, self.feature, activation)
        return self.where.put(activation, _moved(self.dictionary, self.feature, activation, change), places)


def _check(dictionary: Dictionary, feature: int, number: float, site: str | None) -> None:
    if not 0 <= feature < dictionary.features:
        raise ValueError(f"expected a feature from 0 to {dictionary.features - 1}; got {feature}")
    if not isfinite(number):
        raise ValueError(f"expected a finite number; got {number}")
    site_of(dictionary, site)


def _require(dictionary: Dictionary, site: str, model: LanguageModel) -> None:
    require_same_model(model, dictionary.model, "a dictionary")
    require_width(model, site, dictionary.width, "a dictionary")


def _value(dictionary: Dictionary, feature: int, activation: Tensor) -> Float[Tensor, "batch token"]:
    codes = dictionary.encode(activation)
    return (codes.values * (codes.indices == feature)).sum(-1)


def _moved(dictionary: Dictionary, feature: int, activation: Tensor, change: Tensor) -> Tensor:
    return activation + (change.unsqueeze(-1) * dictionary.decoder[feature]).to(activation.dtype)
