"""A column of where a token stands: in its passage, in its sentence, on its line."""

from collections.abc import Callable

import numpy as np
from numpy import ndarray

from tymbal.explain.text import Column, Text

EXACT = 4
"""tokens of a passage, and words of a sentence, that are counted one by one"""
REACHES = (8, 16, 32)
BEYOND = (64, 128)
ENDS = frozenset(".!?…。！？")
"""marks that end a sentence"""


def place(text: Text) -> Column:
    """Counted from the beginning of the passage, in tokens; of the sentence and of the line, in words."""
    rank = text.rank
    found = {f"passage {number + 1}": rank == number for number in range(EXACT)}
    found |= {f"passage first {reach}": rank < reach for reach in REACHES}
    found |= {f"passage beyond {reach}": rank >= reach for reach in BEYOND}
    sentence = _word_rank(text, _ending(text, lambda own: own[-1:] in ENDS or "\n" in own))
    found |= {f"sentence {number + 1}": sentence == number for number in range(EXACT)}
    line = _word_rank(text, _ending(text, lambda own: "\n" in own))
    found["line 1"] = line == 0
    return Column.of_rows({value: np.flatnonzero(holds) for value, holds in found.items()})


def _ending(text: Text, ends: Callable[[str], bool]) -> ndarray:
    """For each row, whether its token ends what is counted."""
    return np.array([bool(ends(own.rstrip(" "))) for own in text.vocabulary], dtype=bool)[text.token]


def _word_rank(text: Text, ends: ndarray) -> ndarray:
    """How many words stand before each token's own since the last end or the passage's beginning; -1 for marks."""
    lettered = np.array([own.strip()[:1].isalnum() for own in text.vocabulary], dtype=bool)[text.token]
    counted = text.words.begins & lettered
    opens = ~text.goes_on | np.append(True, ends[:-1])[: len(text)]
    before = np.cumsum(counted) - counted
    since = before - np.maximum.accumulate(np.where(opens, before, 0))
    # A later token of a word counts as its first does.
    first = np.flatnonzero(text.words.begins)[text.words.number]
    return np.where(lettered[first], since[first], -1)
