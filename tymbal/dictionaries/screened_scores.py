"""Exact selection at a fraction of the dense product's cost: screen in bfloat16, score what may be kept in fp32.

Each answer follows the same steps. A floor is chosen that enough scores should reach. The screen gives every feature
that may reach it, with its exact score. If enough of them do, no other feature can be among the highest, and the
answer is certain: it is that of `DenseScores`, whatever the screen's errors. Rows for which this fails, because the
floor was too high or because too many features lie near it, are scored in fp32 throughout and counted.

    highest of each row   floor: the row's k-th highest screened score, less a share of the error bound
    highest of the batch  floor: a cut that a little more than n·k screened scores exceed, judged from a sample
    above a floor         the floor itself, taken into the screen's bias
"""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.scores import DenseScores, Kept, Scores, best_of, entries_at, estimated_cut
from tymbal.dictionaries.screening import Candidates, Room, Screen

SLACK = 0.2
"""A row's floor lies this share of the error bound below its k-th highest screened score; few errors are larger."""
MOST_IN_ROW = 8
"""A row with candidates in more than this many times k groups is scored in fp32 throughout."""
MOST_OF_GROUPS = 1 / 4
"""Where rows may keep any number of features: the same as a share of all groups."""
SAMPLE_STRIDE = 127
"""One screened score in this many estimates the batch's cut; prime, so that it visits every feature."""


@final
class ScreenedScores(Scores):
    """Scores of fp32 rows, screened in `room`; answers are valid for good, the object until the room is used anew."""

    def __init__(
        self,
        centred: Float[Tensor, "row width"],
        encoder: Float[Tensor, "feature width"],
        bias: Float[Tensor, " feature"],
        room: Room,
    ) -> None:
        self._centred, self._encoder, self._bias, self._room = centred, encoder, bias, room
        self.uncertified = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and features."""
        return len(self._centred), len(self._encoder)

    @property
    def device(self) -> torch.device:
        """Where the scores lie."""
        return self._centred.device

    def highest_in_each_row(self, k: int) -> Active:
        """The k highest scores of each row, in any order, negative ones as 0."""
        screen = self._screened(self._bias)
        if screen is None or k > screen.groups:
            return self._without_screen().highest_in_each_row(k)
        floor = (screen.kth_highest(k) - SLACK * screen.error).clamp_min(0)
        found = screen.candidates(floor, MOST_IN_ROW * k)
        values, features = _highest(found, self._values(found), k)
        doubtful = (found.crowded | ((values.amin(1) < floor) & (floor > 0))).nonzero().squeeze(1)
        if len(doubtful):
            values[doubtful], features[doubtful] = torch.topk(self._exact(doubtful), k, dim=1, sorted=False)
        return Active(features.flatten(), values.relu().flatten(), torch.arange(0, features.numel(), k))

    def highest_of_batch(self, k: int) -> Active:
        """The n·k highest positive scores of a batch of n rows."""
        (rows, features), screen = self.shape, self._screened(self._bias)
        if screen is None:
            return self._without_screen().highest_of_batch(k)
        cut = estimated_cut(screen.sample(SAMPLE_STRIDE), k * rows, SAMPLE_STRIDE)
        found = screen.candidates(screen.error.new_full((rows,), cut), int(MOST_OF_GROUPS * screen.groups))
        kept = self._kept(found, self._bias.new_full((features,), cut))
        if cut > 0 and len(kept.values) < k * rows:
            return self._without_screen().highest_of_batch(k)
        return entries_at(best_of(kept, k * rows), rows, features)

    def above(self, floors: Float[Tensor, " feature"]) -> Active:
        """Every score that exceeds its feature's floor."""
        screen = self._screened(self._bias - floors)
        if screen is None:
            return self._without_screen().above(floors)
        found = screen.candidates(torch.zeros_like(screen.error), int(MOST_OF_GROUPS * screen.groups))
        kept = self._kept(found, floors)
        return entries_at(best_of(kept, len(kept.values)), *self.shape)

    def of(self, features: Int[Tensor, " chosen"]) -> Float[Tensor, "row chosen"]:
        """Every row's scores of a few features."""
        return torch.addmm(self._bias[features], self._centred, self._encoder[features].T)

    def dense(self) -> Float[Tensor, "row feature"]:
        """The whole matrix."""
        return torch.addmm(self._bias, self._centred, self._encoder.T)

    def _screened(self, bias: Tensor) -> Screen | None:
        """The screen; None where something is not finite, so that nothing can be concluded from it."""
        screen = Screen(self._centred, self._encoder, bias, self._room)
        return screen if screen.finite else None

    def _without_screen(self) -> DenseScores:
        self.uncertified = len(self._centred)
        return DenseScores(self.dense())

    def _exact(self, rows: Int[Tensor, " row"]) -> Float[Tensor, "row feature"]:
        self.uncertified += len(rows)
        return torch.addmm(self._bias, self._centred[rows], self._encoder.T)

    def _values(self, found: Candidates) -> Float[Tensor, " entry"]:
        return found.product + self._bias[found.feature]

    def _kept(self, found: Candidates, floors: Float[Tensor, " feature"]) -> Kept:
        """Candidates above their feature's floor, and those of rows that were too crowded for candidates."""
        features, values = self.shape[1], self._values(found)
        passes = values > floors[found.feature]
        kept = Kept((found.row * features + found.feature)[passes], values[passes])
        crowded = found.crowded.nonzero().squeeze(1)
        if not len(crowded):
            return kept
        scores = self._exact(crowded)
        place, feature = (scores > floors).nonzero(as_tuple=True)
        positions = torch.cat([kept.positions, crowded[place] * features + feature])
        return Kept(positions, torch.cat([kept.values, scores[place, feature]]))


def _highest(
    found: Candidates, values: Float[Tensor, " entry"], k: int
) -> tuple[Float[Tensor, "row k"], Int[Tensor, "row k"]]:
    """The k highest candidates of each row, and their features; -inf where there are fewer."""
    rows = len(found.counts)
    slots = max(k, int(found.counts.max()))
    place = found.row * slots + torch.arange(len(values)) - (found.counts.cumsum(0) - found.counts)[found.row]
    table = values.new_full((rows * slots,), -torch.inf).index_copy_(0, place, values)
    features = found.feature.new_zeros(rows * slots).index_copy_(0, place, found.feature)
    highest = table.view(rows, slots).topk(k, dim=1, sorted=False)
    return highest.values, features.view(rows, slots).gather(1, highest.indices)
