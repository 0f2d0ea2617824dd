"""Streaming statistics of each feature's activations.

Counts, sums and extremes are exact. The distribution is kept as counts in bins of equal width in the logarithm, eight
an octave, cut straight out of the floating-point bits: fixed bins need no look ahead, and a quantile read from them is
off by less than one bin, an eighth of the power of two below it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64
from numpy import ndarray

from tymbal.atlas.codes import CodeShard

_LOWEST, _HIGHEST = -20, 20
_SHIFT = 20
"""mantissa bits dropped from a float32, of 23: three stay, eight bins an octave"""
_BASE = (127 + _LOWEST) << 3
LOG_BINS = (_HIGHEST - _LOWEST) << 3
_BLOCK = 4096
"""features whose quantiles are worked out at once"""


@dataclass(frozen=True)
class FeatureStatistics:
    """What is known of each feature once all tokens are seen; activations in the codes' units."""

    tokens: int
    count: Int64[ndarray, " feature"]
    """tokens on which the feature is active"""
    mean: Float64[ndarray, " feature"]
    """when active; 0 for a dead feature"""
    maximum: Float32[ndarray, " feature"]
    quantile_edges: Float32[ndarray, "feature edge"]
    """activations, when active, at 0, 1/n, ..., 1; zeros for a dead feature"""

    @property
    def density(self) -> Float64[ndarray, " feature"]:
        """Share of tokens on which each feature is active."""
        return self.count / max(self.tokens, 1)


class Statistics:
    """Streams shards of codes; `fit` ends it."""

    def __init__(self, features: int) -> None:
        self.tokens = 0
        self.count = np.zeros(features, dtype=np.int64)
        self.total = np.zeros(features, dtype=np.float64)
        self.maximum = np.zeros(features, dtype=np.float32)
        self.minimum = np.full(features, np.inf, dtype=np.float32)
        self._bins = np.zeros(features * LOG_BINS, dtype=np.uint32)

    def update(self, shard: CodeShard) -> None:
        """Take in one shard."""
        self.tokens += len(shard.tokens)
        counts = np.diff(shard.starts)
        active = np.flatnonzero(counts)
        if not len(active):
            return
        self.count += counts
        begin = shard.starts[active]
        self.total[active] += np.add.reduceat(shard.values, begin, dtype=np.float64)
        self.maximum[active] = np.maximum(self.maximum[active], np.maximum.reduceat(shard.values, begin))
        self.minimum[active] = np.minimum(self.minimum[active], np.minimum.reduceat(shard.values, begin))
        places = log_bins(shard.values) + shard.entry_features().astype(np.int64) * LOG_BINS
        np.add.at(self._bins, places, np.uint32(1))

    def fit(self, quantiles: int) -> FeatureStatistics:
        """The statistics so far, with the edges of so many intervals of equal share."""
        features = len(self.count)
        edges = np.zeros((features, quantiles + 1), dtype=np.float32)
        for begin in range(0, features, _BLOCK):
            block = slice(begin, min(begin + _BLOCK, features))
            bins = self._bins[begin * LOG_BINS : block.stop * LOG_BINS].reshape(-1, LOG_BINS)
            edges[block] = _quantiles(bins, quantiles)
        low = np.where(self.count > 0, self.minimum, 0)
        edges = np.clip(edges, low[:, None], self.maximum[:, None])
        edges[:, 0], edges[:, -1] = low, self.maximum
        return FeatureStatistics(
            tokens=self.tokens,
            count=self.count.copy(),
            mean=self.total / np.maximum(self.count, 1),
            maximum=self.maximum.copy(),
            quantile_edges=edges.astype(np.float32),
        )


def log_bins(values: Float32[ndarray, " entry"]) -> Int64[ndarray, " entry"]:
    """The bin of each positive activation; those beyond 2^-20 and 2^20 fall into the outermost bins."""
    return np.clip((values.view(np.int32) >> _SHIFT) - _BASE, 0, LOG_BINS - 1).astype(np.int64)


def log_bin_edges() -> Float32[ndarray, " edge"]:
    """Lower edges of the bins, and the upper edge of the last."""
    return ((np.arange(LOG_BINS + 1, dtype=np.int32) + _BASE) << _SHIFT).view(np.float32)


def _quantiles(bins: ndarray, quantiles: int) -> Float[ndarray, "feature edge"]:
    """Activations at 0, 1/n, ..., 1, linear within a bin."""
    reached = np.cumsum(bins, axis=1, dtype=np.int64)
    edges = log_bin_edges().astype(np.float64)
    found = np.zeros((len(bins), quantiles + 1))
    each = np.arange(len(bins))
    for number in range(quantiles + 1):
        target = reached[:, -1] * (number / quantiles)
        place = np.minimum((reached < target[:, None]).sum(axis=1), LOG_BINS - 1)
        inside = bins[each, place]
        before = reached[each, place] - inside
        share = (target - before) / np.maximum(inside, 1)
        found[:, number] = edges[place] + np.clip(share, 0, 1) * (edges[place + 1] - edges[place])
    return found
