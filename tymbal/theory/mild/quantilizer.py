"""The quantilizer: the best policy whose probabilities are at most `1/q` times those of a base.

    maximise E_p[U]   subject to   p <= base / q

It takes actions from the best downwards until they hold a share `q` of the base, and draws among them as the base
would; actions that tie at the cut are taken in part, all in the same proportion. Only the cut has to be found, so the
actions are not sorted: pivots out of a sample bracket it, and all but a few actions fall away in one pass.

Source: Taylor 2016, "Quantilizers: A Safer Alternative to Maximizers for Limited Optimization".
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tymbal.theory.mild.checks import Numbers, distribution, require_same_length, require_share, vector

SAMPLE = 2_048
SORTED = 8_192
"""Actions so few that sorting them is quickest."""


class Quantilized(NamedTuple):
    """A policy, its expected utility, and the utility at the cut: better actions are taken whole, worse ones not."""

    policy: Float[np.ndarray, " action"]
    value: float
    cut: float


def quantilize(utility: Numbers, base: Numbers, q: float) -> Quantilized:
    """The q-quantilizer of a utility over a base distribution, in time linear in the actions.

    Raises `TheoryError` for probabilities that are none and for a q outside (0, 1].
    """
    worth, base = vector(utility, "utilities"), distribution(base, "base probabilities")
    require_same_length(worth, len(base), "utilities, as many as base probabilities")
    return top_share(worth, base, require_share(q, "q"))


def top_share(utility: Float[np.ndarray, " action"], base: Float[np.ndarray, " action"], q: float) -> Quantilized:
    """The quantilizer of inputs that have been checked."""
    cut = upper_quantile(utility, base, q)
    better, tied = utility > cut, utility == cut
    taken = np.where(better, base, 0.0)
    at_cut = float(base @ tied)
    if at_cut > 0:
        part = (q - float(taken.sum())) / at_cut
        taken += np.where(tied, base * min(max(part, 0.0), 1.0), 0.0)
    policy = taken / taken.sum()
    return Quantilized(policy, float(policy @ utility), cut)


def upper_quantile(utility: Float[np.ndarray, " action"], base: Float[np.ndarray, " action"], q: float) -> float:
    """The largest u for which actions of utility u or more hold at least a share q of the base."""
    keep = base > 0
    values, weights = (utility, base) if keep.all() else (utility[keep], base[keep])
    wanted = q
    random = np.random.default_rng(0)
    while len(values) > SORTED:
        low, high = _bracket(values, weights, wanted, random)
        above, below = values > high, values < low
        mass_above = float(weights[above].sum())
        inside = ~(above | below)
        mass_inside = float(weights[inside].sum())
        if mass_above >= wanted:
            kept = above
        elif mass_above + mass_inside < wanted and below.any():
            kept, wanted = below, wanted - mass_above - mass_inside
        elif low == high:
            return low
        else:
            kept, wanted = inside, wanted - mass_above
        if kept.all():
            break
        values, weights = values[kept], weights[kept]
    order = np.argsort(-values, kind="stable")
    # A rounding error of the sums may ask for a little more than there is: then the worst action is the cut.
    place = min(int(np.searchsorted(np.cumsum(weights[order]), wanted * (1 - 1e-15))), len(values) - 1)
    return float(values[order[place]])


def _bracket(
    values: Float[np.ndarray, " action"],
    weights: Float[np.ndarray, " action"],
    wanted: float,
    random: np.random.Generator,
) -> tuple[float, float]:
    """Two utilities that probably hold the cut between them, judged by a sample."""
    places = random.integers(len(values), size=SAMPLE)
    order = np.argsort(-values[places])
    sample, held = values[places][order], np.cumsum(weights[places][order])
    target = wanted / float(weights.sum())
    # Four standard errors of a share estimated from SAMPLE actions of unequal weight.
    slack = (
        4 * np.sqrt(float((weights[places] ** 2).sum())) / held[-1] * np.sqrt(max(target * (1 - target), 1 / SAMPLE))
    )
    first, last = np.searchsorted(held / held[-1], [target - slack, target + slack])
    top, bottom = sample[max(int(first) - 1, 0)], sample[min(int(last) + 1, SAMPLE - 1)]
    # At either end the sample says nothing of what lies beyond it.
    return float(bottom if last < SAMPLE - 1 else values.min()), float(top if first > 0 else values.max())
