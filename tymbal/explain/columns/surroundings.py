"""Columns of what stands before and after a token, within its passage."""

import numpy as np
from numpy import ndarray

from tymbal.explain.text import Column, Text

MOST_WORDS = 2
"""words before a token's own that are looked at together"""


def previous_token(text: Text) -> Column:
    """The token before."""
    rows = np.flatnonzero(text.goes_on)
    return Column.of_pairs(rows, text.token[rows - 1], text.vocabulary)


def second_last_token(text: Text) -> Column:
    """The token before the one before."""
    rows = np.flatnonzero(text.goes_on & np.append(False, text.goes_on[:-1])[: len(text)])
    return Column.of_pairs(rows, text.token[rows - 2], text.vocabulary)


def next_token(text: Text) -> Column:
    """The token after."""
    rows = np.flatnonzero(np.append(text.goes_on[1:], False)[: len(text)])
    return Column.of_pairs(rows, text.token[rows + 1], text.vocabulary)


def after_words(text: Text) -> Column:
    """The words before the token's own word: the last, and the last two."""
    words = text.words
    first = np.flatnonzero(words.begins)
    passage = text.passage[first]
    before: list[list[str]] = []
    for number in range(len(words.full)):
        # Words of the same passage alone; a passage is cut anywhere, so its beginning has none before it.
        reach = [
            back for back in range(1, MOST_WORDS + 1) if number >= back and passage[number - back] == passage[number]
        ]
        before.append([" ".join(words.full[number - back : number]) for back in reach])
    return _by_word(before, words.number)


def _by_word(values: list[list[str]], number: ndarray) -> Column:
    """A column where all tokens of a word have the word's values."""
    numbers: dict[str, int] = {}
    words, own = [], []
    for word, some in enumerate(values):
        for value in some:
            words.append(word)
            own.append(numbers.setdefault(value, len(numbers)))
    starts = np.searchsorted(number, np.arange(len(values) + 1))
    word, value = np.array(words, dtype=np.int64), np.array(own, dtype=np.int64)
    counts = starts[word + 1] - starts[word]
    rows = np.repeat(starts[word] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    return Column.of_pairs(rows, np.repeat(value, counts), list(numbers))
