"""The scores of a training batch, asked only for what a kind keeps of them.

A score is `encoder · centred row + encoder_bias`. Kinds never see the matrix of rows × features; they ask for the
highest of each row, the highest of the batch, or those above a floor. `DenseScores` answers from the whole matrix;
`ScreenedScores` (`screened_scores.py`) gives the same answers and computes few scores in fp32.

The n·k highest of a batch are found exactly without sorting it: a sample estimates a cut that a little more than n·k
scores exceed, those alone are collected, and the highest are taken among them. Where the estimate was too high the cut
is lowered until enough are there.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.active import Active

SAMPLE_STRIDE = 61
"""One score in this many estimates the cut; prime, so that it visits every feature."""
DEVIATIONS = 4.0
"""By so many standard deviations of the sample's count the cut is meant to let more than n·k scores through."""


class Scores(ABC):
    """Scores of a batch; entries come row after row, features ascending in each row unless stated otherwise."""

    uncertified: int
    """Rows of which every score was computed in fp32; all of them where there is no screen."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Rows and features."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the scores lie."""

    @abstractmethod
    def highest_in_each_row(self, k: int) -> Active:
        """The k highest scores of each row, in any order, negative ones as 0."""

    @abstractmethod
    def highest_of_batch(self, k: int) -> Active:
        """The n·k highest positive scores of a batch of n rows."""

    @abstractmethod
    def above(self, floors: Float[Tensor, " feature"]) -> Active:
        """Every score that exceeds its feature's floor."""

    @abstractmethod
    def of(self, features: Int[Tensor, " chosen"]) -> Float[Tensor, "row chosen"]:
        """Every row's scores of a few features."""

    @abstractmethod
    def dense(self) -> Float[Tensor, "row feature"]:
        """The whole matrix."""


@final
class DenseScores(Scores):
    """Scores as one matrix."""

    def __init__(self, scores: Float[Tensor, "row feature"]) -> None:
        self._scores = scores
        self.uncertified = len(scores)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and features."""
        rows, features = self._scores.shape
        return rows, features

    @property
    def device(self) -> torch.device:
        """Where the scores lie."""
        return self._scores.device

    def highest_in_each_row(self, k: int) -> Active:
        """The k highest scores of each row, in any order, negative ones as 0."""
        values, indices = torch.topk(self._scores, k, dim=-1, sorted=False)
        return Active(indices.flatten(), values.relu().flatten(), starts(len(indices), k, indices.device))

    def highest_of_batch(self, k: int) -> Active:
        """The n·k highest positive scores of a batch of n rows."""
        rows, features = self._scores.shape
        return entries_at(highest(self._scores, k * rows), rows, features)

    def above(self, floors: Float[Tensor, " feature"]) -> Active:
        """Every score that exceeds its feature's floor."""
        positions = (self._scores > floors).flatten().nonzero().squeeze(-1)
        return entries_at(Kept(positions, self._scores.flatten()[positions]), *self._scores.shape)

    def of(self, features: Int[Tensor, " chosen"]) -> Float[Tensor, "row chosen"]:
        """Every row's scores of a few features."""
        return self._scores[:, features]

    def dense(self) -> Float[Tensor, "row feature"]:
        """The whole matrix."""
        return self._scores


class Kept(NamedTuple):
    """Scores kept from a batch, as positions in the flattened matrix, ascending, and their values."""

    positions: Int[Tensor, " kept"]
    values: Float[Tensor, " kept"]


def starts(rows: int, k: int, device: torch.device) -> Int[Tensor, " row"]:
    """Where each row's entries begin when every row has k."""
    return k * torch.arange(rows, device=device)


def entries_at(kept: Kept, rows: int, features: int) -> Active:
    """Kept scores as entries, row after row."""
    row = kept.positions // features
    counts = torch.bincount(row, minlength=rows)
    return Active(kept.positions - row * features, kept.values, counts.cumsum(0) - counts)


def highest(scores: Float[Tensor, "row feature"], count: int) -> Kept:
    """The `count` highest positive scores of the whole batch (all of them where fewer are positive), exactly."""
    flat = scores.flatten()
    cut = estimated_cut(flat[::SAMPLE_STRIDE], count, SAMPLE_STRIDE)
    positions = (flat > cut).nonzero().squeeze(-1)
    while positions.numel() < count and cut > 0:
        cut = cut / 2 if cut > 1e-6 * float(flat.max()) else 0.0
        positions = (flat > cut).nonzero().squeeze(-1)
    return best_of(Kept(positions, flat[positions]), count)


def best_of(kept: Kept, count: int) -> Kept:
    """The `count` highest, or all where there are fewer, in ascending order of position."""
    if len(kept.values) > count:
        best = torch.topk(kept.values, count, sorted=False)
        kept = Kept(kept.positions[best.indices], best.values)
    narrow = kept.positions.int() if len(kept.values) and int(kept.positions.max()) < 1 << 31 else kept.positions
    order = narrow.sort().indices  # a sort of few bytes takes few passes
    return Kept(kept.positions[order], kept.values[order])


def estimated_cut(sample: Float[Tensor, " score"], count: int, stride: int) -> float:
    """A number that a few more than `count` scores exceed, judged from one in `stride` of them; at least 0."""
    expected = count / stride
    wanted = min(sample.numel(), int(expected + DEVIATIONS * expected**0.5) + 1)
    return max(0.0, float(torch.topk(sample, wanted, sorted=False).values.min()))
