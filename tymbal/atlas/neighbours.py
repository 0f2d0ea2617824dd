"""Each feature's neighbours: by the cosine of decoder directions, and by being active on the same tokens.

Co-activation is the Jaccard index: of the tokens on which either feature is active, the share on which both are. It is
counted on a bounded random sample of tokens by products of sparse matrices, a block of features at a time; pairs seen
together on fewer than `MINIMUM_JOINT` tokens are left out, as their index says little.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from numpy import ndarray
from scipy import sparse
from torch import Tensor

from tymbal.atlas.codes import CodeStore
from tymbal.atlas.reservoir import mix

MINIMUM_JOINT = 3
_BLOCK_VALUES = 1 << 24
"""values of a block of features by all features"""


class Nearest(NamedTuple):
    """The neighbours of each feature, nearest first."""

    neighbour: Int64[ndarray, "feature rank"]
    """-1 where there are no more"""
    value: Float32[ndarray, "feature rank"]


def nearest_by_cosine(directions: Float[Tensor, "feature width"], count: int) -> Nearest:
    """Nearest rows by cosine."""
    unit = torch.nn.functional.normalize(directions.float(), dim=1)
    blocks = ((begin, unit[begin:end] @ unit.T) for begin, end in _blocks(len(unit)))
    return _collect(blocks, count, lowest=-1.0)


def nearest_by_coactivation(codes: CodeStore, tokens: int, sample: int, count: int, seed: int) -> Nearest:
    """Nearest features by Jaccard index of active tokens, on about `sample` of the `tokens` tokens."""
    active = _sampled_rows(codes, min(1.0, sample / max(tokens, 1)), seed)
    alone = torch.from_numpy(np.diff(active.indptr).astype(np.float32))
    by_row = sparse.csr_array(active)
    blocks = ((begin, _jaccard(active[:, begin:end], by_row, alone, begin)) for begin, end in _blocks(len(alone)))
    return _collect(blocks, count, lowest=0.0)


def _jaccard(block: sparse.csc_array, by_row: sparse.csr_array, alone: Tensor, begin: int) -> Tensor:
    joint = torch.from_numpy((block.T @ by_row).toarray())
    either = alone[begin : begin + len(joint), None] + alone - joint
    return torch.where(joint >= MINIMUM_JOINT, joint / either.clamp(min=1), 0.0)


def _sampled_rows(codes: CodeStore, share: float, seed: int) -> sparse.csc_array:
    """Which features are active on a random share of tokens; the draw depends on seed, passage and position alone."""
    parts = []
    for shard in codes.shards():
        chance = mix(mix(shard.passage_ids[shard.row_passages()], seed) ^ mix(shard.positions, seed + 1))
        drawn = (chance >> np.uint64(32)) < share * 2**32
        number = np.cumsum(drawn) - 1
        kept = drawn[shard.rows]
        starts = np.concatenate([[0], np.cumsum(kept)])[shard.starts]
        entries = (np.ones(starts[-1], dtype=np.float32), number[shard.rows[kept]], starts)
        parts.append(sparse.csc_array(entries, shape=(int(drawn.sum()), shard.features)))
    return sparse.csc_array(sparse.vstack(parts, format="csc"))


def _blocks(features: int) -> Iterator[tuple[int, int]]:
    size = max(1, _BLOCK_VALUES // features)
    return ((begin, min(begin + size, features)) for begin in range(0, features, size))


def _collect(blocks: Iterator[tuple[int, Tensor]], count: int, lowest: float) -> Nearest:
    """The greatest `count` values of each row above `lowest`, itself left out; ties by number."""
    neighbours, values = [], []
    for begin, block in blocks:
        own = torch.arange(len(block))
        block[own, own + begin] = -torch.inf
        found = torch.topk(block, min(count, block.shape[1] - 1), dim=1)
        order = np.lexsort((found.indices.numpy(), -found.values.numpy()), axis=1)
        value = np.take_along_axis(found.values.numpy(), order, axis=1)
        neighbour = np.take_along_axis(found.indices.numpy(), order, axis=1)
        neighbours.append(np.where(value > lowest, neighbour, -1))
        values.append(value)
    return Nearest(np.concatenate(neighbours), np.concatenate(values).astype(np.float32))
