"""Cases of the flip benchmark are what the oracle of the rules says of them."""

import pytest

from tests.corpora.othello.slow_othello import SlowOthello
from tymbal.corpora.othello import draw_games
from tymbal.corpora.othello.tokens import game_tokenizer
from tymbal.edits.replications import Flips, draw_flips


@pytest.fixture(scope="module")
def flips() -> Flips:
    return draw_flips(draw_games(80, seed=6), seed=1)


def legal_names(game: SlowOthello) -> set[str]:
    return {f"{'abcdef'[square % 6]}{square // 6 + 1}" for square in game.legal()}


def test_moves_before_and_after_the_flip_are_the_oracles(flips: Flips) -> None:
    names = game_tokenizer().convert_ids_to_tokens(list(range(flips.before.shape[1])))
    told = {name: number for number, name in enumerate(names)}
    assert len(flips) > 60
    assert 0 < int(flips.changing.sum()) < len(flips)
    for case in range(len(flips)):
        game = SlowOthello()
        for token in flips.tokens[case, 1 : int(flips.ply[case]) + 1].tolist():
            column, row = names[token]
            game.play(6 * (int(row) - 1) + "abcdef".index(column))
        assert {told[name] for name in legal_names(game)} == set(flips.before[case].nonzero()[:, 0].tolist())
        row, column = divmod(int(flips.square[case]), 6)
        disc = game.board[row][column]
        assert (disc == game.player) == (int(flips.old[case]) == 1)
        game.board[row][column] = "W" if disc == "B" else "B"
        assert {told[name] for name in legal_names(game)} == set(flips.after[case].nonzero()[:, 0].tolist())
        assert game.legal()


def test_the_wanted_board_differs_in_one_disc(flips: Flips) -> None:
    differs = flips.wanted != flips.contents
    assert (differs.sum(1) == 1).all()
    assert (differs.int().argmax(1) == flips.square).all()
    assert (flips.old + flips.new == 3).all()


def test_plies_and_discs_are_spread(flips: Flips) -> None:
    assert len(flips.ply.unique()) > 15
    assert len(flips.square.unique()) > 20
