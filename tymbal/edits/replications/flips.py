"""A benchmark of boards with one disc turned over (Li et al. 2023, section 4.2; Nanda et al. 2023, section 3).

A case is a position of a held-out game and a disc on it, such that with this disc of the other colour the player to
move still has a move. The moves that would then be legal are known from the rules; no game need lead to such a board.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tymbal.corpora.othello import PLIES, choices, squares, trace
from tymbal.corpora.othello.games import Moves
from tymbal.corpora.othello.tokens import token_mask, tokens_of

MINE, YOURS = 1, 2


@dataclass(frozen=True)
class Flips:
    """Cases, each of a game of its own."""

    tokens: Int[Tensor, "case token"]
    """The whole games; what comes after the case, the model does not see."""
    ply: Int[Tensor, " case"]
    """Moves made; the token of this number is where the next move is foreseen."""
    square: Int[Tensor, " case"]
    contents: Int[Tensor, "case square"]
    """The board as it is: 0 nothing, 1 mine, 2 yours."""
    before: Bool[Tensor, "case vocabulary"]
    """Tokens of legal moves."""
    after: Bool[Tensor, "case vocabulary"]
    """Tokens of legal moves once the disc is turned."""

    def __len__(self) -> int:
        return len(self.ply)

    @property
    def old(self) -> Int[Tensor, " case"]:
        """Whose disc it is."""
        return self.contents.gather(1, self.square[:, None])[:, 0]

    @property
    def new(self) -> Int[Tensor, " case"]:
        """Whose disc it is to become."""
        return MINE + YOURS - self.old

    @property
    def wanted(self) -> Int[Tensor, "case square"]:
        """The board with the disc turned."""
        return self.contents.scatter(1, self.square[:, None], self.new[:, None])

    @property
    def changing(self) -> Bool[Tensor, " case"]:
        """Whether other moves are legal once the disc is turned."""
        return (self.before != self.after).any(1)

    @property
    def cases(self) -> Int[Tensor, " case"]:
        """Their numbers."""
        return torch.arange(len(self))


def draw_flips(moves: Moves, *, seed: int, first: int = 4, last: int = PLIES - 4) -> Flips:
    """One case of each game that has one, at a ply from `first` to `last`, all plies and discs with equal chances."""
    told, generator = trace(moves), np.random.default_rng(seed)
    ply = generator.integers(first, last + 1, len(moves))
    game = np.arange(len(moves))
    own, other = told.own[game, ply], told.other[game, ply]
    discs = squares(own | other)
    # The disc to turn is the first, in an order drawn for each game, after which there is a move.
    key = np.where(discs, generator.random(discs.shape), -1.0)
    square, after = np.full(len(moves), -1), np.zeros(len(moves), np.uint64)
    for number in np.argsort(-key, 1).T:
        bit = np.uint64(1) << number.astype(np.uint64)
        possible = choices(own ^ bit, other ^ bit)
        takes = (square < 0) & discs[game, number] & (possible != 0)
        square[takes], after[takes] = number[takes], possible[takes]
    kept = np.flatnonzero((square >= 0) & (told.choices[game, ply] != 0))
    return Flips(
        tokens=torch.from_numpy(tokens_of(moves[kept])).clamp(min=0),
        ply=torch.from_numpy(ply[kept]),
        square=torch.from_numpy(square[kept]),
        contents=torch.from_numpy(told.contents()[kept, ply[kept]]).long(),
        before=torch.from_numpy(token_mask(told.choices[kept, ply[kept]])),
        after=torch.from_numpy(token_mask(after[kept])),
    )
