"""Games as text: a word a move, `d2 c2 …`."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int8

from tymbal.corpora.othello.board import NAMES
from tymbal.corpora.othello.games import NONE, Moves


def texts_of(moves: Moves) -> Iterator[str]:
    """Each game as the names of its squares."""
    for game in moves:
        yield " ".join(NAMES[square] for square in game[game != NONE])


def moves_of(text: str) -> Int8[np.ndarray, " ply"]:
    """The game that a text tells; raises `ValueError` for a word that names no square."""
    words = text.split()
    if unknown := [word for word in words if word not in NAMES]:
        raise ValueError(f"expected squares from a1 to f6; got {unknown[0]!r}")
    return np.array([NAMES.index(word) for word in words], np.int8)
