"""How numbers and names read."""

import numpy as np


def percent(value: float) -> str:
    """A probability with two digits that count: 18 %, 5.1 %, 0.13 %."""
    if value == 0:
        return "0 %"
    scaled = 100 * value
    digits = max(0, 1 - int(np.floor(np.log10(abs(scaled)) + 1e-9)))
    return f"{scaled:.{min(digits, 6)}f} %"


def named(name: str) -> str:
    """An input's or event's name as words."""
    return name.replace("_", " ")
