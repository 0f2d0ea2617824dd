"""Linear programmes in the one form used here, solved by HiGHS.

maximise objective . x   subject to   rows x <= limits,  equal x = to,  x within bounds
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

INFEASIBLE, UNBOUNDED = 2, 3


class Solution(NamedTuple):
    """The optimum, the variables there, and what one more unit of each limit is worth (never negative)."""

    value: float
    variables: Float[np.ndarray, " variable"]
    prices: Float[np.ndarray, " row"]
    prices_equal: Float[np.ndarray, " equation"]
    prices_upper: Float[np.ndarray, " variable"]
    """the same for the variables' upper bounds"""


def maximise(
    objective: Float[np.ndarray, " variable"],
    *,
    rows: Any = None,
    limits: Any = None,
    equal: Any = None,
    to: Any = None,
    bounds: Any = (0, None),
) -> Solution | None:
    """The best feasible point; None where no point is feasible, or where the objective has no bound."""
    found = linprog(
        -objective, A_ub=rows, b_ub=limits, A_eq=equal, b_eq=to, bounds=bounds, method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    if found.status in (INFEASIBLE, UNBOUNDED):
        return None
    if found.status != 0:
        raise RuntimeError(f"HiGHS stopped: {found.message}")
    return Solution(
        -float(found.fun), found.x, -found.ineqlin.marginals, -found.eqlin.marginals, -found.upper.marginals
    )
