"""Windows of text around places where a feature is active, or silent: what language models are shown.

All are drawn from one use's tokens (`Text`) and activations (`Activity`), so that a dictionary's features and baselines
are treated alike, and what is drawn from `score` passages cannot come from others. At most one window a passage and
kind. What is drawn depends on the seed and the feature alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64
from numpy import ndarray

from tymbal.explain.activity import Activity
from tymbal.explain.text import Text


class Window(NamedTuple):
    """Some tokens in a row, and how active a feature is on each."""

    tokens: list[str]
    activations: list[float]
    centre: int
    """index of the token that it was drawn for: the most active one, or any of silent ones"""
    passage: int
    """number of the passage in the text"""
    interval: int | None
    """of activation, 0 the weakest; None for a silent window"""

    @property
    def text(self) -> str:
        """As it reads."""
        return "".join(self.tokens).strip()


@dataclass(frozen=True, kw_only=True)
class WindowReader:
    """Draws windows of one use's passages."""

    text: Text
    activity: Activity
    before: int = 16
    """tokens before the centre"""
    after: int = 8
    """tokens after it"""
    intervals: int = 4
    """equal shares into which the peaks of a feature are cut by activation"""
    seed: int = 0

    def strongest(self, feature: int, count: int) -> list[Window]:
        """Around the feature's highest peaks, one a passage."""
        peaks = self._peaks(feature)
        return [self._window(feature, row, self.intervals - 1) for row in peaks.rows[::-1][:count].tolist()]

    def sampled(self, feature: int, count: int) -> list[Window]:
        """Around peaks drawn from each interval of activation in turn, the strongest interval first."""
        peaks, found = self._peaks(feature), []
        for interval, share in reversed(list(enumerate(np.array_split(peaks.rows, self.intervals)))):
            wanted = count // self.intervals + (self.intervals - 1 - interval < count % self.intervals)
            drawn = self._generator(feature, 1 + interval).permutation(share)[:wanted].tolist()
            found += [self._window(feature, row, interval) for row in drawn]
        return found

    def silent(self, feature: int, count: int) -> list[Window]:
        """Where the feature is silent all through, anywhere."""
        rows = self._generator(feature, 20).permutation(len(self.text))[: 40 * count + 400]
        return self._of_silent(feature, rows, count)

    def alike(self, feature: int, tokens: Iterable[str], count: int) -> list[Window]:
        """Where the feature is silent all through though the centre is one of these tokens: hard negatives."""
        numbers = self.text.made("numbers", lambda text: {own: n for n, own in enumerate(text.vocabulary)})
        known = np.zeros(len(self.text.vocabulary), dtype=bool)
        known[[numbers[token] for token in tokens if token in numbers]] = True
        rows = self._generator(feature, 21).permutation(np.flatnonzero(known[self.text.token]))[: 40 * count + 400]
        return self._of_silent(feature, rows, count)

    def near(self, feature: int, neighbours: Sequence[int], count: int) -> list[Window]:
        """Around the peaks of features that point the same way, where this one is silent: hard negatives too."""
        rows = [row for one in neighbours for row in self._peaks(one).rows[::-1][:count]]
        mixed = self._generator(feature, 22).permutation(np.array(rows, dtype=np.int64))
        return self._of_silent(feature, mixed, count)

    def fires_on(self, feature: int) -> list[str]:
        """The different tokens on which the feature is active."""
        rows, _ = self.activity.of_feature(feature)
        return [self.text.vocabulary[number] for number in np.unique(self.text.token[rows])]

    def _generator(self, feature: int, what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, feature, what])

    def _peaks(self, feature: int) -> "_Peaks":
        """The most active row of each passage in which the feature is active, by rising activation."""
        rows, values = self.activity.of_feature(feature)
        passages = self.text.passage[rows]
        # Of equal ones the first: a stable order by passage, then by falling activation.
        order = np.lexsort((rows, -values, passages))
        first = order[np.flatnonzero(np.diff(passages[order], prepend=-1))]
        first = first[np.lexsort((-rows[first], values[first]))]
        return _Peaks(rows[first], values[first])

    def _of_silent(self, feature: int, rows: ndarray, count: int) -> list[Window]:
        """Windows around these rows in turn, while the feature is silent in them and their passages are new."""
        active, _ = self.activity.of_feature(feature)
        begin, end = self._bounds(rows)
        quiet: Bool[ndarray, " row"] = np.searchsorted(active, begin) == np.searchsorted(active, end)
        found, passages = [], set()
        for row in rows[quiet].tolist():
            passage = int(self.text.passage[row])
            if len(found) < count and passage not in passages:
                passages.add(passage)
                found.append(self._window(feature, row, None))
        return found

    def _bounds(self, rows: ndarray) -> tuple[Int64[ndarray, " row"], Int64[ndarray, " row"]]:
        """First row and the one after the last of the windows around these rows, within their passages."""
        ends = self.text.made("passage_ends", lambda text: np.cumsum(np.bincount(text.passage)))
        rank, passage = self.text.rank[rows], self.text.passage[rows]
        rows = rows.astype(np.int64)
        return rows - np.minimum(rank, self.before), np.minimum(rows + self.after + 1, ends[passage])

    def _window(self, feature: int, row: int, interval: int | None) -> Window:
        (begin,), (end,) = self._bounds(np.array([row]))
        rows, values = self.activity.of_feature(feature)
        here = slice(*np.searchsorted(rows, [begin, end]))
        activations = np.zeros(end - begin, dtype=np.float32)
        activations[rows[here] - begin] = values[here]
        tokens = [self.text.vocabulary[number] for number in self.text.token[begin:end]]
        return Window(tokens, activations.tolist(), row - int(begin), int(self.text.passage[row]), interval)


class _Peaks(NamedTuple):
    rows: Int32[ndarray, " peak"]
    values: Float32[ndarray, " peak"]
