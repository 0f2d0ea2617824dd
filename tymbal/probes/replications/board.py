"""What each square of an Othello board holds, read from a model of its games (Li et al. 2023; Nanda et al. 2023).

1. A model reads held-out games; a row is the activation at a move, from which the next one is to be foreseen.
2. For each square a softmax over three contents is fitted, all squares of a site in one batch: nothing, mine or yours
   (by who is to move), or nothing, black, white.
3. Probes are judged on other games: the share of squares read rightly, and the same among discs that have been turned
   over since they were placed, which nobody can know from who played where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.corpora.othello import SQUARES, trace
from tymbal.corpora.othello.games import Moves, Trace
from tymbal.corpora.othello.tokens import tokens_of
from tymbal.dictionaries import Number
from tymbal.models import LanguageModel
from tymbal.probes.batched import solve_logistic
from tymbal.probes.probe import Scale
from tymbal.probes.splits import GroupDraws

CONTENTS = ("nothing", "mine", "yours")
COLOURS = ("nothing", "black", "white")
STRENGTH = 1e-4
"""Penalty in nats a row per squared weight, on units of spread 1."""
_DRAWS = 1_000
_GAMES_AT_ONCE = 250

Labels = Int[Tensor, "row square"]


@dataclass(frozen=True)
class BoardRows:
    """Positions of games, each with a move to come."""

    tokens: Int[Tensor, "game token"]
    game: Int[Tensor, " row"]
    ply: Int[Tensor, " row"]
    """The token of the row in its game, and how many moves have been made."""
    contents: Labels
    colours: Labels
    turned: Bool[Tensor, "row square"]
    """Whether the square holds a disc that is no longer of the colour in which it was placed."""
    moved: Float[Tensor, "row played"]
    """The moves made, without order: whether each square was played by the player to move, and whether by the other."""

    def __len__(self) -> int:
        return len(self.game)

    def __getitem__(self, rows: Tensor) -> "BoardRows":
        parts = (self.game, self.ply, self.contents, self.colours, self.turned, self.moved)
        return BoardRows(self.tokens, *(part[rows] for part in parts))

    def sampled(self, most: int, seed: int) -> "BoardRows":
        """At most so many rows, drawn by the seed."""
        drawn = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))[:most]
        return self[drawn.sort().values]

    def labels(self, of: Literal["contents", "colours"]) -> Labels:
        """What the squares hold, by who is to move or by colour."""
        return self.contents if of == "contents" else self.colours


def board_rows(moves: Moves) -> BoardRows:
    """Every position of these games after which a move follows, the first one, which is always the same, left out."""
    told = trace(moves)
    open_ = told.choices != 0
    open_[:, 0] = False
    game, ply = np.nonzero(open_)
    colours = told.colours()
    placed = _placed(colours)
    return BoardRows(
        tokens=torch.from_numpy(tokens_of(moves)).clamp(min=0),
        game=torch.from_numpy(game),
        ply=torch.from_numpy(ply),
        contents=torch.from_numpy(told.contents()[game, ply]).long(),
        colours=torch.from_numpy(colours[game, ply]).long(),
        turned=torch.from_numpy((placed != colours)[game, ply]),
        moved=torch.from_numpy(_moved(moves, told)[game, ply]),
    )


def _placed(colours: np.ndarray) -> np.ndarray:
    """The colour in which the disc on each square was placed; 0 while there is none."""
    placed = colours.copy()
    for state in range(1, colours.shape[1]):
        before = placed[:, state - 1]
        placed[:, state] = np.where(before != 0, before, colours[:, state])
    return placed


def _moved(moves: Moves, told: Trace) -> np.ndarray:
    """Squares played by the player to move, then those played by the other, at every state."""
    games, plies = moves.shape
    by_black = np.zeros((games, plies + 1, SQUARES), bool)
    by_white = np.zeros_like(by_black)
    for ply in range(plies):
        square = moves[:, ply]
        now = np.zeros((games, SQUARES), bool)
        now[np.arange(games), np.maximum(square, 0)] = square >= 0
        black = told.black[:, ply, None]
        by_black[:, ply + 1] = by_black[:, ply] | (now & black)
        by_white[:, ply + 1] = by_white[:, ply] | (now & ~black)
    black = told.black[..., None]
    both = (np.where(black, by_black, by_white), np.where(black, by_white, by_black))
    return np.concatenate(both, -1).astype(np.float32)


def read_rows(model: LanguageModel, rows: BoardRows, sites: Sequence[str]) -> dict[str, Float[Tensor, "row width"]]:
    """The activation of each row at these sites."""
    found: dict[str, list[Tensor]] = {site: [] for site in sites}
    order: list[Tensor] = []
    for first in range(0, len(rows.tokens), _GAMES_AT_ONCE):
        wanted = ((rows.game >= first) & (rows.game < first + _GAMES_AT_ONCE)).nonzero()[:, 0]
        if not len(wanted):
            continue
        activations = model.read(rows.tokens[first : first + _GAMES_AT_ONCE], sites)
        order.append(wanted)
        for site in sites:
            found[site].append(activations[site][rows.game[wanted] - first, rows.ply[wanted]])
    back = torch.cat(order).argsort()
    return {site: torch.cat(parts)[back] for site, parts in found.items()}


@dataclass(frozen=True)
class BoardProbe:
    """A softmax over contents for each square, linear in the activation."""

    weight: Float[Tensor, "square content width"]
    bias: Float[Tensor, "square content"]

    def scores(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row square content"]:
        """Log-probabilities up to a constant a square."""
        return torch.einsum("rw,scw->rsc", x, self.weight) + self.bias

    def read(self, x: Float[Tensor, "row width"]) -> Labels:
        """The likeliest content of each square."""
        return self.scores(x).argmax(-1)


def fit_board(x: Float[Tensor, "row width"], labels: Labels) -> BoardProbe:
    """The probe of these rows."""
    scale = Scale.of(x)
    rows = scale.apply(x).float()
    solved = solve_logistic(rows, labels.T.contiguous(), STRENGTH, classes=len(CONTENTS), tolerance=1e-4)
    weight = solved.weight.double() / scale.spread
    bias = solved.bias.double() - weight @ scale.mean
    return BoardProbe(weight.float(), bias.float())


@dataclass(frozen=True, kw_only=True)
class BoardScore:
    """How well boards are read, over all squares of all held-out rows."""

    right: Number
    """share of squares whose content is read rightly"""
    turned: Number
    """the same among discs that were turned over since they were placed"""


def score_board(read: Labels, labels: Labels, rows: BoardRows) -> BoardScore:
    """Shares with intervals over games."""
    drawn = GroupDraws(rows.game, draws=_DRAWS, seed=0)
    right = read == labels

    def share(among: Bool[Tensor, "row square"]) -> Number:
        hits, counts = (right & among).sum(1).double(), among.sum(1).double()
        return drawn.number(lambda weights: (weights @ hits) / (weights @ counts))

    return BoardScore(right=share(torch.ones_like(rows.turned)), turned=share(rows.turned))


def one_hot_plies(rows: BoardRows) -> Float[Tensor, "row ply"]:
    """How many moves have been made, as what a probe can read."""
    return torch.nn.functional.one_hot(rows.ply, rows.tokens.shape[1]).float()
