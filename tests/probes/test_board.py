"""The board probe finds a planted board, square by square, and does not find colours where only mine and yours are."""

import pytest
import torch

from tests.corpora.othello.slow_othello import SlowOthello
from tymbal.corpora.othello import draw_games
from tymbal.models import LanguageModel, open_model
from tymbal.probes.replications.board import BoardRows, board_rows, fit_board, one_hot_plies, read_rows, score_board

WIDTH = 110


@pytest.fixture(scope="module")
def rows() -> BoardRows:
    return board_rows(draw_games(120, seed=0))


@pytest.fixture(scope="module")
def others() -> BoardRows:
    return board_rows(draw_games(60, seed=1))


def planted(rows: BoardRows) -> torch.Tensor:
    directions = torch.randn(108, WIDTH, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.one_hot(rows.contents, 3).flatten(1).float() @ directions


def test_rows_are_the_oracles_boards() -> None:
    games = draw_games(15, seed=3)
    rows = board_rows(games)
    place = 0
    for number, game in enumerate(games):
        slow, placed, played = SlowOthello(), {}, {"B": set(), "W": set()}
        placed = {square: disc for square, disc in enumerate(slow.flat()) if disc != "."}
        for ply, square in enumerate(game[game >= 0].tolist(), 1):
            placed[square] = slow.player
            played[slow.player].add(square)
            slow.play(square)
            if not slow.legal():
                break
            assert (int(rows.game[place]), int(rows.ply[place])) == (number, ply)
            flat = slow.flat()
            assert [".BW"[colour] for colour in rows.colours[place].tolist()] == flat
            mine = [0 if disc == "." else 1 if disc == slow.player else 2 for disc in flat]
            assert rows.contents[place].tolist() == mine
            turned = {square for square, disc in placed.items() if flat[square] != disc}
            assert set(rows.turned[place].nonzero()[:, 0].tolist()) == turned
            other = "W" if slow.player == "B" else "B"
            moved = rows.moved[place].view(2, 36)
            assert set(moved[0].nonzero()[:, 0].tolist()) == played[slow.player]
            assert set(moved[1].nonzero()[:, 0].tolist()) == played[other]
            place += 1
    assert place == len(rows)


def test_a_planted_board_is_read_in_full(rows: BoardRows, others: BoardRows) -> None:
    probe = fit_board(planted(rows), rows.contents)
    score = score_board(probe.read(planted(others)), others.contents, others)
    assert score.right.value > 0.995
    assert score.turned.value > 0.99
    assert score.right.low <= score.right.value <= score.right.high


def test_colours_cannot_be_read_where_mine_and_yours_are_planted(rows: BoardRows, others: BoardRows) -> None:
    probe = fit_board(planted(rows), rows.colours)
    score = score_board(probe.read(planted(others)), others.colours, others)
    assert score.right.value < 0.85


def test_the_number_of_moves_tells_little(rows: BoardRows, others: BoardRows) -> None:
    probe = fit_board(one_hot_plies(rows), rows.contents)
    assert score_board(probe.read(one_hot_plies(others)), others.contents, others).right.value < 0.7


def test_shares_count_squares_and_turned_discs(others: BoardRows) -> None:
    wrong = others.contents.clone()
    wrong[others.turned] = 0
    score = score_board(wrong, others.contents, others)
    assert score.turned.value == 0
    assert score.right.value == pytest.approx(1 - float(others.turned.float().mean()))


def test_activations_are_those_of_the_rows(tiny_llama_folder, rows: BoardRows) -> None:
    model: LanguageModel = open_model(tiny_llama_folder)
    some = rows.sampled(50, seed=0)
    found = read_rows(model, some, ["resid_post.1", "embed"])
    for row in (0, 17, 49):
        tokens = some.tokens[some.game[row]][None]
        alone = model.read(tokens, ["resid_post.1"])["resid_post.1"][0, some.ply[row]]
        torch.testing.assert_close(found["resid_post.1"][row], alone, rtol=1e-4, atol=1e-5)
