"""Whole runs: planted features are found, killed runs end as whole ones, and bad input is refused."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
import torch

from tymbal.dictionaries import (
    KINDS,
    Descent,
    Objective,
    Revival,
    Run,
    TensorBoard,
    TrainingConfig,
    WeightsAndBiases,
    draw_curve,
    load_dictionary,
    train,
    train_many,
)
from tymbal.errors import MissingExtraError, TrainingError

SHORT = TrainingConfig(
    features=64,
    k=3,
    batch=512,
    epochs=2.0,
    descent=Descent(learning_rate=3e-3),
    revival=Revival(dead_after=3000),
    checkpoint_every=10,
)


class Killed(Exception):  # noqa: N818
    """Stands for a killed process."""


class KilledAt:
    """A source that dies when asked for a step."""

    def __init__(self, source, step: int) -> None:
        self.source, self.step = source, step
        self.width, self.rows_per_epoch = source.width, source.rows_per_epoch

    def batch(self, step: int, size: int) -> torch.Tensor:
        if step == self.step:
            raise Killed
        return self.source.batch(step, size)


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("kind", list(KINDS))
def test_planted_features_are_recovered_and_explain_the_rows(planted, tmp_path: Path, kind: str) -> None:
    # One seed may miss a feature or two of 48 and another none, so that recovery is that of three.
    runs = [
        Run(source=planted, config=replace(SHORT, kind=kind, epochs=16.0, seed=seed), folder=tmp_path / f"seed-{seed}")
        for seed in range(3)
    ]
    dictionary, *others = train_many(runs)
    # The first few features of a matryoshka must serve for many, and are no single true ones.
    recoveries = [planted.recovery(each.decoder) for each in (dictionary, *others)]
    assert fmean(recoveries) > (0.9 if kind == "matryoshka" else 0.95)
    error = (planted.rows - dictionary(planted.rows)).square().sum()
    unexplained = float(error / (planted.rows - planted.rows.mean(0)).square().sum())
    # L1 pulls each of three values down by about as much as it takes to remove a fourth.
    assert unexplained < {"relu": 0.35, "matryoshka": 0.15}.get(kind, 0.1)
    torch.testing.assert_close(dictionary.decoder.norm(dim=1), torch.ones(64))
    codes = dictionary.encode(planted.rows)
    assert float(codes.l0().float().mean()) == pytest.approx(3, rel=0.02)
    assert 1.0 < float(codes.values[codes.values > 0].mean()) < 5.0  # strengths were planted as 1.5 to 4.5


def test_the_curve_is_a_table_and_falls(planted, tmp_path: Path) -> None:
    train(planted, SHORT, tmp_path)
    curve = json.loads((tmp_path / "training.json").read_text())
    assert set(curve) == {"step", "loss", "fvu", "l0", "dead", "sparsity", "screened"}
    assert curve["step"] == list(range(47))  # 2 · 12,000 / 512
    assert sum(curve["fvu"][-5:]) < 0.7 * sum(curve["fvu"][:5])
    assert max(curve["l0"]) <= 3
    assert set(json.loads((tmp_path / "manifest.json").read_text())["files"]) == {
        "config.json",
        "dictionary.safetensors",
        "training.json",
    }
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_killed_run_ends_with_the_same_bytes(planted, tmp_path: Path, kind: str) -> None:
    every = 0 if kind in ("topk", "batch_topk") else 8000
    config = replace(SHORT, kind=kind, revival=Revival(dead_after=3000, resample_every=every))
    train(planted, config, tmp_path / "whole", site="resid_post.1", model={"name": "a"})
    for step in (0, 33, 40):
        with pytest.raises(Killed):
            train(KilledAt(planted, step), config, tmp_path / "killed", site="resid_post.1", model={"name": "a"})
    train(planted, config, tmp_path / "killed", site="resid_post.1", model={"name": "a"})
    assert fingerprint(tmp_path / "killed") == fingerprint(tmp_path / "whole")


def test_a_run_resumed_in_another_process_ends_with_the_same_bytes(planted, tmp_path: Path) -> None:
    train(planted, SHORT, tmp_path / "whole")
    with pytest.raises(Killed):
        train(KilledAt(planted, 36), SHORT, tmp_path / "killed")
    script = f"""
import importlib.util, torch
from pathlib import Path
from statistics import fmean
spec = importlib.util.spec_from_file_location("planting", {str(Path(__file__).with_name("conftest.py"))!r})
planting = importlib.util.module_from_spec(spec); spec.loader.exec_module(planting)
from tymbal.dictionaries import Descent, Objective, Revival, TrainingConfig, train
torch.set_num_threads({torch.get_num_threads()})
source = planting.plant(width=24, features=48, active=3, rows=12_000)
train(source, {SHORT!r}, Path({str(tmp_path / "killed")!r}))
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert fingerprint(tmp_path / "killed") == fingerprint(tmp_path / "whole")


def test_the_last_two_checkpoints_are_kept_and_a_damaged_one_is_passed_over(planted, tmp_path: Path) -> None:
    train(planted, SHORT, tmp_path / "whole")
    with pytest.raises(Killed):
        train(KilledAt(planted, 45), SHORT, tmp_path / "killed")
    places = sorted(path.name for path in (tmp_path / "killed/checkpoints").iterdir())
    assert places == ["00000030", "00000040"]
    state = tmp_path / "killed/checkpoints/00000040/state.safetensors"
    state.write_bytes(state.read_bytes()[:-100])
    asked: list[int] = []

    class Watched(KilledAt):
        def batch(self, step: int, size: int) -> torch.Tensor:
            asked.append(step)
            return super().batch(step, size)

    train(Watched(planted, -1), SHORT, tmp_path / "killed")
    assert asked[0] == 30
    assert fingerprint(tmp_path / "killed") == fingerprint(tmp_path / "whole")


def test_a_finished_run_is_returned_and_not_made_again(planted, tmp_path: Path) -> None:
    first = train(planted, SHORT, tmp_path)
    again = train(KilledAt(planted, 0), SHORT, tmp_path)
    assert torch.equal(first.decoder, again.decoder)


def test_a_folder_with_another_run_is_refused_and_kept(planted, tmp_path: Path) -> None:
    train(planted, SHORT, tmp_path)
    before = fingerprint(tmp_path)
    with pytest.raises(TrainingError, match=r"k 3\).*got k 4"):
        train(planted, replace(SHORT, k=4), tmp_path)
    assert fingerprint(tmp_path) == before


def test_a_broken_off_run_is_not_continued_as_another(planted, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(KilledAt(planted, 36), SHORT, tmp_path)
    with pytest.raises(TrainingError, match=r"learning_rate 0.003\).*got learning_rate 0.01"):
        train(planted, replace(SHORT, descent=Descent(learning_rate=0.01)), tmp_path)


class Spoiled(KilledAt):
    """A source whose rows turn NaN at a step."""

    def batch(self, step: int, size: int) -> torch.Tensor:
        rows = self.source.batch(step, size)
        return rows if step < self.step else rows.fill_(float("nan"))


def test_nan_stops_the_run_and_names_step_and_checkpoint(planted, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        train(Spoiled(planted, 36), SHORT, tmp_path)
    message = str(caught.value)
    assert "activations that hold NaN or infinity at step 36" in message
    assert str(tmp_path / "checkpoints/00000030") in message
    assert "\n" not in message


def test_a_loss_that_explodes_stops_the_run(planted, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"a loss or gradient that is NaN or infinite at step \d+; lower the learn"):
        train(planted, replace(SHORT, descent=Descent(learning_rate=1e30)), tmp_path)


def test_nan_in_the_first_rows_is_named(planted, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="NaN or infinity among the first rows"):
        train(Spoiled(planted, 0), SHORT, tmp_path)


def test_a_batch_larger_than_the_source_is_refused(planted, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="at least one batch of 20000 rows; got 12000 rows"):
        train(planted, replace(SHORT, batch=20_000), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("k", 65),
        ("k", 0),
        ("epochs", 0.0),
        ("batch", 0),
        ("learning_rate", -1.0),
        ("warmup", 0.9),
        ("aux", -0.1),
        ("sparsity", -1.0),
        ("bandwidth", 0.0),
        ("resample_every", -1),
        ("dead_after", 0),
        ("lift", -0.1),
    ],
)
def test_settings_that_make_no_sense_are_refused(field: str, value: float) -> None:
    owner = next(kind for kind in (TrainingConfig, Objective, Descent, Revival) if field in kind.__dataclass_fields__)
    with pytest.raises(ValueError, match=rf"expected .*{field}"):
        replace(SHORT, **{field: value}) if owner is TrainingConfig else owner(**{field: value})


def test_prefixes_are_for_a_matryoshka() -> None:
    with pytest.raises(ValueError, match="expected kind matryoshka with prefixes; got topk"):
        replace(SHORT, objective=Objective(prefixes=(8, 64)))


def test_all_settings_are_saved_in_one_table_under_names_of_their_own() -> None:
    config = replace(SHORT, kind="matryoshka", objective=Objective(prefixes=(8, 64), sparsity=0.5))
    saved = config.to_json()
    assert saved["prefixes"] == [8, 64]
    assert (saved["sparsity"], saved["learning_rate"], saved["dead_after"]) == (0.5, 3e-3, 3000)
    fields = [name for kind in (TrainingConfig, Objective, Descent, Revival) for name in kind.__dataclass_fields__]
    assert sorted(saved) == sorted(set(fields) - {"objective", "descent", "revival"})
    assert len(fields) == len(set(fields))


def test_the_saved_dictionary_works_in_the_models_own_units(planted, tmp_path: Path) -> None:
    dictionary = train(planted, replace(SHORT, epochs=6.0), tmp_path)
    loaded = load_dictionary(tmp_path)
    assert torch.equal(loaded(planted.rows), dictionary(planted.rows))
    curve = json.loads((tmp_path / "training.json").read_text())
    variance = (planted.rows - planted.rows.mean(0)).square().sum()
    fvu = float((planted.rows - loaded(planted.rows)).square().sum() / variance)
    assert fvu == pytest.approx(sum(curve["fvu"][-10:]) / 10, rel=0.05)


def test_progress_is_told_in_tokens(planted, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    train(planted, SHORT, tmp_path, lambda done, total, unit: told.append((done, total, unit)))
    assert told[0] == (512, 47 * 512, "tokens")
    assert told[-1] == (47 * 512, 47 * 512, "tokens")


def test_multi_topk_is_for_kinds_that_keep_the_highest() -> None:
    with pytest.raises(ValueError, match="expected kind topk or batch_topk with multi_topk; got relu"):
        replace(SHORT, kind="relu", objective=Objective(multi_topk=True))


def test_prefixes_that_do_not_end_at_all_features_are_refused(planted, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected rising prefixes"):
        train(planted, replace(SHORT, kind="matryoshka", objective=Objective(prefixes=(8, 32))), tmp_path)


def test_a_fixed_coefficient_is_kept(planted, tmp_path: Path) -> None:
    train(planted, replace(SHORT, kind="relu", objective=Objective(sparsity=0.02)), tmp_path)
    curve = json.loads((tmp_path / "training.json").read_text())
    assert set(curve["sparsity"]) == {0.02}


def test_the_threshold_gives_batch_topk_the_same_l0_on_rows_held_out(planted, planted_unseen, tmp_path: Path) -> None:
    assert torch.equal(planted.directions, planted_unseen.directions)
    dictionary = train(planted, replace(SHORT, kind="batch_topk", epochs=8.0), tmp_path)
    assert float(dictionary.encode(planted_unseen.rows).l0().float().mean()) == pytest.approx(3, rel=0.02)


class Counted(KilledAt):
    """A source that notes what it was asked for."""

    def __init__(self, source) -> None:
        super().__init__(source, -1)
        self.asked: list[int] = []

    def batch(self, step: int, size: int) -> torch.Tensor:
        self.asked.append(step)
        return super().batch(step, size)


def test_several_dictionaries_are_trained_in_one_pass_and_each_as_if_alone(planted, tmp_path: Path) -> None:
    configs = [SHORT, replace(SHORT, kind="jumprelu", k=4), replace(SHORT, features=32, epochs=1.0)]
    for number, config in enumerate(configs):
        train(planted, config, tmp_path / f"alone/{number}")
    source = Counted(planted)
    runs = [
        Run(source=source, config=config, folder=tmp_path / f"together/{number}")
        for number, config in enumerate(configs)
    ]
    made = train_many(runs)
    first = 3 * 32 - 9  # each looks at its first rows by itself: 32 batches, of one epoch's 23 where there is no more
    assert len(source.asked) == first + 47
    assert [dictionary.features for dictionary in made] == [64, 64, 32]
    assert fingerprint(tmp_path / "together") == fingerprint(tmp_path / "alone")


def test_several_dictionaries_go_on_where_each_was_broken_off(planted, tmp_path: Path) -> None:
    configs = [SHORT, replace(SHORT, checkpoint_every=15)]
    for number, config in enumerate(configs):
        train(planted, config, tmp_path / f"alone/{number}")

    def runs(source) -> list[Run]:
        return [
            Run(source=source, config=config, folder=tmp_path / f"together/{number}")
            for number, config in enumerate(configs)
        ]

    with pytest.raises(Killed):
        train_many(runs(KilledAt(planted, 42)))
    source = Counted(planted)
    train_many(runs(source))
    assert source.asked == list(range(30, 47))  # one was kept at 30, the other at 40
    assert fingerprint(tmp_path / "together") == fingerprint(tmp_path / "alone")


def test_one_folder_is_not_given_to_two_runs(planted, tmp_path: Path) -> None:
    run = Run(source=planted, config=SHORT, folder=tmp_path)
    with pytest.raises(ValueError, match="expected a folder for each run"):
        train_many([run, run])


class Notes:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.points: list[tuple[int, float]] = []
        self.closed = False

    def log(self, step: int, numbers) -> None:
        self.points.append((step, numbers["fvu"]))

    def close(self) -> None:
        self.closed = True


def test_a_logger_gets_the_points_of_the_curve(planted, tmp_path: Path) -> None:
    notes = Notes()
    train(planted, SHORT, tmp_path, logger=notes)
    curve = json.loads((tmp_path / "training.json").read_text())
    assert notes.points == list(zip(curve["step"], curve["fvu"], strict=True))
    assert notes.closed


@pytest.mark.parametrize(("logger", "library"), [(TensorBoard, "tensorboard"), (WeightsAndBiases, "wandb")])
def test_a_logger_whose_library_is_absent_says_how_to_install_it(
    logger, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"expected the library {library}; .*tymbal\[loggers\]"):
        logger(folder=tmp_path) if logger is TensorBoard else logger(project="a")


def test_the_picture_of_a_curve_is_the_same_bytes_each_time(planted, tmp_path: Path) -> None:
    train(planted, SHORT, tmp_path)
    draw_curve(tmp_path, tmp_path / "one.svg")
    draw_curve(tmp_path, tmp_path / "two.svg")
    picture = (tmp_path / "one.svg").read_bytes()
    assert picture == (tmp_path / "two.svg").read_bytes()
    assert b"</svg>" in picture
