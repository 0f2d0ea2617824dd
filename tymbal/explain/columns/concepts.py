"""Columns of annotated concepts: any token of a mention, its first, its last, the token right after it.

A mention is a run of consecutive tokens of one passage that carry the concept. Concepts are named `kind.name`; beside
each of them there is its whole kind, `kind.*`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from tymbal.explain.text import Column, Text

ANY = "*"
SHARED = 0.9
"""of each value's rows that have to lie in mentions of a kind to be of it"""
WIDE = 0.25
"""of the text that a kind may carry to say something"""


def concept(text: Text) -> Column:
    """Each token of a mention."""
    return _column(text, lambda mentions: mentions.rows)


def concept_first(text: Text) -> Column:
    """The first token of a mention, where it has several."""
    return _column(text, lambda mentions: mentions.firsts[mentions.firsts != mentions.lasts])


def concept_last(text: Text) -> Column:
    """The last token of a mention, where it has several."""
    return _column(text, lambda mentions: mentions.lasts[mentions.firsts != mentions.lasts])


def after_concept(text: Text) -> Column:
    """The token right after a mention."""
    goes_on = np.append(text.goes_on, False)
    return _column(text, lambda mentions: (mentions.lasts + 1)[goes_on[mentions.lasts + 1]])


def common_kind(values: Sequence[ndarray], text: Text) -> str | None:
    """The kind of concepts, as `kind.*`, in whose mentions nearly all rows of each value lie; None where there is none.

    Kinds that carry much of the text, such as its form or language, say nothing.
    """
    best, most = None, SHARED
    for name, mentions in text.made("mentions", _all).items() if text.concepts else ():
        if name.endswith(f".{ANY}") and len(mentions.rows) < WIDE * len(text):
            shares = [float(np.isin(rows, mentions.rows).mean()) for rows in values if len(rows)]
            if shares and min(shares) > most:
                best, most = name, min(shares)
    return best


class Mentions(NamedTuple):
    """The mentions of one concept: its rows, and the first and last of each run."""

    rows: ndarray
    firsts: ndarray
    lasts: ndarray


def mentions_of(rows: ndarray, goes_on: ndarray) -> Mentions:
    """The mentions that make up these rows, which rise."""
    new = ~((np.diff(rows, prepend=-2) == 1) & goes_on[rows])
    return Mentions(rows, rows[new], rows[np.append(new[1:], True)[: len(rows)]])


def kind_of(name: str) -> str | None:
    """The kind of a concept named `kind.name`, as `kind.*`; None where the name has no kind."""
    kind, point, _ = name.partition(".")
    return f"{kind}.{ANY}" if point else None


def _all(text: Text) -> dict[str, Mentions]:
    """The mentions of each concept and of each kind of concepts."""
    matrix = text.concept_matrix()
    rows = {name: matrix.indices[matrix.indptr[n] : matrix.indptr[n + 1]] for n, name in enumerate(text.concepts)}
    kinds: dict[str, list[ndarray]] = {}
    for name, own in rows.items():
        if kind := kind_of(name):
            kinds.setdefault(kind, []).append(own)
    merged = {kind: np.unique(np.concatenate(parts)) for kind, parts in kinds.items() if len(parts) > 1}
    return {name: mentions_of(np.sort(own).astype(np.int64), text.goes_on) for name, own in (rows | merged).items()}


def _column(text: Text, part: Callable[[Mentions], ndarray]) -> Column:
    mentions = text.made("mentions", _all)
    return Column.of_rows({name: part(own) for name, own in mentions.items()})
