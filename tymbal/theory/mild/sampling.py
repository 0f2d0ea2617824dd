"""Mild sampling: texts drawn from a model and chosen by a proxy reward, by best-of-n and by a quantilizer.

Both make a text at most n times as likely as the model does (the quantilizer with q = 1/n), so both promise the same
against hidden costs: at most n times what the model itself would cost. The draws stand for the model's distribution.

    best-of-n     weight of a draw = F(its proxy)**n - F(just below it)**n, F the share of the model at or below
    quantilizer   the best share 1/n of the draws, equally likely among themselves

`hacking_curve` shows what optimising the proxy does to the true reward, where that is known. Sources: Gao, Schulman and
Hilton 2022, "Scaling laws for reward model overoptimization" (best-of-n against the true reward); Taylor 2016.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tymbal.theory.mild.checks import Numbers, distribution, require_same_length, vector
from tymbal.theory.mild.quantilizer import top_share


class Estimate(NamedTuple):
    """A mean with the 95 % interval of a bootstrap over draws."""

    value: float
    low: float
    high: float


class Pressure(NamedTuple):
    """What a way of choosing does at one pressure."""

    method: str
    n: float
    """how many times likelier than under the model a text becomes at most"""
    divergence: float
    """KL divergence from the model, in nats"""
    proxy: Estimate
    true: Estimate


def best_of(proxy: Numbers, n: float, base: Numbers | None = None) -> Float[np.ndarray, " draw"]:
    """The probability of each draw to be the best of n by the proxy; those that tie share as the base does."""
    scores = vector(proxy, "proxy rewards")
    weights = _base(scores, base)
    values, place = np.unique(scores, return_inverse=True)
    mass = np.bincount(place, weights, minlength=len(values))
    held = np.minimum(np.cumsum(mass), 1.0)
    gained = np.diff(held**n, prepend=0.0)
    chosen = np.where(weights > 0, weights * (gained / np.where(mass > 0, mass, 1))[place], 0.0)
    return chosen / chosen.sum()


def quantilized(proxy: Numbers, q: float, base: Numbers | None = None) -> Float[np.ndarray, " draw"]:
    """The probability of each draw under the q-quantilizer of the proxy."""
    scores = vector(proxy, "proxy rewards")
    return top_share(scores, _base(scores, base), q).policy


def divergence(policy: Float[np.ndarray, " draw"], base: Float[np.ndarray, " draw"]) -> float:
    """KL divergence of a policy from the base, in nats."""
    taken = policy > 0
    return float(policy[taken] @ np.log(policy[taken] / base[taken]))


def hacking_curve(
    proxy: Numbers, true: Numbers, pressures: Sequence[float], *, resamples: int = 400, seed: int = 0
) -> list[Pressure]:
    """Proxy and true reward under best-of-n and under the quantilizer, at each n of `pressures`, equal draws given."""
    scores, worth = vector(proxy, "proxy rewards"), vector(true, "true rewards")
    require_same_length(worth, len(scores), "true rewards, as many as proxy rewards")
    random = np.random.default_rng(seed)
    even = np.full(len(scores), 1 / len(scores))
    drawn = [even, *(random.multinomial(len(scores), even, size=resamples) / len(scores))]
    points = []
    for n in pressures:
        for method in ("best-of-n", "quantilizer"):
            policies = [
                best_of(scores, n, base) if method == "best-of-n" else quantilized(scores, 1 / n, base)
                for base in drawn
            ]
            points.append(
                Pressure(
                    method,
                    n,
                    divergence(policies[0], even),
                    _estimate([float(policy @ scores) for policy in policies]),
                    _estimate([float(policy @ worth) for policy in policies]),
                )
            )
    return points


def _estimate(values: list[float]) -> Estimate:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(values[0], float(low), float(high))


def _base(scores: Float[np.ndarray, " draw"], base: Numbers | None) -> Float[np.ndarray, " draw"]:
    if base is None:
        return np.full(len(scores), 1 / len(scores))
    weights = distribution(base, "base weights")
    require_same_length(weights, len(scores), "base weights, as many as proxy rewards")
    return weights
