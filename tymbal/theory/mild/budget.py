"""Hidden costs under a budget: `{c >= 0, E_base[c] <= b}`.

A policy loses at the worst `b` times its largest ratio to the base. The maximin policy is the base conditioned on the
actions whose utility exceeds a water level u, where the level is what the budget can shave off:

    E_base[max(U - u, 0)] = b          value u          adversary's cost max(U - u, 0)

It is a quantilizer whose q is the base's share above the level.
"""

import numpy as np
from jaxtyping import Float

from tymbal.errors import TheoryError
from tymbal.theory.mild.checks import Numbers, distribution
from tymbal.theory.mild.maximin import AdversarySet, Maximin
from tymbal.theory.mild.quantilizer import top_share


class Budget(AdversarySet):
    """All hidden costs of which the base would pay at most `budget` on average, in units of utility."""

    def __init__(self, base: Numbers, *, budget: float) -> None:
        if not 0 <= budget < np.inf:
            raise TheoryError(
                expected="a finite budget of 0 or more",
                got=f"{budget:g}",
                do="give what the base may lose on average, in units of utility",
            )
        self.base = distribution(base, "base probabilities")
        self.budget = float(budget)
        self.actions = len(self.base)

    def solve(self, utility: Float[np.ndarray, " action"]) -> Maximin:
        """The base conditioned on actions above the water level."""
        level, above = water_level(utility, self.base, self.budget)
        policy = top_share(utility, self.base, above).policy
        return Maximin(policy=policy, value=level, adversary=np.minimum(utility, level))

    def worst(self, policy: Float[np.ndarray, " action"], utility: Float[np.ndarray, " action"]) -> float:
        """Its expected utility less the budget spent where it exceeds the base most."""
        taken = policy > 0
        if (self.base[taken] == 0).any():
            return -np.inf
        return float(policy @ utility - self.budget * (policy[taken] / self.base[taken]).max())


def water_level(
    utility: Float[np.ndarray, " action"], base: Float[np.ndarray, " action"], budget: float
) -> tuple[float, float]:
    """The level u with `E_base[max(U - u, 0)] = budget`, and the base's share of actions above it (at least one)."""
    support = np.flatnonzero(base > 0)
    order = support[np.argsort(-utility[support], kind="stable")]
    worth, weight = utility[order], base[order]
    held = np.cumsum(weight)
    # What it costs to shave the best actions down to the utility of the next one.
    cost = np.append(np.cumsum(held[:-1] * -np.diff(worth)), np.inf)
    last = int(np.searchsorted(cost, budget))
    spent = float(cost[last - 1]) if last else 0.0
    share = min(float(held[last]), 1.0)
    return float(worth[last] - (budget - spent) / share), share
