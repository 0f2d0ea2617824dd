"""Processes that share the rows, the features, or both, train the dictionary that one process trains."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from tymbal import artifact
from tymbal.dictionaries import Ends, Objective, Revival, Target, TrainingConfig, load_dictionary, train
from tymbal.dictionaries.curve import CURVE
from tymbal.dictionaries.screening import FEWEST_FEATURES
from tymbal.dictionaries.sharded import Sharding, train_sharded
from tymbal.errors import TrainingError

SHORT = TrainingConfig(features=64, k=3, batch=200, epochs=1.0, revival=Revival(dead_after=300), checkpoint_every=7)
BY_ROWS, BY_FEATURES = Sharding(row_parts=2), Sharding(feature_parts=2)
BOTH = Sharding(row_parts=2, feature_parts=2)


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def curve(folder: Path) -> dict[str, list[float]]:
    return artifact.read_json(folder / CURVE)


@pytest.mark.parametrize("sharding", [BY_ROWS, BY_FEATURES, BOTH], ids=["rows", "features", "both"])
@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
def test_many_processes_train_what_one_trains(sequenced, together, tmp_path: Path, kind: str, sharding: Sharding) -> None:
    config = replace(SHORT, kind=kind)
    one = train(sequenced, config, tmp_path / "one", site="resid_post.1", model={"name": "a"})
    about = {"site": "resid_post.1", "model": {"name": "a"}}
    processes = sharding.row_parts * sharding.feature_parts
    together(lambda: train_sharded(sequenced, config, tmp_path / "many", sharding, **about), processes)
    many = load_dictionary(tmp_path / "many")
    assert many.config() == one.config()
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(many.state_dict()[name], tensor, rtol=1e-4, atol=1e-4, msg=lambda m: f"{name}: {m}")
    told, expected = curve(tmp_path / "many"), curve(tmp_path / "one")
    assert max(expected["dead"]) > 0  # so that AuxK had work
    for name in ("step", "dead", "l0"):
        assert told[name] == pytest.approx(expected[name]), name
    for name in ("loss", "fvu"):
        assert told[name] == pytest.approx(expected[name], rel=1e-4), name


@pytest.mark.parametrize(
    ("changes", "sharding"),
    [
        ({"kind": "relu"}, BY_FEATURES),
        ({"kind": "gated"}, BOTH),
        ({"kind": "jumprelu"}, BY_FEATURES),
        ({"kind": "jumprelu", "objective": Objective(penalty="tanh")}, BY_ROWS),
        ({"kind": "topk", "objective": Objective(multi_topk=True)}, BY_FEATURES),
        # About 75 and 200 dead features, of which AuxK takes the 12 highest a row by dense and by sparse products.
        ({"kind": "topk", "features": 128, "k": 1, "revival": Revival(dead_after=200, aux=0.5)}, BOTH),
        ({"kind": "topk", "features": 256, "k": 1, "revival": Revival(dead_after=200, aux=0.5)}, BY_FEATURES),
        # So many features that scores are screened.
        ({"kind": "topk", "features": 2 * FEWEST_FEATURES, "epochs": 0.3}, BY_FEATURES),
        ({"kind": "batch_topk", "features": 2 * FEWEST_FEATURES, "epochs": 0.3}, BY_FEATURES),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_a_few_steps_of_every_kind_are_the_same(sequenced, together, tmp_path: Path, changes, sharding) -> None:
    config = replace(SHORT, **{"epochs": 0.5, **changes})
    one = train(sequenced, config, tmp_path / "one")
    together(
        lambda: train_sharded(sequenced, config, tmp_path / "many", sharding),
        sharding.row_parts * sharding.feature_parts,
    )
    many = load_dictionary(tmp_path / "many")
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(many.state_dict()[name], tensor, rtol=1e-4, atol=1e-4, msg=lambda m: f"{name}: {m}")
    assert curve(tmp_path / "many")["loss"] == pytest.approx(curve(tmp_path / "one")["loss"], rel=1e-4)


@pytest.mark.parametrize("sharding", [BY_ROWS, BY_FEATURES], ids=["rows", "features"])
def test_a_transcoder_with_a_skip_is_the_same(sequenced, together, tmp_path: Path, sharding: Sharding) -> None:
    config = replace(SHORT, kind="batch_topk", epochs=0.5)
    ends = Ends(target=Target(width=10, site="mlp_out.1", skip=True))
    one = train(sequenced, config, tmp_path / "one", ends=ends)
    together(lambda: train_sharded(sequenced, config, tmp_path / "many", sharding, ends=ends))
    many = load_dictionary(tmp_path / "many")
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(many.state_dict()[name], tensor, rtol=1e-4, atol=1e-4, msg=lambda m: f"{name}: {m}")


class Stopped(Exception):  # noqa: N818
    """Stands for a run that was broken off."""


def stopped_at(source, step: int, row_parts: int = 2):
    """The same rows, until those of a step are asked for."""

    class Stopping:
        width, rows_per_epoch = source.width, source.rows_per_epoch

        def batch(self, number: int, size: int) -> torch.Tensor:
            # The first rows are read in whole batches, from which units are taken; that is no step yet.
            if size == SHORT.batch // row_parts and number // row_parts == step:
                raise Stopped
            return source.batch(number, size)

    return Stopping()


def broken_off(source, config: TrainingConfig, folder: Path, sharding: Sharding) -> None:
    with pytest.raises(Stopped):
        train_sharded(source, config, folder, sharding)


@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
def test_a_broken_off_run_ends_with_the_same_bytes(sequenced, together, tmp_path: Path, kind: str) -> None:
    config = replace(SHORT, kind=kind)
    together(lambda: train_sharded(sequenced, config, tmp_path / "whole", BY_ROWS))
    broken = stopped_at(sequenced, 17)
    together(lambda: broken_off(broken, config, tmp_path / "broken", BY_ROWS))
    places = sorted(path.name for path in (tmp_path / "broken/checkpoints").iterdir())
    assert places == ["00000007", "00000014"]
    asked: list[int] = []

    def resumed() -> list[int]:
        class Watched:
            width, rows_per_epoch = sequenced.width, sequenced.rows_per_epoch

            def batch(self, number: int, size: int) -> torch.Tensor:
                asked.append(number)
                return sequenced.batch(number, size)

        train_sharded(Watched(), config, tmp_path / "broken", BY_ROWS)
        return asked

    numbers = together(resumed)
    assert [first[0] for first in numbers] == [2 * 14, 2 * 14 + 1]  # each rank goes on with its own rows
    assert fingerprint(tmp_path / "broken") == fingerprint(tmp_path / "whole")


def test_a_checkpoint_holds_every_ranks_state_and_no_pickle(sequenced, together, tmp_path: Path) -> None:
    broken = stopped_at(sequenced, 17, row_parts=2)

    def work() -> None:
        torch.manual_seed(40 + dist.get_rank())
        broken_off(broken, SHORT, tmp_path / "run", BOTH)

    together(work, 4)
    place = tmp_path / "run/checkpoints/00000014"
    files = sorted(path.name for path in place.iterdir())
    assert files[:2] == ["config.json", "manifest.json"]
    assert all(file.endswith(".safetensors") for file in files[2:])
    held: dict[str, list[torch.Tensor]] = {}
    for file in files[2:]:
        for name, tensor in artifact.read_tensors(place / file).items():
            held.setdefault(name, []).append(tensor)
    for name in ("dictionary.encoder", "adam.exp_avg.decoder", "adam.exp_avg_sq.encoder", "idle"):
        assert [len(part) for part in held[name]] == [32, 32], name
    assert held["position"][0].tolist() == [14 * 200]
    assert int(torch.cat(held["idle"]).max()) <= 14 * 200
    for rank in range(4):
        expected = torch.Generator().manual_seed(40 + rank).get_state()
        assert torch.equal(held[f"generator.{rank}"][0], expected)


def test_a_run_goes_on_on_another_grid(sequenced, together, tmp_path: Path) -> None:
    one = train(sequenced, SHORT, tmp_path / "one")
    broken = stopped_at(sequenced, 17)
    together(lambda: broken_off(broken, SHORT, tmp_path / "many", BY_ROWS))
    together(lambda: train_sharded(sequenced, SHORT, tmp_path / "many", BY_FEATURES))
    many = load_dictionary(tmp_path / "many")
    torch.testing.assert_close(many.decoder, one.decoder, rtol=1e-4, atol=1e-4)


def test_a_half_written_checkpoint_is_passed_over(sequenced, together, tmp_path: Path) -> None:
    together(lambda: train_sharded(sequenced, SHORT, tmp_path / "whole", BY_ROWS))
    broken = stopped_at(sequenced, 17)
    together(lambda: broken_off(broken, SHORT, tmp_path / "broken", BY_ROWS))
    damaged = sorted((tmp_path / "broken/checkpoints/00000014").glob("shard-*"))[-1]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    together(lambda: train_sharded(sequenced, SHORT, tmp_path / "broken", BY_ROWS))
    assert fingerprint(tmp_path / "broken") == fingerprint(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "sharding", "message"),
    [
        ({"batch": 1}, BY_ROWS, "at least one row of a batch for each of 2 processes; got a batch of 1; raise the batch"),
        ({"batch": 201}, BY_ROWS, "batch that can be cut into 2 equal parts; got 201"),
        ({"features": 65}, BY_FEATURES, "features that can be cut into 2 equal parts; got 65"),
        ({"k": 33}, BY_FEATURES, r"at least k \(33\) features in each part; got 32"),
        ({"kind": "matryoshka"}, BY_FEATURES, "got matryoshka; train that in one process"),
        ({"revival": Revival(resample_every=100)}, BY_ROWS, "got topk with resampling"),
        ({}, BOTH, "expected 2 · 2 processes; got 2"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_one_line(changes, sharding: Sharding, message: str) -> None:
    with pytest.raises(TrainingError, match=message) as refused:
        sharding.require(replace(SHORT, **changes), 2)
    assert "\n" not in str(refused.value)


def test_processes_that_do_not_fill_a_grid_are_refused() -> None:
    assert Sharding.of(6, 3) == Sharding(row_parts=2, feature_parts=3)
    with pytest.raises(TrainingError, match="parts of features that divide the 6 processes; got 4"):
        Sharding.of(6, 4)


def test_a_single_process_without_torchrun_is_told_so(sequenced, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="start it with torchrun"):
        train_sharded(sequenced, SHORT, tmp_path, Sharding())
