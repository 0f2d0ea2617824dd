"""Points to evaluate a model at: scrambled Sobol' points, correlated by a Gaussian copula.

The points come in independent scrambles. Each scramble is a fair sample of its own, so that the spread of the
scrambles' means says how exact their common mean is. Sources: Owen 1998, "Scrambling Sobol' and Niederreiter-Xing
points"; L'Ecuyer 2018, "Randomized quasi-Monte Carlo".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri
from scipy.stats import qmc, t

from tymbal.errors import TheoryError
from tymbal.theory.risk.model import Input, Variant

TINY = 2.0**-54
"""Points are kept this far from 0 and 1, where some quantiles are infinite."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How many points a model is evaluated at."""

    points: int = 4_096
    """points of one scramble, a power of two"""
    scrambles: int = 16
    """independent scrambles"""
    seed: int = 0
    """of the scrambles"""

    def __post_init__(self) -> None:
        if self.points < 2 or self.points & (self.points - 1) or self.scrambles < 2:
            raise TheoryError(
                expected="a power of two of points, and at least two scrambles",
                got=f"{self.points:,} points and {self.scrambles} scrambles",
                do="take 4096 points, say",
            )


def scrambled(dimensions: int, points: int, seed: int) -> Float[np.ndarray, "point dimension"]:
    """One scramble of Sobol' points in the open unit cube."""
    if dimensions == 0:
        return np.zeros((points, 0))
    drawn = qmc.Sobol(dimensions, scramble=True, bits=53, rng=np.random.default_rng(seed)).random(points)
    return np.clip(drawn, TINY, 1 - TINY)


def normal_scores(
    points: Float[np.ndarray, "point dimension"], correlation: Float[np.ndarray, "dimension dimension"]
) -> Float[np.ndarray, "point dimension"]:
    """Independent uniform points as correlated standard normal ones."""
    scores = np.asarray(ndtri(points))
    return (
        scores if np.array_equal(correlation, np.eye(len(correlation))) else scores @ np.linalg.cholesky(correlation).T
    )


def input_values(
    variant: Variant, names: Sequence[str], points: Float[np.ndarray, "point dimension"]
) -> dict[str, Float[np.ndarray, " point"]]:
    """Values of the named inputs at uniform points, correlated as the variant says, and of its certain ones."""
    correlation = variant.correlation_matrix(tuple(names))
    levels = points
    if not np.array_equal(correlation, np.eye(len(names))):
        levels = np.clip(np.asarray(ndtr(normal_scores(points, correlation))), TINY, 1 - TINY)
    values = {name: variant.inputs[name].belief.quantile(levels[:, place]) for place, name in enumerate(names)}
    return values | certain_values(variant.inputs, len(points))


def certain_values(inputs: Mapping[str, Input], points: int) -> dict[str, Float[np.ndarray, " point"]]:
    """The inputs that are held to be known, at each point."""
    return {
        name: given.belief.quantile(np.full(points, 0.5)) for name, given in inputs.items() if given.belief.certain()
    }


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval, which says how exactly it was computed, not how uncertain the world is."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, repeats: Sequence[float] | Float[np.ndarray, " repeat"]) -> "Estimate":
        """The mean of independent repeats, with Student's interval."""
        values = np.asarray(repeats, dtype=float)
        reach = 0.0
        if len(values) > 1:
            reach = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
        mean = float(values.mean())
        return cls(value=mean, low=mean - reach, high=mean + reach)
