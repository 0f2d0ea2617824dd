"""Random games: the same for a seed, every choice as likely, and no board of training among the held-out ones."""

import numpy as np
import pytest

from tymbal.corpora.othello import draw_games, squares, texts_of, trace
from tymbal.corpora.othello.games import OPENING
from tymbal.corpora.othello.tokens import CONTEXT, VOCABULARY, game_tokenizer, tokens_of
from tymbal.corpora.roles import HELD_OUT, Role


def test_a_seed_gives_the_same_games_and_another_others() -> None:
    assert (draw_games(50, seed=3) == draw_games(50, seed=3)).all()
    assert (draw_games(50, seed=3) != draw_games(50, seed=4)).any()
    assert (draw_games(50, seed=[3, 1]) != draw_games(50, seed=[3, 2])).any()


def test_no_board_after_eight_moves_has_two_roles() -> None:
    boards = {}
    for role in (Role.TRAIN, *HELD_OUT):
        told = trace(draw_games(800, seed=int(role), role=role)[:, :OPENING])
        boards[role] = set(zip(told.own[:, -1].tolist(), told.other[:, -1].tolist(), strict=True))
    for role in HELD_OUT:
        for other in boards.keys() - {role}:
            assert not boards[role] & boards[other]
    # The same boards would be met again, were they not kept apart: two draws of training share many.
    again = trace(draw_games(800, seed=9)[:, :OPENING])
    assert boards[Role.TRAIN] & set(zip(again.own[:, -1].tolist(), again.other[:, -1].tolist(), strict=True))


def test_every_legal_move_is_drawn_as_often() -> None:
    games = draw_games(4_000, seed=0)
    told = trace(games)
    first = np.bincount(games[:, 0], minlength=36)
    assert (first > 0).sum() == 4
    assert abs(first[first > 0] / 4_000 - 0.25).max() < 0.03
    # Anywhere: the place of the move drawn among those allowed, in thirds of those with three choices.
    choices = squares(told.choices)[:, OPENING:-1]
    three = choices.sum(-1) == 3
    rank = (np.cumsum(choices, -1) - 1)[three, games[:, OPENING:][three]]
    assert abs(np.bincount(rank, minlength=3) / three.sum() - 1 / 3).max() < 0.02


def test_tokens_are_what_the_tokenizer_makes_of_the_text() -> None:
    games = draw_games(400, seed=1)
    rows = tokens_of(games)
    assert rows.shape == (400, CONTEXT)
    tokenizer = game_tokenizer()
    assert len(tokenizer) == VOCABULARY
    early = 0
    for row, text in zip(rows, texts_of(games), strict=True):
        ids = tokenizer(text)["input_ids"]
        ended = [1] if len(ids) < CONTEXT else []
        early += len(ended)
        assert row[row >= 0].tolist() == [*ids, *ended]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert early


@pytest.mark.parametrize("role", [Role.TRAIN, Role.SHOW])
def test_as_many_games_as_asked_for(role: Role) -> None:
    assert len(draw_games(7, seed=0, role=role)) == 7
