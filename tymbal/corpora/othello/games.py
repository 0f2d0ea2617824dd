"""Games of random legal moves, drawn in blocks; a block is a function of its seed.

Every move is drawn with equal chances from those that the rules allow, so the entropy of a game is known exactly: the
sum of ln(choices). No model can foresee games better than that on average.

What a model is trained on and what it is judged by are told apart by the board after eight moves: each such board, and
with it every game that comes through it in whatever order of moves, has one role (`tymbal.corpora.Role`). A held-out
game therefore shares no more than seven moves with any game of training.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int8, UInt64

from tymbal.corpora.othello.board import PLIES, SQUARES, Boards, opening, play, squares
from tymbal.corpora.roles import GOLDEN, Role, roles_of

OPENING = 8
"""Moves after which the board decides what a game is for."""
HELD_OUT_SHARE = 1 / 16
NONE = -1
"""Stands for a move after the end."""

Moves = Int8[np.ndarray, "game ply"]


class Trace(NamedTuple):
    """The boards of games: at each ply the one before that move; the last one before a move that is never made."""

    own: UInt64[np.ndarray, "game state"]
    other: UInt64[np.ndarray, "game state"]
    black: Bool[np.ndarray, "game state"]
    choices: UInt64[np.ndarray, "game state"]

    def contents(self) -> Int8[np.ndarray, "game state square"]:
        """What each square holds, as the player to move sees it: 0 nothing, 1 mine, 2 yours."""
        return squares(self.own).astype(np.int8) + 2 * squares(self.other).astype(np.int8)

    def colours(self) -> Int8[np.ndarray, "game state square"]:
        """What each square holds: 0 nothing, 1 black, 2 white."""
        seen = self.contents()
        return np.where(self.black[..., None] | (seen == 0), seen, 3 - seen).astype(np.int8)


def draw_games(count: int, *, seed: int | Sequence[int], role: Role = Role.TRAIN) -> Moves:
    """Games of this role, by square number; -1 after the end."""
    generator = np.random.default_rng(seed)
    share = 1 - HELD_OUT_SHARE if role is Role.TRAIN else HELD_OUT_SHARE / 3
    openings, boards = _none(), []
    while len(openings) < count:
        first, reached = _played(opening(round((count - len(openings)) / share) + 64), OPENING, generator)
        kept = _roles(reached) == role
        openings = np.concatenate([openings, first[kept]])
        boards.append(Boards(*(part[kept] for part in reached)))
    reached = Boards(*(np.concatenate(parts)[:count] for parts in zip(*boards, strict=True)))
    rest, _ = _played(reached, PLIES - OPENING, generator)
    return np.concatenate([openings[:count], rest], 1)


def trace(moves: Moves) -> Trace:
    """The boards of these games; raises `ValueError` for a move that the rules do not allow."""
    boards = opening(len(moves))
    passed = [boards]
    for ply in range(moves.shape[1]):
        played = _bits(moves[:, ply])
        wrong = (played & ~boards.choices) != 0
        if wrong.any():
            game = int(wrong.argmax())
            raise ValueError(f"expected legal moves; got square {moves[game, ply]} at ply {ply} of game {game}")
        boards = play(boards, played)
        passed.append(boards)
    return Trace(*(np.stack(parts, 1) for parts in zip(*passed, strict=True)))


def _played(boards: Boards, plies: int, generator: np.random.Generator) -> tuple[Moves, Boards]:
    moves = np.full((len(boards.own), plies), NONE, np.int8)
    for ply in range(plies):
        drawn = generator.random((len(moves), SQUARES), np.float32)
        drawn[~squares(boards.choices)] = -1
        square = drawn.argmax(1).astype(np.int8)
        moves[:, ply] = np.where(boards.choices != 0, square, NONE)
        boards = play(boards, _bits(moves[:, ply]))
    return moves, boards


def _bits(moves: Int8[np.ndarray, " game"]) -> UInt64[np.ndarray, " game"]:
    """The square of each move as a set; the empty one for none."""
    return np.where(moves == NONE, np.uint64(0), np.uint64(1) << np.maximum(moves, 0).astype(np.uint64))


def _roles(boards: Boards) -> np.ndarray:
    keys = (boards.own * GOLDEN) ^ boards.other  # no error: overflow of arrays wraps
    return roles_of(keys.astype(np.int64), heldout=HELD_OUT_SHARE, seed=0)


def _none() -> Moves:
    return np.empty((0, OPENING), np.int8)
