"""What drives a number: Sobol' indices, Shapley effects, and a tornado, of one structure's uncertain inputs.

    first      share of the variance that goes when the input becomes known        (independent inputs)
    total      share that stays when all the others become known                   (independent inputs)
    shapley    the input's fair share of the variance; all of them sum to one, correlated or not
    tornado    the mean outcome with the input held at its 5 % and at its 95 % quantile, the others following

Sobol' indices are SALib's. Shapley effects need c(J), the variance of E[outcome | inputs in J], of every set J: the
covariance of two outcomes that share the inputs in J and draw the others anew given those. Under a Gaussian copula that
is a Cholesky factor with J's rows first. Beyond `EXACT` inputs the sets come from random orders.

Sources: Saltelli et al. 2010; Herman and Usher 2017 (SALib); Owen 2014 and Song, Nelson and Staum 2016 (Shapley).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from tymbal.errors import MissingExtraError
from tymbal.theory.risk.distributions import Distribution
from tymbal.theory.risk.draws import TINY, Estimate, certain_values, normal_scores, scrambled
from tymbal.theory.risk.model import Variant
from tymbal.theory.risk.network import probabilities

EXACT = 8
ORDERS = 64
KNOTS = 4_001
REACH = 6.5
"""Normal scores that are tabulated, on either side."""

Outcome = Callable[[Float[np.ndarray, "point input"]], Float[np.ndarray, " point"]]


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One input's part in the uncertainty of the outcome. Sobol' indices are None where inputs are correlated."""

    name: str
    shapley: Estimate
    first: Estimate | None
    total: Estimate | None
    low: Estimate
    """mean outcome with the input at its 5 % quantile"""
    high: Estimate
    """mean outcome with the input at its 95 % quantile"""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Points spent on drivers."""

    sobol_points: int = 2**14
    """points of SALib's design, times the number of inputs and two"""
    shapley_points: int = 2**11
    """points for each set of inputs and scramble"""
    scrambles: int = 8
    """scrambles behind the intervals of Shapley effects and tornado"""
    seed: int = 0


def drivers(variant: Variant, effort: Effort | None = None) -> tuple[Driver, ...]:
    """Every uncertain input's part, the largest Shapley effect first; nothing where nothing is uncertain."""
    effort = effort or Effort()
    names = variant.uncertain()
    if not names:
        return ()
    correlation = variant.correlation_matrix(names)
    tables = [_table(variant.inputs[name].belief) for name in names]
    fixed = certain_values(variant.inputs, 1)

    def of_scores(scores: Float[np.ndarray, "point input"]) -> Float[np.ndarray, " point"]:
        values = {name: table(scores[:, place]) for place, (name, table) in enumerate(zip(names, tables, strict=True))}
        return probabilities(variant, {**values, **fixed}).outcome

    shares = shapley_effects(of_scores, correlation, effort)
    first = total = None
    if np.array_equal(correlation, np.eye(len(names))):
        first, total = sobol_indices(lambda levels: of_scores(np.asarray(ndtri(levels))), names, effort)
    swings = _tornado(of_scores, correlation, effort)
    found = [
        Driver(
            name=name,
            shapley=shares[place],
            first=first[place] if first else None,
            total=total[place] if total else None,
            low=swings[place][0],
            high=swings[place][1],
        )
        for place, name in enumerate(names)
    ]
    return tuple(sorted(found, key=lambda driver: -driver.shapley.value))


def sobol_indices(outcome: Outcome, names: Sequence[str], effort: Effort) -> tuple[list[Estimate], list[Estimate]]:
    """First-order and total indices of a function of independent uniform inputs, with SALib's bootstrap intervals.

    Raises `MissingExtraError` without SALib.
    """
    try:
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as design
    except ModuleNotFoundError as error:
        raise MissingExtraError("SALib", "theory") from error
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[TINY, 1 - TINY]] * len(names)}
    points = design.sample(problem, effort.sobol_points, calc_second_order=False, seed=effort.seed)
    found = analysis.analyze(
        problem, outcome(np.clip(points, TINY, 1 - TINY)), calc_second_order=False, seed=effort.seed
    )  # fmt: skip
    return _estimates(found["S1"], found["S1_conf"]), _estimates(found["ST"], found["ST_conf"])


def _estimates(values: Iterable[float], reaches: Iterable[float]) -> list[Estimate]:
    return [
        Estimate(value=float(value), low=float(value - reach), high=float(value + reach))
        for value, reach in zip(values, reaches, strict=True)
    ]


def shapley_effects(outcome: Outcome, correlation: Float[np.ndarray, "input input"], effort: Effort) -> list[Estimate]:
    """Shares of the variance of a function of correlated normal scores; they sum to one in every scramble."""
    count = len(correlation)
    repeats = []
    for repeat in range(effort.scrambles):
        points = scrambled(2 * count, effort.shapley_points, effort.seed + repeat)
        explained = _Explained(outcome, correlation, np.asarray(ndtri(points)))
        shares = _exact_shares(explained, count) if count <= EXACT else _sampled_shares(explained, count, repeat)
        repeats.append(shares / shares.sum())
    return [Estimate.of(column) for column in np.array(repeats).T]


class _Explained:
    """The variance that each set of inputs explains, computed once."""

    def __init__(
        self, outcome: Outcome, correlation: Float[np.ndarray, "input input"], normal: Float[np.ndarray, "point double"]
    ) -> None:
        self.outcome, self.correlation = outcome, correlation
        self.first, self.second = np.hsplit(normal, 2)
        self.known: dict[frozenset[int], float] = {frozenset(): 0.0}

    def __call__(self, chosen: frozenset[int]) -> float:
        if chosen not in self.known:
            count = len(self.correlation)
            order = [*sorted(chosen), *sorted(set(range(count)) - chosen)]
            factor = np.linalg.cholesky(self.correlation[np.ix_(order, order)])
            again = self.second.copy()
            again[:, : len(chosen)] = self.first[:, : len(chosen)]
            back = np.argsort(order)
            one, other = (self.outcome((scores @ factor.T)[:, back]) for scores in (self.first, again))
            centre = (one.mean() + other.mean()) / 2
            self.known[chosen] = float(((one - centre) * (other - centre)).mean())
        return self.known[chosen]


def _exact_shares(explained: _Explained, count: int) -> Float[np.ndarray, " input"]:
    shares = np.zeros(count)
    for size in range(count):
        for chosen in combinations(range(count), size):
            before = explained(frozenset(chosen))
            for more in set(range(count)) - set(chosen):
                gain = explained(frozenset({*chosen, more})) - before
                shares[more] += gain / (count * comb(count - 1, size))
    return shares


def _sampled_shares(explained: _Explained, count: int, seed: int) -> Float[np.ndarray, " input"]:
    random = np.random.default_rng(seed)
    shares = np.zeros(count)
    for _ in range(ORDERS):
        chosen: frozenset[int] = frozenset()
        for more in random.permutation(count).tolist():
            wider = chosen | {more}
            shares[more] += (explained(wider) - explained(chosen)) / ORDERS
            chosen = wider
    return shares


def _tornado(
    outcome: Outcome, correlation: Float[np.ndarray, "input input"], effort: Effort
) -> list[tuple[Estimate, Estimate]]:
    count = len(correlation)
    swings = []
    for place in range(count):
        order = [place, *(other for other in range(count) if other != place)]
        matrix = correlation[np.ix_(order, order)]
        means: dict[float, list[float]] = {0.05: [], 0.95: []}
        for repeat in range(effort.scrambles):
            points = scrambled(count, effort.shapley_points, effort.seed + repeat)
            for level, found in means.items():
                points[:, 0] = level
                found.append(float(outcome(normal_scores(points, matrix)[:, np.argsort(order)]).mean()))
        swings.append((Estimate.of(means[0.05]), Estimate.of(means[0.95])))
    return swings


def _table(belief: Distribution) -> Callable[[Float[np.ndarray, " point"]], Float[np.ndarray, " point"]]:
    """A quantile function over normal scores by linear interpolation: errors of 1e-6, far below those of sampling."""
    scores = np.linspace(-REACH, REACH, KNOTS)
    values = belief.quantile(np.clip(np.asarray(ndtr(scores)), TINY, 1 - TINY))
    return lambda wanted: np.interp(wanted, scores, values)
