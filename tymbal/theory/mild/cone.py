"""The cone of hidden costs: `{c >= 0}`, repaid by the same constant `E_base[c] / q` whatever is done.

The changes are `d = -c + E_base[c] / q`. A policy has a finite worst case exactly when `p <= base / q`, and is then
worth `E_p[U]`: the maximin policy is the q-quantilizer. The adversary charges each action what it is worth beyond the
cut u, `c = max(U - u, 0)`, which leaves nothing to choose between the actions that the policy takes.
"""

import numpy as np
from jaxtyping import Float

from tymbal.theory.mild.checks import Numbers, distribution, require_share
from tymbal.theory.mild.maximin import AdversarySet, Maximin
from tymbal.theory.mild.quantilizer import top_share

ROUNDING = 1e-12


class Cone(AdversarySet):
    """All hidden costs, repaid at `1/q` times what the base would pay."""

    def __init__(self, base: Numbers, *, q: float) -> None:
        self.base = distribution(base, "base probabilities")
        self.q = require_share(q, "q")
        self.actions = len(self.base)

    def solve(self, utility: Float[np.ndarray, " action"]) -> Maximin:
        """The q-quantilizer."""
        found = top_share(utility, self.base, self.q)
        repaid = float(self.base @ np.maximum(utility - found.cut, 0)) / self.q
        return Maximin(policy=found.policy, value=found.value, adversary=np.minimum(utility, found.cut) + repaid)

    def worst(self, policy: Float[np.ndarray, " action"], utility: Float[np.ndarray, " action"]) -> float:
        """Its expected utility, or -inf where it takes some action more than `1/q` times as often as the base."""
        within = (policy * self.q <= self.base * (1 + ROUNDING) + ROUNDING).all()
        return float(policy @ utility) if within else -np.inf
