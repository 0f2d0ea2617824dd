"""Words, as runs of tokens: a space, a mark or the end of the letters divides them; a mark is a word by itself."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32
from numpy import ndarray


@dataclass(frozen=True)
class Words:
    """Which tokens make up which words."""

    begins: Bool[ndarray, " row"]
    """whether a token is the first of its word"""
    number: Int32[ndarray, " row"]
    """the word that a token belongs to, counted from 0"""
    so_far: list[str]
    """for each token, its word up to and including it"""
    full: list[str]
    """each word's text; of white space alone, that"""

    @property
    def ends(self) -> Bool[ndarray, " row"]:
        """Whether a token is the last of its word."""
        return np.append(self.begins[1:], True)[: len(self.begins)]


def segmented(vocabulary: list[str], token: Int32[ndarray, " row"], goes_on: Bool[ndarray, " row"]) -> Words:
    """Words of tokens given by their number in `vocabulary`; none goes over a row that does not go on."""
    bodies = [text.strip() for text in vocabulary]
    opens = np.array([text[:1].isspace() for text in vocabulary], dtype=bool)
    # An empty token is the rest of a character that began before it.
    lettered = np.array([not text or bodies[n][:1].isalnum() for n, text in enumerate(vocabulary)], dtype=bool)
    leaves = np.array([not text or text[-1:].isalnum() for text in vocabulary], dtype=bool)
    before = np.append(False, leaves[token[:-1]])[: len(token)]
    begins = ~goes_on | opens[token] | ~lettered[token] | ~before
    number = (np.cumsum(begins) - 1).astype(np.int32)
    so_far: list[str] = []
    for own, first in zip(token.tolist(), begins.tolist(), strict=True):
        so_far.append(bodies[own] if first else so_far[-1] + bodies[own])
    last = np.flatnonzero(np.append(begins[1:], True)[: len(begins)])
    full = [so_far[row] or vocabulary[token[row]] for row in last.tolist()]
    return Words(begins, number, so_far, full)
