"""Which places of the text stand for each feature.

1. `ExampleFinder` streams the shards of codes. An active token is a peak when its feature is not more active at the
   nearest active tokens before and after it, as far as these lie within the window. For each feature and passage, the
   highest peak is a candidate for the top examples, and one peak drawn at random is a candidate for the sample of its
   interval of activation.
2. Reservoirs keep the best candidates for each feature and role (and interval). A window is told by a hash of its
   tokens, so that the same text is kept once.
3. `chosen` drops what would show a feature the same text or the same passage twice, roles taken together: text used to
   explain is not used to score. More candidates are kept than asked for, to fill such gaps.

Sampling by interval of activation: Bills et al. 2023 (Language models can explain neurons in language models);
Paulo et al. 2024 (arXiv 2410.13928), section 3.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32, Int64, UInt64
from numpy import ndarray

from tymbal.atlas.codes import CodeShard
from tymbal.atlas.config import ROLES, AtlasConfig
from tymbal.atlas.reservoir import Reservoir, first_of_each, mix, ranks
from tymbal.atlas.statistics import FeatureStatistics

HISTOGRAM_BINS = 24
TOP = -1
"""stands for the interval of an example that was not sampled"""
_SHARD_BITS = 32
_BASE = 0x2545F4914F6CDD1D
_INVERSE = pow(_BASE, -1, 1 << 64)


class Places(NamedTuple):
    """Places in the text, one an example: sorted by feature, role, top before sampled, interval falling, rank."""

    feature: Int64[ndarray, " example"]
    role: Int64[ndarray, " example"]
    """index into `ROLES`"""
    interval: Int64[ndarray, " example"]
    """of activation, 0 the weakest; `TOP` for a top example"""
    rank: Int64[ndarray, " example"]
    shard: Int64[ndarray, " example"]
    row: Int64[ndarray, " example"]
    """in the shard"""


class _Candidates(NamedTuple):
    """Active entries of one shard."""

    feature: Int32[ndarray, " candidate"]
    passage: Int32[ndarray, " candidate"]
    row: Int32[ndarray, " candidate"]
    value: Float32[ndarray, " candidate"]

    def take(self, kept: Int[ndarray, " kept"] | Bool[ndarray, " candidate"]) -> "_Candidates":
        return _Candidates(*(column[kept] for column in self))


class ExampleFinder:
    """Streams shards of codes, in order; keeps each feature's best candidates and its histogram of activations."""

    def __init__(self, statistics: FeatureStatistics, config: AtlasConfig) -> None:
        self.features = features = len(statistics.count)
        self.histogram = np.zeros((features, HISTOGRAM_BINS), dtype=np.int64)
        """active tokens in bins of equal width from 0 to the feature's maximum"""
        self._statistics = statistics
        self._config = config
        self._top = Reservoir(features * len(ROLES), config.examples + config.examples // 2)
        self._sampled = Reservoir(features * len(ROLES) * config.quantiles, 2 * config.quantile_examples)

    def update(self, number: int, shard: CodeShard) -> None:
        """Take in the shard of this number."""
        feature = shard.entry_features()
        if not len(feature):
            return
        self._count(feature, shard.values)
        entries = _Candidates(feature, shard.row_passages()[shard.rows], shard.rows, shard.values)
        peaks = entries.take(_peaks(entries, self._config))
        first = _changes(peaks)
        seed = self._config.seed
        chance = (mix(mix(peaks.feature, seed) + _global_rows(shard)[peaks.row]) >> np.uint64(32)).astype(np.uint32)
        hashes = _WindowHashes(shard, self._config)
        highest = _first_best(peaks.value, first)
        self._offer(self._top, number, shard, peaks.take(highest), peaks.value[highest].view(np.uint32), None, hashes)
        if self._config.quantile_examples:
            drawn = _first_best(chance, first)
            sample = peaks.take(drawn)
            interval = np.zeros(len(sample.value), dtype=np.int64)
            for edge in self._statistics.quantile_edges[:, 1:-1].T:
                interval += sample.value > edge[sample.feature]
            self._offer(self._sampled, number, shard, sample, chance[drawn], interval, hashes)

    def chosen(self, begin: int, end: int, passage_of: Callable[[ndarray, ndarray], ndarray]) -> Places:
        """The examples of the features from `begin` to before `end`; `passage_of(shard, row)` gives passages' ids."""
        parts = [_held(self._top, begin, end, None), _held(self._sampled, begin, end, self._config.quantiles)]
        feature, role, interval, rank, place, identity = (np.concatenate(pair) for pair in zip(*parts, strict=True))
        order = np.lexsort((rank, -interval, interval != TOP, role, feature))
        order = order[first_of_each(mix(feature[order]) ^ identity[order])]
        passage = passage_of(place[order] >> _SHARD_BITS, place[order] & ((1 << _SHARD_BITS) - 1))
        order = order[first_of_each(mix(feature[order]) ^ mix(passage, 1))]
        feature, role, interval, place = feature[order], role[order], interval[order], place[order]
        rank = ranks((feature * len(ROLES) + role) * (self._config.quantiles + 1) + interval + 1)
        kept = rank < np.where(interval == TOP, self._config.examples, self._config.quantile_examples)
        columns = (feature, role, interval, rank, place >> _SHARD_BITS, place & ((1 << _SHARD_BITS) - 1))
        return Places(*(column[kept] for column in columns))

    def _count(self, feature: Int32[ndarray, " entry"], values: Float32[ndarray, " entry"]) -> None:
        scale = HISTOGRAM_BINS / np.maximum(self._statistics.maximum, np.float32(1e-30))
        bins = np.minimum((values * scale[feature]).astype(np.int64), HISTOGRAM_BINS - 1)
        places = feature.astype(np.int64) * HISTOGRAM_BINS + bins
        self.histogram += np.bincount(places, minlength=self.histogram.size).reshape(self.histogram.shape)

    def _offer(
        self,
        reservoir: Reservoir,
        number: int,
        shard: CodeShard,
        candidates: _Candidates,
        priority: ndarray,
        interval: ndarray | None,
        hashes: "_WindowHashes",
    ) -> None:
        role = shard.passage_roles[candidates.passage].astype(np.int64) - 1
        group = candidates.feature * np.int64(len(ROLES)) + role
        if interval is not None:
            group = group * self._config.quantiles + interval
        wanted = reservoir.wanted(group, priority)
        rows = candidates.row[wanted].astype(np.int64)
        place = (np.int64(number) << _SHARD_BITS) | rows
        reservoir.offer(group[wanted], priority[wanted], place, hashes.at(rows, candidates.passage[wanted]))


def _peaks(entries: _Candidates, config: AtlasConfig) -> Bool[ndarray, " candidate"]:
    """Entries not below their feature's nearest entries in the same passage and window; of equal ones the first."""
    gap = np.diff(entries.row)
    same = (entries.feature[1:] == entries.feature[:-1]) & (entries.passage[1:] == entries.passage[:-1])
    rising = entries.value[1:] > entries.value[:-1]
    peak = np.ones(len(entries.row), dtype=bool)
    peak[1:] &= rising | ~same | (gap > config.before)
    peak[:-1] &= ~rising | ~same | (gap > config.after)
    return peak


def _changes(candidates: _Candidates) -> Int64[ndarray, " group"]:
    """Where each run of one feature in one passage begins."""
    changed = (np.diff(candidates.feature, prepend=-1) != 0) | (np.diff(candidates.passage, prepend=-1) != 0)
    return np.flatnonzero(changed)


def _first_best(values: ndarray, first: Int64[ndarray, " group"]) -> Int64[ndarray, " group"]:
    """For runs that begin at `first`: the index of each run's greatest value, of equal ones the first."""
    best = np.repeat(np.maximum.reduceat(values, first), np.diff(np.append(first, len(values))))
    hits = np.flatnonzero(values == best)
    run = np.searchsorted(first, hits, side="right")
    return hits[np.flatnonzero(np.diff(run, prepend=0))]


def _global_rows(shard: CodeShard) -> UInt64[ndarray, " row"]:
    """A hash of each row's passage and position, the same wherever shards are cut."""
    return mix(shard.passage_ids[shard.row_passages()], 1) ^ mix(shard.positions, 2)


def _held(reservoir: Reservoir, begin: int, end: int, quantiles: int | None) -> tuple[ndarray, ...]:
    """Feature, role, interval, rank, place and identity of what the groups of some features hold."""
    intervals = quantiles or 1
    groups = slice(begin * len(ROLES) * intervals, end * len(ROLES) * intervals)
    group, slot = np.nonzero(np.arange(reservoir.size) < reservoir.held[groups][:, None])
    group += groups.start
    rest, interval = np.divmod(group, intervals)
    if quantiles is None:
        interval = np.full_like(rest, TOP)
    feature, role = np.divmod(rest, len(ROLES))
    return feature, role, interval, slot, reservoir.place[group, slot], reservoir.identity[group, slot]


class _WindowHashes:
    """Polynomial hashes, modulo 2^64, of the windows of a shard, each in constant time."""

    def __init__(self, shard: CodeShard, config: AtlasConfig) -> None:
        self._starts = shard.passage_starts.astype(np.int64)
        self._before, self._after = config.before, config.after
        powers = np.cumprod(np.full(len(shard.tokens), _BASE, dtype=np.uint64))
        self._inverse = np.cumprod(np.full(len(shard.tokens), _INVERSE, dtype=np.uint64))
        terms = (mix(shard.tokens) | np.uint64(1)) * powers
        self._sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms)])

    def at(self, rows: Int64[ndarray, " item"], passages: Int32[ndarray, " item"]) -> UInt64[ndarray, " item"]:
        """The hash of the tokens in the window around each row."""
        begin = np.maximum(rows - self._before, self._starts[passages])
        end = np.minimum(rows + self._after + 1, self._starts[passages + 1])
        return (self._sums[end] - self._sums[begin]) * self._inverse[begin]
