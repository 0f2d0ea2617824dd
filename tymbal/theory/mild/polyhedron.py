"""Changes within a polyhedron `{d : rows d <= limits}`, by linear programming.

For a fixed policy the worst change is a linear programme; its dual, `min limits . y` over `rows' y = -p, y >= 0`, joins
the choice of the policy in one programme. Where no policy has a finite worst case there is a direction in which the
utility of every action falls without end (Farkas), and the refusal names it.
"""

import numpy as np
from jaxtyping import Float

from tymbal.errors import TheoryError
from tymbal.theory.mild.checks import Numbers, Table, table, vector
from tymbal.theory.mild.maximin import AdversarySet, Maximin
from tymbal.theory.mild.programme import maximise


class Polyhedron(AdversarySet):
    """Every change `d` with `rows d <= limits`, one row a constraint and one column an action."""

    def __init__(self, rows: Table, limits: Numbers) -> None:
        self.rows = table(rows, "constraints")
        self.limits = vector(limits, "limits")
        self.actions = self.rows.shape[1]
        if len(self.rows) != len(self.limits):
            raise TheoryError(
                expected=f"one limit for each of {len(self.rows)} constraints",
                got=f"{len(self.limits)} limits",
                do="give as many limits as rows",
            )
        inside = maximise(np.zeros(self.actions), rows=self.rows, limits=self.limits, bounds=(None, None))
        if inside is None:
            raise TheoryError(
                expected="constraints that some change meets", got="an empty set", do="loosen one of the limits"
            )

    def solve(self, utility: Float[np.ndarray, " action"]) -> Maximin:
        """The maximin policy; raises `TheoryError` where there is no finite worst case."""
        constraints, actions = self.rows.shape
        found = maximise(
            np.concatenate([utility, -self.limits]),
            equal=np.vstack(
                [
                    np.hstack([np.eye(actions), self.rows.T]),
                    np.concatenate([np.ones(actions), np.zeros(constraints)]),
                ]
            ),
            to=np.append(np.zeros(actions), 1.0),
        )
        if found is None:
            raise self._no_finite_worst_case()
        # The price of `p + rows' y = 0` is the change that the adversary makes, with its sign turned.
        change = -found.prices_equal[:actions]
        return Maximin(policy=found.variables[:actions], value=found.value, adversary=utility + change)

    def worst(self, policy: Float[np.ndarray, " action"], utility: Float[np.ndarray, " action"]) -> float:
        """Its expected utility under the worst change."""
        found = maximise(-policy, rows=self.rows, limits=self.limits, bounds=(None, None))
        return -np.inf if found is None else float(policy @ utility) - found.value

    def _no_finite_worst_case(self) -> TheoryError:
        falling = maximise(
            np.zeros(self.actions), rows=self.rows, limits=np.zeros(len(self.limits)), bounds=(None, -1.0)
        )
        assert falling is not None, "by Farkas' lemma one of the two programmes is feasible"
        shown = ", ".join(f"{part:.3g}" for part in falling.variables[:6]) + (", …" if self.actions > 6 else "")
        return TheoryError(
            expected="an adversary that cannot lower every action without end",
            got=f"an unbounded set: along the direction ({shown}) each action's utility falls for ever, so no policy "
            "has a finite worst case",
            do="add a constraint that bounds that direction",
        )
