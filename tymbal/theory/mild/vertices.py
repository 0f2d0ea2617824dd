"""Finitely many changes, any mixture of them, and the worst share of a distribution over them (CVaR).

`Vertices` is a matrix game: the policy mixes actions, the adversary mixes the listed changes. `Tail` gives the
adversary a distribution over the changes and lets it keep only the worst share of it for each policy: it mixes them
with weights at most `weight / share`, the quantilizer's own constraint on the other side of the table. The programme
is Rockafellar and Uryasev's (2000, "Optimization of conditional value-at-risk").
"""

import numpy as np
from jaxtyping import Float

from tymbal.theory.mild.checks import Numbers, Table, distribution, require_same_length, require_share, table
from tymbal.theory.mild.maximin import AdversarySet, Maximin
from tymbal.theory.mild.programme import maximise


class Vertices(AdversarySet):
    """The listed changes, one row each, and every mixture of them."""

    def __init__(self, changes: Table) -> None:
        self.changes = table(changes, "changes")
        self.actions = self.changes.shape[1]

    def solve(self, utility: Float[np.ndarray, " action"]) -> Maximin:
        """The row player's optimal mixture of the game `utility + change`."""
        count, actions = self.changes.shape
        rows = np.hstack([np.ones((count, 1)), -(utility + self.changes)])  # value - E_p[utility + change] <= 0
        found = maximise(
            np.append(1.0, np.zeros(actions)),
            rows=rows,
            limits=np.zeros(count),
            equal=np.append(0.0, np.ones(actions))[None],
            to=np.ones(1),
            bounds=[(None, None)] + [(0, None)] * actions,
        )
        assert found is not None, "a matrix game has a value"
        return Maximin(policy=found.variables[1:], value=found.value, adversary=utility + found.prices @ self.changes)

    def worst(self, policy: Float[np.ndarray, " action"], utility: Float[np.ndarray, " action"]) -> float:
        """Its expected utility under the worst of the changes."""
        return float(policy @ utility + (self.changes @ policy).min())


class Tail(AdversarySet):
    """The worst `share` of a distribution over the listed changes, one row each; share 1 is the plain mean."""

    def __init__(self, changes: Table, weights: Numbers, *, share: float) -> None:
        self.changes = table(changes, "changes")
        self.weights = distribution(weights, "weights of the changes")
        require_same_length(self.weights, len(self.changes), "weights, as many as changes")
        self.share = require_share(share, "the share")
        self.actions = self.changes.shape[1]

    def solve(self, utility: Float[np.ndarray, " action"]) -> Maximin:
        """The policy with the best mean over the worst share."""
        kept = self.weights > 0
        changes, weights = self.changes[kept], self.weights[kept]
        count, actions = changes.shape
        # Variables: a level, the policy, and by how much each change falls below the level.
        rows = np.hstack([np.ones((count, 1)), -(utility + changes), -np.eye(count)])
        found = maximise(
            np.concatenate([[1.0], np.zeros(actions), -weights / self.share]),
            rows=rows,
            limits=np.zeros(count),
            equal=np.concatenate([[0.0], np.ones(actions), np.zeros(count)])[None],
            to=np.ones(1),
            bounds=[(None, None)] + [(0, None)] * (actions + count),
        )
        assert found is not None, "a mean over finitely many finite utilities is finite"
        return Maximin(
            policy=found.variables[1 : 1 + actions], value=found.value, adversary=utility + found.prices @ changes
        )

    def worst(self, policy: Float[np.ndarray, " action"], utility: Float[np.ndarray, " action"]) -> float:
        """The mean of its expected utilities over the worst share of the changes."""
        outcomes = self.changes @ policy
        order = np.argsort(outcomes)
        before = np.cumsum(self.weights[order]) - self.weights[order]
        taken = np.clip(self.share - before, 0.0, self.weights[order])
        return float(policy @ utility + taken @ outcomes[order] / self.share)
