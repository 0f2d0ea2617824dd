"""What the mild optimisers ask of their inputs; every refusal is a `TheoryError`."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from tymbal.errors import TheoryError

Numbers = Sequence[float] | np.ndarray
"""One number an action."""
Table = Sequence[Sequence[float]] | np.ndarray
"""One row of numbers each."""

TOLERANCE = 1e-9
"""How far probabilities may be from summing to one; nearer ones are rescaled."""


def distribution(values: Numbers, what: str) -> Float[np.ndarray, " action"]:
    """Probabilities as an array that sums to one."""
    array = vector(values, what)
    total = float(array.sum())
    if array.min() < 0:
        raise TheoryError(expected=f"{what} between 0 and 1", got=f"{array.min():g}", do="mend that probability")
    if abs(total - 1) > TOLERANCE:
        raise TheoryError(expected=f"{what} that sum to 1", got=f"a sum of {total:.12g}", do="divide them by their sum")
    return array / total


def vector(values: Numbers, what: str) -> Float[np.ndarray, " action"]:
    """Finite numbers as an array of one axis, at least one long."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not len(array):
        raise TheoryError(
            expected=f"{what} as one list", got=f"the shape {array.shape}", do="give one number an action"
        )
    if not np.isfinite(array).all():
        raise TheoryError(expected=f"finite {what}", got="NaN or infinity among them", do="leave that action out")
    return array


def table(values: Table, what: str) -> Float[np.ndarray, "row action"]:
    """Finite numbers as a table of at least one row."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or not array.size:
        raise TheoryError(expected=f"{what} as a table", got=f"the shape {array.shape}", do="give one row each")
    if not np.isfinite(array).all():
        raise TheoryError(expected=f"finite {what}", got="NaN or infinity among them", do="leave that row out")
    return array


def require_share(value: float, what: str) -> float:
    """A share in (0, 1]."""
    if not 0 < value <= 1:
        raise TheoryError(
            expected=f"{what} above 0 and at most 1", got=f"{value:g}", do="take 1 for no pressure, less for more"
        )
    return float(value)


def require_same_length(values: Float[np.ndarray, " number"], count: int, what: str) -> None:
    """As many numbers as the set has."""
    if len(values) != count:
        raise TheoryError(
            expected=f"{count} {what}", got=f"{len(values)}", do="give one number each, in the order of the set"
        )
