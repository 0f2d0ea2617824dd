"""Which rows of a store are kept: one bit a row, with the question "which is the i-th kept row?" answered at once.

A bit vector with a running count for each word of 64 rows (a rank and select index, Jacobson 1989): 0.25 bytes a row,
so that filtering rows takes 32 times less memory than listing them.
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Int64

_WORD = 64


class RowSelection:
    """The kept rows of a store, in order.

    `masks` are the pieces of one long mask over the rows, True where a row is kept, each piece of any length.
    """

    def __init__(self, masks: Iterable[Bool[np.ndarray, " _"]]) -> None:
        words: list[np.ndarray] = []
        pending = np.zeros(0, dtype=bool)
        for mask in masks:
            pending = np.concatenate([pending, mask])
            whole = len(pending) // _WORD * _WORD
            words.append(_pack(pending[:whole]))
            pending = pending[whole:]
        words.append(_pack(np.pad(pending, (0, -len(pending) % _WORD))))
        self._words = np.concatenate(words)
        self._before = np.concatenate([[0], np.cumsum(np.bitwise_count(self._words), dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._before[-1])

    def __getitem__(self, places: Int64[np.ndarray, " place"]) -> Int64[np.ndarray, " place"]:
        """The row numbers of the kept rows at these places (0 is the first kept row)."""
        if len(places) and (places.min() < 0 or places.max() >= len(self)):
            raise IndexError(f"places must lie in 0..{len(self) - 1}, not {places.min()}..{places.max()}")
        word = np.searchsorted(self._before, places, side="right") - 1
        octets = self._words[word].view(np.uint8).reshape(-1, _WORD // 8)
        kept_up_to = np.unpackbits(octets, axis=1, bitorder="little").cumsum(axis=1, dtype=np.int8)
        bit = (kept_up_to > (places - self._before[word])[:, None]).argmax(axis=1)
        return word * _WORD + bit

    def rows(self) -> Int64[np.ndarray, " kept"]:
        """Every kept row number (8 bytes each)."""
        return np.flatnonzero(np.unpackbits(self._words.view(np.uint8), bitorder="little"))


def _pack(mask: np.ndarray) -> np.ndarray:
    return np.packbits(mask, bitorder="little").view(np.uint64)
