"""Ways to turn one disc in what a model has in mind, at the token that foresees the next move, in one block or several.

Each moves the activation until the probe reads the new content of the square, against the old, as surely as it reads
such squares on average, times a strength; what is read so already stays.

probe       along the probe's own direction from the old content to the new one (Nanda et al. 2023)
gradient    downhill on the probe's loss of the whole wanted board, which also holds the other squares (Li et al. 2023,
            with linear probes)
pattern     along the difference that the disc's colour makes to activations, all other squares alike: a linear
            regression of the activation on the board
random      a random direction, as far as `probe` goes
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from tymbal.edits.replications.flips import Flips
from tymbal.probes.replications.board import CONTENTS, BoardProbe, Labels

_STEPS = 100
_STEP = 0.02
"""At most so many steps of `gradient`, each of this share of the activation's length."""


class Way(StrEnum):
    """How a disc is turned."""

    PROBE = "probe"
    GRADIENT = "gradient"
    PATTERN = "pattern"
    RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is known of a site: its probe, how surely it reads, and what a square's content adds to the activation."""

    probe: BoardProbe
    sureness: Float[Tensor, " square"]
    """mean of |log-odds of mine against yours| over the rows whose square holds a disc"""
    pattern: Float[Tensor, "square content width"]


def board_pattern(x: Float[Tensor, "row width"], contents: Labels, ply: Int[Tensor, " row"]) -> Tensor:
    """What each square's content adds to the activation: least squares on all squares and the ply at once.

    A little ridge (1e-3 of a row) settles what the data leave open: the centre is never empty, and the contents of a
    square add up to one.
    """
    board = functional.one_hot(contents, len(CONTENTS)).flatten(1).double()
    design = torch.cat([board, functional.one_hot(ply).double()], 1)
    gram = design.T @ design + 1e-3 * len(x) / len(design.T) * torch.eye(design.shape[1]).double()
    added = torch.linalg.solve(gram, design.T @ x.double())
    return added[: board.shape[1]].view(contents.shape[1], len(CONTENTS), -1).float()


def read_site(probe: BoardProbe, x: Float[Tensor, "row width"], contents: Labels, ply: Int[Tensor, " row"]) -> Reading:
    """What edits need to know of a site."""
    scores = probe.scores(x)
    gap = (scores[..., 1] - scores[..., 2]).abs() * (contents > 0)
    return Reading(
        probe=probe,
        sureness=gap.sum(0) / (contents > 0).sum(0).clamp(min=1),
        pattern=board_pattern(x, contents, ply),
    )


@dataclass(frozen=True, kw_only=True)
class Turning:
    """How discs are turned, and where."""

    way: Way
    sites: tuple[str, ...]
    strength: float

    def edits(self, flips: Flips, readings: Mapping[str, Reading]) -> list["TurnDisc"]:
        """One edit a site for these cases, a row each."""
        return [TurnDisc(site=site, flips=flips, reading=readings[site], turning=self) for site in self.sites]


@dataclass(frozen=True, kw_only=True, eq=False)
class TurnDisc:
    """Turns a disc of each row at the token that foresees the case's move."""

    site: str
    flips: Flips
    reading: Reading
    turning: Turning

    def __call__(self, activation: Float[Tensor, "case token width"]) -> Float[Tensor, "case token width"]:
        """The activations, one of each row moved."""
        place = (self.flips.cases, self.flips.ply)
        last = activation[place]
        if self.turning.way is Way.GRADIENT:
            moved = self._downhill(last)
        elif self.turning.way is Way.PATTERN:
            moved = self._along(last, self._from_old_to_new(self.reading.pattern))
        elif self.turning.way is Way.PROBE:
            moved = self._along(last, self._from_old_to_new(self.reading.probe.weight))
        else:
            moved = self._at_random(last)
        return activation.index_put(place, moved)

    def _from_old_to_new(self, of: Float[Tensor, "square content width"]) -> Float[Tensor, "case width"]:
        square = self.flips.square
        return of[square, self.flips.new] - of[square, self.flips.old]

    def _missing(self, last: Float[Tensor, "case width"]) -> Float[Tensor, " case"]:
        """By how much the log-odds of new against old fall short of those wanted; 0 where they do not."""
        square, probe = self.flips.square, self.reading.probe
        scores = probe.scores(last)[self.flips.cases, square]
        odds = scores.gather(1, self.flips.new[:, None]) - scores.gather(1, self.flips.old[:, None])
        return (self.turning.strength * self.reading.sureness[square] - odds[:, 0]).clamp(min=0)

    def _along(
        self, last: Float[Tensor, "case width"], direction: Float[Tensor, "case width"]
    ) -> Float[Tensor, "case width"]:
        gain = (self._from_old_to_new(self.reading.probe.weight) * direction).sum(1)
        # A direction that hardly moves the reading would be followed without end.
        return last + (self._missing(last) / gain.clamp(min=1e-3 * float(gain.median())))[:, None] * direction

    def _at_random(self, last: Float[Tensor, "case width"]) -> Float[Tensor, "case width"]:
        like = self._along(last, self._from_old_to_new(self.reading.probe.weight)) - last
        drawn = torch.randn(last.shape, generator=torch.Generator().manual_seed(0))
        return last + functional.normalize(drawn, dim=1) * like.norm(dim=1, keepdim=True)

    def _downhill(self, last: Float[Tensor, "case width"]) -> Float[Tensor, "case width"]:
        probe, moved = self.reading.probe, last
        step = _STEP * last.norm(dim=1, keepdim=True)
        wanted = functional.one_hot(self.flips.wanted, len(CONTENTS))
        for _ in range(_STEPS):
            short = (self._missing(moved) > 0)[:, None]
            if not bool(short.any()):
                break
            unlike = probe.scores(moved).softmax(-1) - wanted
            uphill = functional.normalize(torch.einsum("rsc,scw->rw", unlike, probe.weight), dim=1)
            moved = torch.where(short, moved - step * uphill, moved)
        return moved
