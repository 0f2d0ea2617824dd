"""Uncertain inputs, each given by its quantile function, so that any of them can be driven by the same points.

    Point       a number held to be known
    Beta        a probability by its mean and concentration (the two shape parameters' sum)
    Uniform     between two numbers
    LogNormal   a positive quantity by its median and 95 % quantile
    Elicited    the quantiles that somebody gave, met exactly; between and beyond them the log-odds (or the logarithm)
                are straight lines in the normal score
    Pooled      several experts' probabilities, pooled; its spread is that of pooling experts drawn anew from them

Source for the elicited form: a quantile-parameterised distribution in the sense of Keelin and Powley 2011, piecewise.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import betaincinv, expit, logit, ndtri

from tymbal.errors import TheoryError
from tymbal.theory.risk.pooling import Pooling, bootstrap

MIDDLES = (np.arange(4_096) + 0.5) / 4_096


class Distribution(ABC):
    """What is believed of one input."""

    @abstractmethod
    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The quantile at each level in (0, 1)."""

    @abstractmethod
    def describe(self) -> str:
        """A few words for the report."""

    def mean(self) -> float:
        """The expectation, to about four digits where no closed form is used."""
        return float(self.quantile(MIDDLES).mean())

    def certain(self) -> bool:
        """Whether it is one number."""
        return False

    def moved_to(self, value: float) -> "Distribution":
        """The same belief about another central value; here, a number held to be known."""
        return Point(value)


@dataclass(frozen=True)
class Point(Distribution):
    """A number held to be known."""

    value: float

    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The number itself."""
        return np.full(np.shape(level), self.value)

    def describe(self) -> str:
        """The number."""
        return f"{self.value:g}, taken as known"

    def certain(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, kw_only=True)
class Beta(Distribution):
    """A probability around a mean; the higher the concentration, the narrower."""

    centre: float
    concentration: float

    def __post_init__(self) -> None:
        if not 0 < self.centre < 1:
            raise TheoryError(
                expected="a mean between 0 and 1", got=f"{self.centre:g}", do='use {"point": …} for 0 or 1'
            )
        if self.concentration <= 0:
            raise TheoryError(
                expected="a concentration above 0", got=f"{self.concentration:g}", do="take 8 for a wide spread, say"
            )

    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """By the inverse of the incomplete beta function."""
        a = self.centre * self.concentration
        return np.asarray(betaincinv(a, self.concentration - a, level))

    def mean(self) -> float:
        """The mean that was given."""
        return self.centre

    def describe(self) -> str:
        """Mean and concentration."""
        return f"Beta, mean {self.centre:g}, concentration {self.concentration:g}"

    def moved_to(self, value: float) -> Distribution:
        """The same concentration about another mean."""
        return Beta(centre=value, concentration=self.concentration) if 0 < value < 1 else Point(value)


@dataclass(frozen=True, kw_only=True)
class Uniform(Distribution):
    """Anything between two numbers, equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise TheoryError(
                expected="two numbers, the lower first", got=f"{self.low:g} and {self.high:g}", do="exchange them"
            )

    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """A straight line."""
        return self.low + (self.high - self.low) * level

    def describe(self) -> str:
        """The two numbers."""
        return f"uniform from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, kw_only=True)
class LogNormal(Distribution):
    """A positive quantity whose logarithm is normal."""

    median: float
    high: float
    """the 95 % quantile"""

    def __post_init__(self) -> None:
        if not 0 < self.median < self.high:
            raise TheoryError(
                expected="a median above 0 and a 95 % quantile above it",
                got=f"{self.median:g} and {self.high:g}",
                do="mend them",
            )

    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The exponential of a normal quantile."""
        width = np.log(self.high / self.median) / ndtri(0.95)
        return self.median * np.exp(width * ndtri(level))

    def describe(self) -> str:
        """Median and 95 % quantile."""
        return f"log-normal, median {self.median:g}, 95 % below {self.high:g}"


@dataclass(frozen=True, kw_only=True)
class Elicited(Distribution):
    """At least two quantiles that somebody gave: (level, value), of a probability or of a positive quantity."""

    quantiles: tuple[tuple[float, float], ...]
    positive: bool = False
    """of any positive quantity instead of a probability"""

    def __post_init__(self) -> None:
        levels, values = zip(*self.quantiles, strict=True)
        inside = all(value > 0 and (self.positive or value < 1) for value in values)
        rising = all(np.diff(levels) > 0) and all(np.diff(values) > 0)
        if len(levels) < 2 or not inside or not rising or levels[0] <= 0 or levels[-1] >= 1:
            raise TheoryError(
                expected="two or more quantiles that rise with their levels, levels in (0, 1) and values "
                + ("above 0" if self.positive else "in (0, 1)"),
                got=", ".join(f"{level:g}: {value:g}" for level, value in self.quantiles),
                do="mend the quantiles",
            )

    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Straight lines through the given quantiles, the outer ones prolonged."""
        levels, values = (np.array(part) for part in zip(*self.quantiles, strict=True))
        scores, places = ndtri(levels), np.log(values) if self.positive else logit(values)
        score = np.asarray(ndtri(level))
        piece = np.clip(np.searchsorted(scores, score) - 1, 0, len(scores) - 2)
        slopes = np.diff(places) / np.diff(scores)
        place = places[piece] + slopes[piece] * (score - scores[piece])
        return np.exp(place) if self.positive else np.asarray(expit(place))

    def describe(self) -> str:
        """The quantiles."""
        return "elicited: " + ", ".join(f"{100 * level:g} % below {value:g}" for level, value in self.quantiles)


@dataclass(frozen=True, kw_only=True)
class Pooled(Distribution):
    """Experts' probabilities of one thing, pooled."""

    experts: Mapping[str, float]
    pooling: Pooling

    def quantile(self, level: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Of the pooled probability when as many experts are drawn from them, with replacement."""
        values, chances = bootstrap(list(self.experts.values()), self.pooling)
        place = np.searchsorted(np.cumsum(chances), level)
        return values[np.minimum(place, len(values) - 1)]

    def mean(self) -> float:
        """The pooled probability of the experts as they are."""
        return self.pooling.pool(list(self.experts.values()))

    def describe(self) -> str:
        """Who was pooled, and how."""
        return f"{len(self.experts)} experts, {self.pooling.describe()}"


def check_probabilities(name: str, distribution: Distribution) -> None:
    """Raises `TheoryError` where an input that is used as a probability can leave [0, 1]."""
    low, high = distribution.quantile(np.array([1e-12, 1 - 1e-12]))
    if low < 0 or high > 1:
        raise TheoryError(
            expected=f"the input {name!r} between 0 and 1, as it is used as a probability",
            got=f"{distribution.describe()}",
            do="mend the input",
        )


def elicited(quantiles: Sequence[tuple[float, float]], *, positive: bool = False) -> Elicited:
    """Quantiles in any order."""
    return Elicited(quantiles=tuple(sorted(quantiles)), positive=positive)
