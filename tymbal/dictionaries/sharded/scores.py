"""Scores of one rank's rows and features that compete for the same places with those of all other ranks; exact.

The highest of each row: the k highest of the whole row are among the k highest of each part of it, so those are gathered
and the k highest of them taken. The highest of the batch, n·k of them, without gathering scores:

    1. A cut that a few more than n·k scores exceed, judged from a sample on every rank.
    2. Each rank collects its own scores above it; where all together are too few the cut is lowered.
    3. The n·k-th highest of them all, digit by digit: the bits of positive numbers are in the order of the numbers, so a
       histogram of the upper 16 bits, summed over all ranks, says in which bin it lies, and one of the next 16 bits of
       the numbers in that bin says where. Numbers equal to it are taken rank by rank.

Each rank then has the entries of its own features, those that were chosen anywhere in the whole.
"""

from typing import NamedTuple, final

import torch
import torch.distributed as dist
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.scores import Kept, Scores, entries_at
from tymbal.dictionaries.sharded.collectives import gathered, reduced

DIGIT = 16
"""Bits looked at together."""
SAMPLE_STRIDE, SAMPLED = 61, 64
"""The cut is judged from every 61st feature of a rank, or from 64 where it has few."""
MARGIN = 1.25
"""The cut is meant to let so many times n·k scores through: rows and features differ more than chance would have it."""


class Competitors(NamedTuple):
    """Who else has scores."""

    features: dist.ProcessGroup
    """Ranks with other features of the same rows."""
    everyone: dist.ProcessGroup
    """Ranks with any scores of the batch."""
    row_parts: int
    """Parts into which the batch's rows are cut."""


@final
class SharedScores(Scores):
    """One rank's scores among those of all."""

    def __init__(self, own: Scores, others: Competitors) -> None:
        self._own, self._others = own, others

    @property
    def uncertified(self) -> int:
        """One's own rows of which every score was computed in fp32."""
        return self._own.uncertified

    @property
    def shape(self) -> tuple[int, int]:
        """One's own rows and features."""
        return self._own.shape

    @property
    def device(self) -> torch.device:
        """Where the scores lie."""
        return self._own.device

    def of(self, features: Int[Tensor, " chosen"]) -> Float[Tensor, "row chosen"]:
        """Every row's scores of a few of one's own features."""
        return self._own.of(features)

    def dense(self) -> Float[Tensor, "row feature"]:
        """One's own part of the matrix."""
        return self._own.dense()

    def above(self, floors: Float[Tensor, " feature"]) -> Active:
        """Every score that exceeds its feature's floor."""
        return self._own.above(floors)

    def highest_in_each_row(self, k: int) -> Active:
        """Which of the k highest scores of each row are one's own."""
        rows, features = self.shape
        own = min(k, features)
        found = self._own.highest_in_each_row(own)
        # Values are at least 0, so that what only fills the k places never comes before a score.
        offered = torch.nn.functional.pad(found.values.view(rows, own), (0, k - own), value=-1.0)
        everything = gathered(offered, self._others.features).movedim(0, 1)
        parts = everything.shape[1]
        chosen = torch.zeros(rows, parts * k, dtype=torch.bool, device=offered.device)
        chosen.scatter_(1, everything.reshape(rows, -1).topk(k, dim=1, sorted=False).indices, True)
        mine = chosen.view(rows, parts, k)[:, dist.get_rank(self._others.features), :own]
        counts = mine.sum(1)
        return Active(found.features[mine.flatten()], found.values[mine.flatten()], counts.cumsum(0) - counts)

    def highest_of_batch(self, k: int) -> Active:
        """Which of the n·k highest positive scores of the whole batch of n rows are one's own."""
        rows, features = self.shape
        count = k * rows * self._others.row_parts
        found = self._enough(count)
        kept = self._best(found.values, count)
        lengths = torch.diff(found.offsets, append=found.offsets.new_tensor([len(found.values)]))
        row = torch.repeat_interleave(lengths, output_size=len(found.values))
        return entries_at(Kept((row * features + found.features)[kept], found.values[kept]), rows, features)

    def _enough(self, count: int) -> Active:
        """One's own positive scores above a cut that at least `count` of all exceed, or all of them."""
        rows, features = self.shape
        stride = max(1, min(SAMPLE_STRIDE, features // SAMPLED))
        chosen = torch.arange(0, features, stride, device=self._own.device)
        sample = self._own.of(chosen)
        cut = self._cut(sample[sample > 0], max(1, int(MARGIN * count * len(chosen) / features)))
        while True:
            found = self._own.above(sample.new_full((features,), cut))
            if cut == 0 or self._in_all(found.values) >= count:
                return found
            cut = cut / 2 if cut > 1e-6 else 0.0

    def _cut(self, sample: Float[Tensor, " score"], count: int) -> float:
        """A number that about `count` numbers of all ranks' samples exceed: the lower end of a bin; 0 for all."""
        level = _first_digit(sample.dtype)
        histogram = self._histogram(_bits(sample) >> level)
        reached = histogram.flip(0).cumsum(0)
        if int(reached[-1]) < count:
            return 0.0
        bin_ = len(histogram) - 1 - int(torch.searchsorted(reached, count))
        return float(_numbers(torch.tensor([bin_ << level]), sample.dtype))

    def _best(self, values: Float[Tensor, " entry"], count: int) -> Int[Tensor, " kept"]:
        """Places of one's own values that are among the `count` highest of all, ascending."""
        if self._in_all(values) <= count:
            return torch.arange(len(values), device=values.device)
        bits = _bits(values)
        left, lowest, digits = bits, 0, 1 << DIGIT
        for level in range(_first_digit(values.dtype), -1, -DIGIT):
            digit = (left >> level) & (digits - 1)
            histogram = self._histogram(digit)
            reached = histogram.flip(0).cumsum(0)
            place = int(torch.searchsorted(reached, count))
            count -= int(reached[place - 1]) if place else 0
            left = left[digit == digits - 1 - place]
            lowest = lowest << DIGIT | digits - 1 - place
        ties = gathered(torch.tensor([len(left)], device=values.device), self._others.everyone).flatten()
        before = int(ties[: dist.get_rank(self._others.everyone)].sum())
        tied = (bits == lowest).nonzero().squeeze(1)[: max(0, count - before)]
        above = (bits > lowest).nonzero().squeeze(1)
        return torch.cat([above, tied]).sort().values

    def _histogram(self, digits: Int[Tensor, " entry"]) -> Int[Tensor, " bin"]:
        counts = torch.zeros(1 << DIGIT, dtype=torch.int64, device=digits.device)
        return reduced(counts.index_add_(0, digits, torch.ones_like(digits)), self._others.everyone)

    def _in_all(self, values: Float[Tensor, " entry"]) -> int:
        """How many entries all ranks have together."""
        return int(reduced(torch.tensor(len(values), device=values.device), self._others.everyone))


def _bits(positive: Float[Tensor, " entry"]) -> Int[Tensor, " entry"]:
    """Positive numbers as whole numbers in the same order."""
    return positive.view(torch.int64 if positive.dtype == torch.float64 else torch.int32).long()


def _numbers(bits: Int[Tensor, " entry"], dtype: torch.dtype) -> Float[Tensor, " entry"]:
    """The numbers with these bits."""
    return bits.to(torch.int64 if dtype == torch.float64 else torch.int32).view(dtype)


def _first_digit(dtype: torch.dtype) -> int:
    """Where the uppermost digit of such a number begins."""
    return torch.finfo(dtype).bits - DIGIT
