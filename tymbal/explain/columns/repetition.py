"""A column of what the passage has held before: the same token, the same pair of tokens."""

import numpy as np
from numpy import ndarray

from tymbal.explain.text import Column, Text


def repetition(text: Text) -> Column:
    """Whether a token, the token before it, or the pair of both was seen earlier in the passage.

    A pair that was seen earlier is what an induction head looks for: A B ... A, and now B.
    """
    passage = text.passage.astype(np.int64)
    token = text.token.astype(np.int64)
    size = len(text.vocabulary)
    goes_on = text.goes_on
    seen = _seen(passage * size + token)
    before = np.append(False, seen[:-1])[: len(text)] & goes_on
    previous = np.append(0, token[:-1])[: len(text)]
    # Pairs are numbered within the passages, so that the numbers stay small enough to be exact.
    kinds, number = np.unique(previous * size + token, return_inverse=True)
    pair = _seen(np.where(goes_on, passage * len(kinds) + number, -1 - np.arange(len(text))))
    found = {"token": seen, "new": ~seen, "pair": pair & goes_on, "after": before, "broken": before & ~pair}
    return Column.of_rows({value: np.flatnonzero(holds) for value, holds in found.items()})


def _seen(keys: ndarray) -> ndarray:
    """For each place, whether its key stands at an earlier one."""
    _, first = np.unique(keys, return_index=True)
    seen = np.ones(len(keys), dtype=bool)
    seen[first] = False
    return seen
