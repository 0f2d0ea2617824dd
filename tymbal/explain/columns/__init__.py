"""All that an explanation can speak of: one function a column, from a text to rows by value."""

from tymbal.explain.columns.concepts import after_concept, concept, concept_first, concept_last
from tymbal.explain.columns.language import language
from tymbal.explain.columns.places import place
from tymbal.explain.columns.repetition import repetition
from tymbal.explain.columns.spans import span
from tymbal.explain.columns.spelling import folded, prefix, shape, suffix, token, word
from tymbal.explain.columns.surroundings import after_words, next_token, previous_token, second_last_token

__all__ = [
    "after_concept",
    "after_words",
    "concept",
    "concept_first",
    "concept_last",
    "folded",
    "language",
    "next_token",
    "place",
    "prefix",
    "previous_token",
    "repetition",
    "second_last_token",
    "shape",
    "span",
    "suffix",
    "token",
    "word",
]
