"""Small made-up codes whose truth is plain to see."""

import numpy as np

from tymbal.atlas import CodeShard
from tymbal.atlas.codes import Rows


def dense_shard(*, rows: int, features: int, seed: int, share: float = 0.3) -> np.ndarray:
    """Random codes as a full matrix, row by feature."""
    generator = np.random.default_rng(seed)
    values = generator.gamma(2.0, 1.0, (rows, features)) * (generator.random((rows, features)) < share)
    return values.astype(np.float32)


def shard_of(values: np.ndarray, *, passages: np.ndarray | None = None, tokens: np.ndarray | None = None) -> CodeShard:
    """A shard of a full matrix of codes; one passage of role `explain`, unless passages (ids) are given.

    The role of a passage is 1 + id mod 3; positions count from 1, as after a BOS; tokens count from 0 unless given.
    """
    count, features = values.shape
    given = np.zeros(count, dtype=np.int64) if passages is None else passages
    first = np.flatnonzero(np.diff(given, prepend=-1))
    lengths = np.diff(np.append(first, count))
    positions = 1 + np.arange(count) - np.repeat(first, lengths)
    rows = Rows(np.arange(count) if tokens is None else tokens, given, positions, 1 + given % 3)
    return CodeShard.from_rows(np.tile(np.arange(features), (count, 1)), values, rows, features)
