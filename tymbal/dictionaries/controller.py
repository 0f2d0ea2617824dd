"""The coefficient of the sparsity penalty, adjusted while training until as many features are active as asked for.

    log coefficient = integral + PROPORTIONAL · error          error = log(mean L0 of the batch / k), at most ±1
    integral += error · min(FASTEST, INTEGRAL / steps), each step

The integral removes what is left of the error, within a few percent of a run; the proportional part damps it.
"""

import math

START = {"relu": 0.1, "gated": 0.1, "jumprelu": 0.005}
"""First coefficients: about what a feature is worth, in shares of the variance."""
PROPORTIONAL, INTEGRAL, FASTEST = 0.5, 20.0, 0.1


class Controller:
    """A proportional-integral controller on the logarithm of the coefficient."""

    def __init__(self, kind: str, k: int, steps: int) -> None:
        self.k, self.steps = k, steps
        self.coefficient = START.get(kind, 1.0)
        """What the penalty is multiplied by in the next step."""
        self.integral = math.log(self.coefficient)

    def observe(self, l0: float) -> None:
        """Adjust the coefficient to the mean L0 of a batch."""
        error = max(-1.0, min(1.0, math.log(max(l0, 1e-3) / self.k)))
        self.integral += error * min(FASTEST, INTEGRAL / self.steps)
        self.coefficient = math.exp(self.integral + PROPORTIONAL * error)
