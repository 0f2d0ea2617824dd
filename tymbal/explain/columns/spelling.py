"""Columns of how a token is spelled: itself, without case, its word so far, its first and last letters, its shape."""

from collections.abc import Callable

import numpy as np

from tymbal.explain.text import Column, Text

LONGEST_AFFIX = 4
"""letters of a prefix or suffix at most"""


def token(text: Text) -> Column:
    """The token, as it reads."""
    return Column.of_pairs(np.arange(len(text)), text.token, text.vocabulary)


def folded(text: Text) -> Column:
    """The token without its case, and whether a space stands before it or not."""
    return _of_vocabulary(text, lambda own: [own.casefold()] if own.isalpha() else [])


def word(text: Text) -> Column:
    """The word up to this token, where it began before."""
    words = text.words
    began = zip(words.so_far, words.begins.tolist(), strict=True)
    return Column.of_texts(None if first else so_far for so_far, first in began)


def prefix(text: Text) -> Column:
    """The first letters of the word up to this token, whatever their case; not the whole of it."""
    return _of_words(text, lambda word: [word[:size] for size in _sizes(word)])


def suffix(text: Text) -> Column:
    """The last letters of the word up to this token, whatever their case; not the whole of it."""
    return _of_words(text, lambda word: [word[-size:] for size in _sizes(word)])


SHAPES: dict[str, Callable[[str], bool]] = {
    "capital": lambda own: own[:1].isupper() and (len(own) == 1 or not own.isupper()),
    "capitals": lambda own: len(own) > 1 and own.isupper() and own.isalpha(),
    "digits": str.isdigit,
    "punctuation": lambda own: bool(own) and not any(sign.isalnum() or sign == "�" for sign in own),
    "letter": lambda own: len(own) == 1 and own.isalpha(),
    "accented": lambda own: any(sign.isalpha() and ord(sign) > 127 for sign in own),
    "blank": lambda own: not own,
}
"""Shapes that a token has by itself; those that it has in its word, in `shape`."""


def shape(text: Text) -> Column:
    """What sort of characters a token is made of, and where in its word it stands."""
    alone = _of_vocabulary(text, lambda own: [name for name, holds in SHAPES.items() if holds(own)])
    begins, ends = text.words.begins, text.words.ends
    lettered = np.array([own.strip()[:1].isalnum() for own in text.vocabulary], dtype=bool)[text.token]
    newline = np.array(["\n" in own for own in text.vocabulary], dtype=bool)[text.token]
    placed = {
        "whole word": begins & ends & lettered,
        "word beginning": begins & ~ends & lettered,
        "within a word": ~begins,
        "word end": ~begins & ends,
        "newline": newline,
    }
    rows = {value: alone.rows_of(value) for value in alone.values}
    return Column.of_rows(rows | {value: np.flatnonzero(holds) for value, holds in placed.items()})


def _sizes(word: str) -> range:
    return range(1, min(LONGEST_AFFIX, len(word) - 1) + 1) if word.isalpha() else range(0)


def _of_vocabulary(text: Text, values_of: Callable[[str], list[str]]) -> Column:
    """A column of values that follow from the token's own text."""
    found = [values_of(own.strip()) for own in text.vocabulary]
    return _spread(found, text.token)


def _of_words(text: Text, values_of: Callable[[str], list[str]]) -> Column:
    """A column of values that follow from the word up to the token, without its case."""
    numbers: dict[str, int] = {}
    number = np.array([numbers.setdefault(word.casefold(), len(numbers)) for word in text.words.so_far], dtype=np.int64)
    return _spread([values_of(word) for word in numbers], number)


def _spread(values: list[list[str]], number: np.ndarray) -> Column:
    """A column where row r has all of `values[number[r]]`."""
    numbers: dict[str, int] = {}
    own = [[numbers.setdefault(value, len(numbers)) for value in dict.fromkeys(some)] for some in values]
    counts = np.array([len(some) for some in own], dtype=np.int64)
    flat = np.array([value for some in own for value in some], dtype=np.int64)
    starts = np.cumsum(counts) - counts
    rows = np.repeat(np.arange(len(number)), counts[number])
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts[number]) - counts[number], counts[number])
    return Column.of_pairs(rows, flat[starts[number[rows]] + within], list(numbers))
