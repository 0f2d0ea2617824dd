"""Annotated spans of characters, carried over to tokens.

A token carries a concept if it lies wholly inside the span, or shares with it a character that is not whitespace. So
the token "▁Lily", whose characters begin with the space, carries the span of "Lily", and not that of the word before.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Int32

from tymbal.corpora.documents import Span

_WHITESPACE = np.array([point for point in range(0x3001) if chr(point).isspace()], dtype=np.uint32)


def concept_pairs(
    text: str,
    spans: Sequence[Span],
    starts: Int32[np.ndarray, " token"],
    ends: Int32[np.ndarray, " token"],
    concepts: Mapping[str, int],
) -> Int32[np.ndarray, "pair 2"]:
    """Each (token, concept's number) of a text once, sorted; `starts` and `ends` are characters of the text."""
    if not spans or not len(starts):
        return np.zeros((0, 2), dtype=np.int32)
    # ink[i] counts the characters before i that are not whitespace.
    ink = np.concatenate([np.zeros(1, np.int64), np.cumsum(~_is_whitespace(text))])
    # Tokens stand in the order of their characters, but for a few that normalisation inserts: hence the running bounds.
    reached = np.maximum.accumulate(ends)
    ahead = np.minimum.accumulate(starts[::-1])[::-1]
    begin = np.array([span.start for span in spans], dtype=np.int32)
    end = np.array([span.end for span in spans], dtype=np.int32)
    number = np.array([concepts[span.concept] for span in spans], dtype=np.int64)
    first = np.searchsorted(reached, begin, side="right")
    counts = np.maximum(np.searchsorted(ahead, end, side="left") - first, 0)
    of = np.repeat(np.arange(len(spans)), counts)
    token = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    inside = (starts[token] >= begin[of]) & (ends[token] <= end[of]) & (ends[token] > starts[token])
    low, high = np.maximum(starts[token], begin[of]), np.minimum(ends[token], end[of])
    shared = (high > low) & (ink[high] > ink[low])
    carries = inside | shared
    # One number for each pair, so that sorting and dropping doubles is quick.
    width = len(concepts)
    pairs = np.unique(token[carries].astype(np.int64) * width + number[of[carries]])
    return np.stack([pairs // width, pairs % width], axis=1).astype(np.int32)


def _is_whitespace(text: str) -> Bool[np.ndarray, " character"]:
    return np.isin(np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32), _WHITESPACE)
