"""Othello on a board of six by six: rules, random games, and the model trained on them."""

from tymbal.corpora.othello.board import CENTRE, NAMES, PLIES, SQUARES, Boards, choices, flipped, opening, play, squares
from tymbal.corpora.othello.games import Trace, draw_games, trace
from tymbal.corpora.othello.notation import moves_of, texts_of
from tymbal.corpora.othello.recipe import OthelloTraining

__all__ = [
    "CENTRE",
    "NAMES",
    "PLIES",
    "SQUARES",
    "Boards",
    "OthelloTraining",
    "Trace",
    "choices",
    "draw_games",
    "flipped",
    "moves_of",
    "opening",
    "play",
    "squares",
    "texts_of",
    "trace",
]
