"""Tokens and activations around chosen places, read from the shards of codes."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from tymbal.atlas.codes import CodeShard, CodeStore
from tymbal.atlas.config import AtlasConfig
from tymbal.atlas.examples import Places


class Windows(NamedTuple):
    """The window of each place, one after the other."""

    starts: Int64[ndarray, " example_and_end"]
    tokens: Int32[ndarray, " window_token"]
    activations: Float32[ndarray, " window_token"]
    """of the place's feature"""
    peak: Int64[ndarray, " example"]
    """index into the window"""
    passage: Int64[ndarray, " example"]
    """ids"""
    position: Int64[ndarray, " example"]
    """of the peak in its passage, special tokens counted"""


class WindowReader:
    """Reads windows from a store of codes, whose shards it keeps mapped."""

    def __init__(self, codes: CodeStore, config: AtlasConfig) -> None:
        self._shards = list(codes.shards())
        self._config = config

    def passage_of(
        self, shard: Int64[ndarray, " example"], row: Int64[ndarray, " example"]
    ) -> Int64[ndarray, " example"]:
        """The id of each place's passage."""
        passage = np.zeros(len(row), dtype=np.int64)
        for number in np.unique(shard):
            here = np.flatnonzero(shard == number)
            passage[here] = self._shards[number].passage_ids[_passages(self._shards[number], row[here])]
        return passage

    def windows(self, places: Places) -> Windows:
        """The windows of these places, in their order."""
        count = len(places.row)
        begin, end, passage, position = (np.zeros(count, dtype=np.int64) for _ in range(4))
        by_shard = [(number, np.flatnonzero(places.shard == number)) for number in np.unique(places.shard)]
        for number, here in by_shard:
            shard, row = self._shards[number], places.row[here]
            local = _passages(shard, row)
            begin[here] = np.maximum(row - self._config.before, shard.passage_starts[local])
            end[here] = np.minimum(row + self._config.after + 1, shard.passage_starts[local + 1])
            passage[here], position[here] = shard.passage_ids[local], shard.positions[row]
        starts = np.concatenate([[0], np.cumsum(end - begin)])
        tokens = np.zeros(starts[-1], dtype=np.int32)
        activations = np.zeros(starts[-1], dtype=np.float32)
        for number, here in by_shard:
            shard = self._shards[number]
            into = ranges(starts[here], end[here] - begin[here])
            tokens[into] = shard.tokens[ranges(begin[here], end[here] - begin[here])]
            entry, example = _entries(shard, places.feature[here], begin[here], end[here])
            activations[starts[here][example] + shard.rows[entry] - begin[here][example]] = shard.values[entry]
        return Windows(starts, tokens, activations, places.row - begin, passage, position)


def ranges(begin: Int64[ndarray, " range"], lengths: Int64[ndarray, " range"]) -> Int64[ndarray, " number"]:
    """The numbers of each range, one range after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + lengths, lengths)


def _passages(shard: CodeShard, row: Int64[ndarray, " example"]) -> Int64[ndarray, " example"]:
    return np.searchsorted(shard.passage_starts, row, side="right") - 1


def _entries(
    shard: CodeShard,
    feature: Int64[ndarray, " example"],
    begin: Int64[ndarray, " example"],
    end: Int64[ndarray, " example"],
) -> tuple[Int64[ndarray, " entry"], Int64[ndarray, " entry"]]:
    """Entries of each example's feature in its rows, and the example each belongs to.

    Only the slice of the shard that holds these features is read: their numbers should lie close together.
    """
    low, high = feature.min(), feature.max() + 1
    first, last = shard.starts[low], shard.starts[high]
    rows = len(shard.tokens)
    keys = np.repeat(np.arange(high - low), np.diff(shard.starts[low : high + 1])) * rows + shard.rows[first:last]
    from_entry = np.searchsorted(keys, (feature - low) * rows + begin)
    to_entry = np.searchsorted(keys, (feature - low) * rows + end)
    lengths = to_entry - from_entry
    return ranges(from_entry + first, lengths), np.repeat(np.arange(len(feature)), lengths)
