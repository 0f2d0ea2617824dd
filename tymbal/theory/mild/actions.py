"""Actions to choose among, from a table (CSV) with the columns `action`, `base` and `utility`."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from tymbal.errors import TheoryError, listed
from tymbal.theory.mild.checks import distribution, vector

COLUMNS = ("action", "base", "utility")


class Actions(NamedTuple):
    """Names, base probabilities and utilities."""

    names: tuple[str, ...]
    base: Float[np.ndarray, " action"]
    utility: Float[np.ndarray, " action"]


def read_actions(path: Path) -> Actions:
    """The actions of a table; raises `TheoryError` with the line of what cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TheoryError(
            expected="a table (CSV) of actions", got=f"{path}, which cannot be read", do="check the name"
        ) from error
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise TheoryError(
            expected=f"the columns {listed(COLUMNS)}",
            got=f"no {listed(missing)} in {path}",
            do="name them in its first line",
        )
    names, numbers = [], []
    for row in rows:
        names.append(row["action"] or "")
        try:
            numbers.append((float(row["base"]), float(row["utility"])))
        except (TypeError, ValueError) as error:
            raise TheoryError(
                expected="numbers as base and utility",
                got=f"{row['base']!r} and {row['utility']!r} in line {rows.line_num}",
                do="mend that line",
            ) from error
    table = np.array(numbers, dtype=float).reshape(-1, 2)
    return Actions(tuple(names), distribution(table[:, 0], "base probabilities"), vector(table[:, 1], "utilities"))
