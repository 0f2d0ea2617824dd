"""The bitboards play by the rules: an oracle that goes square by square agrees on every board of many games."""

import numpy as np
import pytest

from tests.corpora.othello.slow_othello import SlowOthello
from tymbal.corpora.othello import CENTRE, NAMES, draw_games, moves_of, opening, play, squares, texts_of, trace

GAMES = 60


@pytest.fixture(scope="module")
def games() -> np.ndarray:
    return draw_games(GAMES, seed=5)


def test_every_board_and_every_choice_is_what_the_oracle_finds(games: np.ndarray) -> None:
    told = trace(games)
    choices, colours = squares(told.choices), told.colours()
    passes = 0
    for number, game in enumerate(games):
        slow = SlowOthello()
        for ply, square in enumerate([*game.tolist(), -1]):
            legal = slow.legal()
            assert set(np.flatnonzero(choices[number, ply]).tolist()) == legal
            assert [".BW"[content] for content in colours[number, ply]] == slow.flat()
            assert not legal or told.black[number, ply] == (slow.player == "B")
            if square < 0:
                assert not legal
                break
            before = slow.player
            slow.play(square)
            passes += bool(slow.legal()) and slow.player == before
    assert passes > 5  # games of random moves have passes, so they are under test


def test_as_many_games_of_few_moves_as_counted_elsewhere() -> None:
    """4, 12, 56, 244 and 1,396 games of 1 to 5 moves, as on the larger board, whose edge they do not reach."""
    boards, counted = opening(1), []
    for _ in range(5):
        row, square = np.nonzero(squares(boards.choices))
        boards = play(type(boards)(*(part[row] for part in boards)), np.uint64(1) << square.astype(np.uint64))
        counted.append(len(row))
    assert counted[:4] == [4, 12, 56, 244]


def test_a_move_turns_no_line_around_the_edge() -> None:
    # Own disc on a2, the other's on f1: next to each other in the bitboard, not on the board.
    own, other = (np.array([1 << NAMES.index(name)], np.uint64) for name in ("a2", "f1"))
    boards = opening(1)._replace(own=own, other=other)
    from tymbal.corpora.othello import choices

    assert choices(boards.own, boards.other)[0] == 0


def test_mine_and_yours_change_places_with_the_turn(games: np.ndarray) -> None:
    told = trace(games)
    contents, colours = told.contents(), told.colours()
    assert ((contents == 0) == (colours == 0)).all()
    mine_is_black = (contents == 1) == (colours == 1)
    assert mine_is_black[told.black].all()
    white = ~told.black[..., None] & (contents != 0)
    assert not mine_is_black[white].any()


def test_an_illegal_move_is_refused() -> None:
    with pytest.raises(ValueError, match="square 0 at ply 1 of game 0"):
        trace(np.array([[NAMES.index("c2"), 0]], np.int8))


def test_text_gives_the_moves_back(games: np.ndarray) -> None:
    for game, text in zip(games, texts_of(games), strict=True):
        assert moves_of(text).tolist() == [square for square in game.tolist() if square >= 0]
    assert not set(CENTRE) & set(games.flatten().tolist())
    with pytest.raises(ValueError, match="'g7'"):
        moves_of("c2 g7")
