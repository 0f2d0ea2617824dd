"""One probability out of several experts': arithmetic mean, geometric mean of odds, median, and Neyman's extremised.

Neyman's moves the mean log-odds away from a prior by the factor d(n), which grows from 1 for one expert towards
sqrt 3 for many: experts who know different things are, together, surer than each of them.

    d(n) = n (sqrt(3 n² - 3 n + 1) - 2) / (n² - n - 1)

Sources: Genest and Zidek 1986 (pooling); Satopää et al. 2014 and Sevilla 2021 (geometric mean of odds); Neyman and
Roughgarden 2021, "Are You Smarter Than a Random Expert? The Robust Aggregation of Substitutable Signals"
(arXiv 2111.03153), whose factor is derived for the mean of the experts' reports and is used on log-odds here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb, factorial
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit

from tymbal.errors import TheoryError, listed

Method = Literal["arithmetic", "geometric odds", "median", "neyman"]
METHODS: tuple[Method, ...] = get_args(Method)
LISTED = 5_000
"""Ways of drawing experts that are listed in full; beyond, as many are drawn at random."""


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """How experts are pooled."""

    method: Method = "geometric odds"
    prior: float = 0.5
    """the probability that Neyman's method moves away from"""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise TheoryError(
                expected=f"a pooling method among {listed(METHODS)}", got=repr(self.method), do="name one of them"
            )
        if not 0 < self.prior < 1:
            raise TheoryError(expected="a prior between 0 and 1", got=f"{self.prior:g}", do="take .5 for none")

    def pool(self, experts: Sequence[float]) -> float:
        """The pooled probability; raises `TheoryError` for probabilities that cannot be pooled this way."""
        return float(self.pool_rows(_probabilities(experts, self.method)[None])[0])

    def pool_rows(self, experts: Float[np.ndarray, "row expert"]) -> Float[np.ndarray, " row"]:
        """The pooled probability of each row of experts."""
        if self.method == "arithmetic":
            return experts.mean(1)
        if self.method == "median":
            return np.median(experts, axis=1)
        log_odds = logit(experts).mean(1)
        if self.method == "neyman":
            prior = logit(self.prior)
            log_odds = prior + neyman_factor(experts.shape[1]) * (log_odds - prior)
        return np.asarray(expit(log_odds))

    def describe(self) -> str:
        """The method in words."""
        return {
            "arithmetic": "arithmetic mean",
            "geometric odds": "geometric mean of odds",
            "median": "median",
            "neyman": f"log-odds extremised from {self.prior:g} (Neyman)",
        }[self.method]


def neyman_factor(experts: int) -> float:
    """How far the mean of `experts` log-odds is moved away from the prior, in units of its own distance."""
    n = experts
    return n * (np.sqrt(3 * n * n - 3 * n + 1) - 2) / (n * n - n - 1)


def bootstrap(
    experts: Sequence[float], pooling: Pooling
) -> tuple[Float[np.ndarray, " value"], Float[np.ndarray, " value"]]:
    """Pooled values of as many experts drawn with replacement, rising, and the chance of each."""
    given = _probabilities(experts, pooling.method)
    count = len(given)
    if comb(2 * count - 1, count) <= LISTED:
        draws = np.array(list(combinations_with_replacement(range(count), count)))
        times = np.array([np.bincount(draw, minlength=count) for draw in draws])
        chances = np.array([factorial(count) / np.prod([factorial(int(t)) for t in row]) for row in times])
    else:
        draws = np.random.default_rng(0).integers(count, size=(LISTED, count))
        chances = np.ones(LISTED)
    values = pooling.pool_rows(given[draws])
    order = np.argsort(values, kind="stable")
    return values[order], chances[order] / chances.sum()


def _probabilities(experts: Sequence[float], method: Method) -> Float[np.ndarray, " expert"]:
    given = np.asarray(experts, dtype=float)
    if given.ndim != 1 or not len(given):
        raise TheoryError(expected="one probability an expert", got="none", do="name at least one expert")
    on_edge = method in ("geometric odds", "neyman")
    fine = (given > 0) & (given < 1) if on_edge else (given >= 0) & (given <= 1)
    if not fine.all():
        raise TheoryError(
            expected="experts' probabilities " + ("between 0 and 1, both left out" if on_edge else "in [0, 1]"),
            got=f"{given[~fine][0]:g}",
            do="ask that expert again" + (", or pool by the arithmetic mean" if on_edge else ""),
        )
    return given
