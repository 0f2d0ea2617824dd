"""Which rows of a store of codes are read for one use: whole passages, evenly over the text if there are too many."""

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from tymbal.atlas import CodeShard, CodeStore
from tymbal.corpora import Role


def chosen_rows(codes: CodeStore, role: Role, tokens: int) -> list[Int64[ndarray, " row"]]:
    """For each shard its rows of passages of this role, at most about `tokens` of all shards together."""
    lengths = [np.diff(shard.passage_starts)[shard.passage_roles == role] for shard in codes.shards()]
    kept = _evenly(np.concatenate([*lengths, np.zeros(0, dtype=np.int64)]), tokens)
    found, done = [], 0
    for shard, own in zip(codes.shards(), lengths, strict=True):
        found.append(_rows(shard, np.flatnonzero(shard.passage_roles == role)[kept[done : done + len(own)]]))
        done += len(own)
    return found


def _evenly(lengths: ndarray, tokens: int) -> ndarray:
    """Which passages to keep, so that those before any point hold their share of the tokens."""
    ends = np.cumsum(lengths)
    share = min(1.0, tokens / max(1, int(ends[-1]) if len(ends) else 0))
    quota = np.floor(share * ends / max(1.0, float(lengths.mean()) if len(lengths) else 1.0) + 1e-9)
    return np.ones(len(lengths), dtype=bool) if share == 1.0 else np.diff(quota, prepend=0.0) > 0


def _rows(shard: CodeShard, passages: ndarray) -> Int64[ndarray, " row"]:
    starts, ends = shard.passage_starts[passages], shard.passage_starts[passages + 1]
    parts = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
