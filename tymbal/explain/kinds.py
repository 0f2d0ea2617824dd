"""The kinds of things that an explanation can speak of: the column that holds each, and the words for it.

The order is that of preference: of two explanations that are equally good, the one of the earlier kind is given.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tymbal.explain import columns
from tymbal.explain.text import Column, Text
from tymbal.explain.wording import (
    Words,
    after,
    after_mention,
    after_words,
    before,
    concepts,
    ends_mention,
    language,
    occurrence,
    opens_mention,
    prefixes,
    second_last,
    shapes,
    spans,
    spelled,
    standing,
    suffixes,
    tokens,
    words_so_far,
)


class Kind(NamedTuple):
    """One kind of description."""

    name: str
    """in expressions, tables and on pages"""
    column: Callable[[Text], Column]
    words: Callable[[Sequence[str]], Words]
    sets: bool
    """whether one description may name several values of it"""
    order: int
    """which of two names the token when both are said, lowest first"""
    general: bool = False
    """whether its values are a short fixed list, of which each holds for very many tokens"""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("concept", columns.concept, concepts, True, 10),
        Kind("concept end", columns.concept_last, ends_mention, True, 2),
        Kind("concept beginning", columns.concept_first, opens_mention, True, 2),
        Kind("token", columns.token, tokens, True, 0),
        Kind("spelling", columns.folded, spelled, True, 0),
        Kind("word", columns.word, words_so_far, True, 1),
        Kind("after concept", columns.after_concept, after_mention, True, 7),
        Kind("shape", columns.shape, shapes, False, 3, True),
        Kind("place", columns.place, standing, False, 4, True),
        Kind("repetition", columns.repetition, occurrence, False, 8, True),
        Kind("suffix", columns.suffix, suffixes, False, 5),
        Kind("prefix", columns.prefix, prefixes, False, 5),
        Kind("previous token", columns.previous_token, after, True, 6),
        Kind("after words", columns.after_words, after_words, True, 6),
        Kind("second last token", columns.second_last_token, second_last, True, 6),
        Kind("next token", columns.next_token, before, True, 7),
        Kind("span", columns.span, spans, False, 9, True),
        Kind("language", columns.language, language, False, 9, True),
    )
}
