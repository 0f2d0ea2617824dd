"""The coefficient of the sparsity penalty, adjusted while training until as many features are active as asked for.

    log coefficient = integral + PROPORTIONAL · error          error = log(mean L0 of the batch / k), at most ±1
    integral += INTEGRAL · error, each step

The integral removes what is left of the error; the proportional part damps it.
"""

import math

START = 0.01
PROPORTIONAL, INTEGRAL = 0.5, 0.02


class Controller:
    """A proportional-integral controller on the logarithm of the coefficient."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.integral = math.log(START)
        self.coefficient = START
        """What the penalty is multiplied by in the next step."""

    def observe(self, l0: float) -> None:
        """Adjust the coefficient to the mean L0 of a batch."""
        error = max(-1.0, min(1.0, math.log(max(l0, 1e-3) / self.k)))
        self.integral += INTEGRAL * error
        self.coefficient = math.exp(self.integral + PROPORTIONAL * error)
