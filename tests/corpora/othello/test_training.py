"""The recipe of the Othello model on a few games: it resumes bit by bit, and its card counts as the rules do."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.corpora.othello.slow_othello import SlowOthello
from tymbal import artifact
from tymbal.corpora.othello import OthelloTraining, draw_games, trace
from tymbal.corpora.othello.card import measure, write_card, wrong_choices
from tymbal.corpora.othello.tokens import SPECIAL, choices_of, game_tokenizer, token_mask, tokens_of
from tymbal.corpora.othello.training import ONE_LAYER, GameBatches, train_othello_model
from tymbal.corpora.roles import Role
from tymbal.errors import ArtifactError

RECIPE = OthelloTraining(
    tokens=20_000, layers=2, width=32, batch_tokens=1_024, checkpoint_steps=3, warmup_steps=4, compiled=False
)


class KilledError(Exception):
    """Stands for whatever stops a run."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("othello")
    train_othello_model(RECIPE, folder)
    return folder


def test_a_run_killed_in_either_model_ends_with_the_same_weights(run: Path, tmp_path: Path) -> None:
    steps = 0

    def kill(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps in (8, 30):
            raise KilledError

    for _ in range(2):
        with pytest.raises(KilledError):
            train_othello_model(RECIPE, tmp_path, kill)
    train_othello_model(RECIPE, tmp_path)
    for weights in ("model/model.safetensors", f"{ONE_LAYER}/model/model.safetensors"):
        assert artifact.file_checksum(tmp_path / weights) == artifact.file_checksum(run / weights)


def test_a_folder_of_another_recipe_is_refused(run: Path) -> None:
    with pytest.raises(ArtifactError, match="another width"):
        train_othello_model(replace(RECIPE, width=64), run)


def test_batches_hold_whole_games_that_differ() -> None:
    batches = GameBatches(RECIPE)(0, 0)
    first, second = next(batches), next(batches)
    batches.close()
    assert first.tokens.shape == (32, 33)
    assert not torch.equal(first.tokens, second.tokens)
    skipped = next(GameBatches(RECIPE)(0, 1))
    assert torch.equal(skipped.tokens, second.tokens)


def test_the_legal_tokens_are_the_oracles() -> None:
    games = draw_games(20, seed=2)
    mask = token_mask(trace(games).choices)
    names = game_tokenizer().convert_ids_to_tokens(list(range(mask.shape[-1])))
    for game, allowed in zip(games, mask, strict=True):
        slow = SlowOthello()
        for ply, square in enumerate(game[game >= 0].tolist()):
            legal = {f"{'abcdef'[place % 6]}{place // 6 + 1}" for place in slow.legal()}
            assert {names[token] for token in allowed[ply].nonzero()[0]} == legal
            slow.play(square)


def test_wrong_choices_are_counted_from_both_sides() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0]])
    choices = torch.tensor([[True, True, False, False], [True, False, True, False], [True, False, False, False]])
    assert wrong_choices(logits, choices).tolist() == [0, 2, 2]


def test_the_card_tells_a_player_that_knows_the_rules_from_one_that_does_not(run: Path) -> None:
    card = measure(run / "model", games=60)
    assert list(card.models) == ["this model", "one layer", "untrained"]
    for play in card.models.values():
        assert 0 <= play.legal.value <= 1
        assert play.loss.value == pytest.approx(card.floor + play.excess.value)
        assert play.excess.value > 0  # nobody foresees random moves better than the rules allow
    assert card.models["this model"].loss.value < card.models["untrained"].loss.value
    told = trace(draw_games(60, seed=1, role=Role.SHOW))
    assert card.models["untrained"].legal.n == int((told.choices != 0).sum())
    write_card(run / "model", card)
    assert "| one layer |" in (run / "model" / "README.md").read_text(encoding="utf-8")


def test_a_games_row_ends_where_the_game_does() -> None:
    games = draw_games(300, seed=4)
    rows, lengths = tokens_of(games), (games >= 0).sum(1)
    for row, length in zip(rows, lengths, strict=True):
        assert (row[length + 1] == 1) if length < 32 else (row[-1] > 3)


def test_what_may_follow_a_token_is_what_does_follow_it_in_some_game() -> None:
    games = draw_games(300, seed=4)
    rows, choices = torch.from_numpy(tokens_of(games)), torch.from_numpy(choices_of(games))
    following = rows[:, 1:]
    there = following >= 0
    assert choices.shape == (300, 32, len(game_tokenizer()))
    assert choices.gather(-1, following.clamp(min=0)[..., None])[..., 0][there].all()
    assert not choices[~there].any()
    ends = following == SPECIAL.index("</s>")
    assert choices[ends].sum(-1).unique().tolist() == [1]
    assert torch.equal(
        choices[there & ~ends], torch.from_numpy(token_mask(trace(games).choices))[:, :-1][there & ~ends]
    )


def test_without_chances_only_the_move_drawn_is_told() -> None:
    assert next(GameBatches(replace(RECIPE, chances=False))(0, 0)).choices is None
    batch = next(GameBatches(RECIPE)(0, 0))
    assert batch.choices is not None
    assert batch.choices.shape[:2] == batch.tokens[:, 1:].shape
