"""The recipe of the bundled model, on a few hundred documents: it resumes bit by bit and refuses what is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tymbal import artifact
from tymbal.corpora.world.card import describe, measure, write_card
from tymbal.corpora.world.recipe import WorldTraining
from tymbal.corpora.world.training import train_world_model
from tymbal.errors import ArtifactError, TrainingError

RECIPE = WorldTraining(
    tokens=24_000,
    batch_tokens=2_048,
    shard_documents=200,
    checkpoint_steps=3,
    warmup_steps=4,
    learning_rate=3e-3,
    compiled=False,
)


class KilledError(Exception):
    """Stands for whatever stops a run."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    train_world_model(RECIPE, folder)
    return folder


def checksum(folder: Path) -> str:
    return artifact.file_checksum(folder / "model" / "model.safetensors")


def test_a_killed_run_ends_with_the_same_weights(run: Path, tmp_path: Path) -> None:
    steps = 0

    def kill(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 8:
            raise KilledError

    with pytest.raises(KilledError):
        train_world_model(RECIPE, tmp_path, kill)
    train_world_model(RECIPE, tmp_path)
    assert checksum(tmp_path) == checksum(run)


def test_a_folder_of_another_recipe_is_refused(run: Path) -> None:
    with pytest.raises(ArtifactError, match="another learning_rate"):
        train_world_model(replace(RECIPE, learning_rate=1e-3), run)


def test_a_loss_that_is_not_finite_names_its_step(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="at step"):
        train_world_model(replace(RECIPE, learning_rate=1e30), tmp_path)


def test_the_card_states_loss_floor_and_baselines(run: Path) -> None:
    card = measure(run / "model", documents=60, samples=4, counted=300)
    assert 0 < card.floor < card.loss.value < card.unigram + 3
    assert card.excess.low < card.excess.value < card.excess.high
    assert card.bigram < card.unigram
    # A model that has seen 24,000 tokens knows nobody's home.
    assert card.recall["home"]["often"].value < 0.2
    write_card(run / "model", card)
    assert "floor" in describe(run / "model", card)
    assert (run / "model" / "README.md").exists()


def test_a_torch_too_old_for_the_recipe_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "__version__", "2.6.1+cpu")
    with pytest.raises(TrainingError, match=r"expected torch 2\.13 or newer.*got 2\.6\.1"):
        train_world_model(RECIPE, tmp_path / "run")
    assert not (tmp_path / "run").exists()
