"""For annotated text: the concept that each feature tells best.

A feature says that a concept is there where it is active. Hits are counted token by token on the fly, as products of
sparse matrices. The concept is chosen by its F1 on the `explain` passages; what is reported is measured on `score`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.atlas.codes import CodeShard

EXPLAIN, SCORE = 1, 2
Annotate = Callable[[int], tuple[ndarray, ndarray]]
"""from a passage's id to its annotated tokens (positions) and the concept of each (index)"""


class BestConcepts(NamedTuple):
    """Each feature's best concept."""

    concept: Int64[ndarray, " feature"]
    """index into the names; -1 for none"""
    f1: Float64[ndarray, " feature"]
    precision: Float64[ndarray, " feature"]
    recall: Float64[ndarray, " feature"]


class ConceptCounts:
    """Streams shards of codes; `best` ends it."""

    def __init__(self, names: Sequence[str], annotate: Annotate, features: int) -> None:
        self.names = list(names)
        self._annotate = annotate
        shape = (features, len(self.names))
        self._joint = {role: sparse.csr_array(shape, dtype=np.int64) for role in (EXPLAIN, SCORE)}
        self._active = {role: np.zeros(features, dtype=np.int64) for role in (EXPLAIN, SCORE)}
        self._there = {role: np.zeros(len(self.names), dtype=np.int64) for role in (EXPLAIN, SCORE)}

    def update(self, shard: CodeShard) -> None:
        """Take in one shard."""
        shape = (len(shard.tokens), shard.features)
        ones = np.ones(len(shard.rows), dtype=np.int64)
        active = sparse.csc_array((ones, shard.rows, shard.starts), shape=shape).tocsr()
        there = annotated_rows(shard, self._annotate, len(self.names))
        roles = shard.passage_roles[shard.row_passages()]
        for role in (EXPLAIN, SCORE):
            rows = np.flatnonzero(roles == role)
            these, concepts = active[rows], there[rows]
            self._joint[role] = self._joint[role] + (these.T @ concepts).tocsr()
            self._active[role] += np.asarray(these.sum(axis=0)).ravel()
            self._there[role] += np.asarray(concepts.sum(axis=0)).ravel()

    def best(self) -> BestConcepts:
        """Each feature's best concept on `explain`, with its F1, precision and recall on `score`."""
        features = len(self._active[EXPLAIN])
        pairs = self._joint[EXPLAIN].tocoo()
        f1 = 2 * pairs.data / (self._active[EXPLAIN][pairs.row] + self._there[EXPLAIN][pairs.col])
        order = np.lexsort((pairs.col, -f1, pairs.row))
        order = order[np.flatnonzero(np.diff(pairs.row[order], prepend=-1))]
        concept = np.full(features, -1, dtype=np.int64)
        concept[pairs.row[order]] = pairs.col[order]
        found = np.flatnonzero(concept >= 0)
        joint = np.zeros(features)
        joint[found] = np.asarray(self._joint[SCORE][found, concept[found]]).ravel()
        there = self._there[SCORE][np.maximum(concept, 0)]
        return BestConcepts(
            concept=concept,
            f1=_share(2 * joint, self._active[SCORE] + there),
            precision=_share(joint, self._active[SCORE]),
            recall=_share(joint, there),
        )


def annotated_rows(shard: CodeShard, annotate: Annotate, concepts: int) -> sparse.csr_array:
    """Which concepts each row of a shard carries."""
    rows, numbers = [], []
    for number, passage in enumerate(shard.passage_ids):
        first, end = shard.passage_starts[number], shard.passage_starts[number + 1]
        positions, concept = annotate(int(passage))
        place = np.searchsorted(shard.positions[first:end], positions)
        kept = place < end - first
        kept[kept] = shard.positions[first + place[kept]] == positions[kept]
        rows.append(first + place[kept])
        numbers.append(concept[kept])
    row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    column = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)
    there = sparse.csr_array((np.ones(len(row), dtype=np.int64), (row, column)), shape=(len(shard.tokens), concepts))
    there.data[:] = 1
    return there


def _share(part: ndarray, whole: ndarray) -> Float64[ndarray, " feature"]:
    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)
