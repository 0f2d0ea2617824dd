"""The rules of Othello on a board of six by six, for many boards at once.

A set of squares is a bitboard: bit 6 * row + column of a 64-bit word, from a1 in the upper left corner (bit 0) to f6 in
the lower right (bit 35). A board is two such sets, seen by the player who is to move: own discs, the other's discs.

1. `choices`: from the own discs, run over the other's in each of eight directions; where a run of at least one ends on
   an empty square, that square may be played.
2. `flipped`: from the square played, run over the other's discs; the runs that end on an own disc are turned over.
3. `play`: turn them, and hand the board to the other player. Who has no choice passes, without a word: the turn goes
   back. Where nobody has one, the game is over and the board has no choices.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt64

SIDE = 6
SQUARES = SIDE * SIDE
NAMES = tuple(f"{column}{row}" for row in range(1, SIDE + 1) for column in "abcdef")
"""Names of the squares by number, a letter for the column and a digit for the row."""
CENTRE = tuple(NAMES.index(name) for name in ("c3", "d3", "c4", "d4"))
"""The squares that hold discs from the start, and are never played."""
PLIES = SQUARES - len(CENTRE)
"""Moves of a game in which no square is left empty."""

Bits = UInt64[np.ndarray, " game"]

_ALL = (1 << SQUARES) - 1
_WEST = sum(1 << SIDE * row for row in range(SIDE))
_EAST = _WEST << SIDE - 1
_STEPS = (
    (1, _ALL & ~_WEST), (-1, _ALL & ~_EAST), (SIDE, _ALL), (-SIDE, _ALL),
    (SIDE + 1, _ALL & ~_WEST), (-SIDE - 1, _ALL & ~_EAST), (SIDE - 1, _ALL & ~_EAST), (1 - SIDE, _ALL & ~_WEST),
)  # fmt: skip
"""Each direction as a shift, and the squares that it can reach without leaving the board at one side."""
_LONGEST = SIDE - 2
"""Discs between two others in a line, at most."""


class Boards(NamedTuple):
    """Boards as the players who are to move see them."""

    own: Bits
    other: Bits
    black: Bool[np.ndarray, " game"]
    """Whether black is to move."""
    choices: Bits
    """Squares that may be played; none once the game is over."""


def opening(games: int) -> Boards:
    """Boards before the first move, black's: black on d3 and c4, white on c3 and d4."""
    black = np.full(games, _bit("d3") | _bit("c4"), np.uint64)
    white = np.full(games, _bit("c3") | _bit("d4"), np.uint64)
    return Boards(black, white, np.ones(games, bool), choices(black, white))


def choices(own: Bits, other: Bits) -> Bits:
    """The squares that the player with these discs may play."""
    empty = ~(own | other) & np.uint64(_ALL)
    found = np.zeros_like(own)
    for step in _STEPS:
        run = _shifted(own, step) & other
        for _ in range(_LONGEST - 1):
            run |= _shifted(run, step) & other
        found |= _shifted(run, step) & empty
    return found


def flipped(played: Bits, own: Bits, other: Bits) -> Bits:
    """The other's discs that a disc on the square played turns over."""
    turned = np.zeros_like(own)
    for step in _STEPS:
        run = _shifted(played, step) & other
        for _ in range(_LONGEST - 1):
            run |= _shifted(run, step) & other
        closed = (_shifted(run, step) & own) != 0
        turned |= np.where(closed, run, np.uint64(0))
    return turned


def play(boards: Boards, played: Bits) -> Boards:
    """The boards after these moves, one square each; a board on which nothing is played stays as it is."""
    turned = flipped(played, boards.own, boards.other)
    mover, waiting = boards.own | played | turned, boards.other & ~turned
    return _to_move(waiting, mover, ~boards.black, stays=(played == 0), before=boards)


def _to_move(own: Bits, other: Bits, black: np.ndarray, *, stays: np.ndarray, before: Boards) -> Boards:
    """Hand the board over, and back where that player has to pass."""
    could = choices(own, other)
    passes = could == 0
    own, other = np.where(passes, other, own), np.where(passes, own, other)
    could = np.where(passes, choices(own, other), could)
    black = np.where(passes, ~black, black)
    after = (own, other, black, could)
    return Boards(*(np.where(stays, old, new) for old, new in zip(before, after, strict=True)))


def squares(bits: UInt64[np.ndarray, "*axes"]) -> Bool[np.ndarray, "*axes square"]:
    """Sets of squares spread out: whether each square is a member."""
    return (bits[..., None] >> np.arange(SQUARES, dtype=np.uint64) & np.uint64(1)).astype(bool)


def _bit(name: str) -> int:
    return 1 << NAMES.index(name)


def _shifted(bits: Bits, step: tuple[int, int]) -> Bits:
    by, reachable = step
    moved = bits << np.uint64(by) if by > 0 else bits >> np.uint64(-by)
    return moved & np.uint64(reachable)
