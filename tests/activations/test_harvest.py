import hashlib
import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from tymbal.activations import ActivationStore, HarvestConfig, harvest, stream
from tymbal.artifact import damage
from tymbal.corpora import CutConfig, PassageStore, Role, cut
from tymbal.errors import ArtifactError, CorpusError, ModelError
from tymbal.models import LanguageModel, open_model


class Stopped(BaseException):
    """As if the process were killed."""


def _checksums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("shard-*")}


def _header(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["tymbal"])


def test_a_store_holds_what_the_stream_gives(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, store: ActivationStore
) -> None:
    exact = replace(config, dtype="float32")
    for site in config.sites:
        streamed = torch.cat([b.activations[site] for b in stream(model, passages.passages([Role.TRAIN]), exact)])
        stored = store.rows_at(site, np.arange(store.rows))
        assert stored.shape == streamed.shape
        # Eight bits of mantissa: a relative error of at most 2^-8 for rounding; batches differ at the shards' edges.
        torch.testing.assert_close(stored, streamed, rtol=2**-8 + 1e-4, atol=1e-5)


def test_shards_are_contiguous_units_of_the_asked_size(passages: PassageStore, store: ActivationStore) -> None:
    shards = sorted(store.folder.glob("shard-*.safetensors"))
    assert len(shards) > 3
    assert all(300 <= header["tokens"][1] - header["tokens"][0] < 300 + 48 for header in map(_header, shards[:-1]))
    assert list(damage(store.folder)) == []
    seen = store.ids(np.arange(store.rows)).passages
    expected = [p.id for p in passages.passages([Role.TRAIN]) for _ in p.tokens]
    assert seen.tolist() == expected


@pytest.mark.parametrize("stop_at", [1, 2, 4, 7])
def test_a_stopped_harvest_resumes_to_the_same_bytes(
    model: LanguageModel,
    passages: PassageStore,
    config: HarvestConfig,
    store: ActivationStore,
    tmp_path: Path,
    stop_at: int,
) -> None:
    calls = 0

    def stopping(done: int, total: int, unit: str) -> None:  # noqa: ARG001
        nonlocal calls
        calls += 1
        if calls > stop_at:
            raise Stopped

    with pytest.raises(Stopped):
        harvest(model, passages, config, tmp_path, progress=stopping)
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        ActivationStore.open(tmp_path)
    (tmp_path / "shard-00009.safetensors.part").write_bytes(b"left by a kill")
    kept = _times(tmp_path)
    harvest(model, passages, config, tmp_path)
    (tmp_path / "shard-00009.safetensors.part").unlink(missing_ok=True)
    assert _checksums(tmp_path) == _checksums(store.folder)
    assert {name: time for name, time in _times(tmp_path).items() if name in kept and not name.endswith(".part")} == {
        name: time for name, time in kept.items() if not name.endswith(".part")
    }


def test_damaged_shards_alone_are_made_again_and_named(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    harvest(model, passages, config, tmp_path)
    before, times = _checksums(tmp_path), _times(tmp_path)
    cut_short, changed, lost = (tmp_path / f"shard-{number:05d}.safetensors" for number in (0, 2, 3))
    cut_short.write_bytes(cut_short.read_bytes()[:-10])
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    lost.unlink()
    mended = harvest(model, passages, config, tmp_path).mended
    assert [(found.path.name, found.reason.split()[-1]) for found in mended] == [
        (cut_short.name, str(len(cut_short.read_bytes()))),
        (changed.name, "disk"),
        (lost.name, "missing"),
    ]
    assert _checksums(tmp_path) == before
    touched = {name for name, time in _times(tmp_path).items() if time != times[name]}
    assert touched == {cut_short.name, changed.name, lost.name}
    assert harvest(model, passages, config, tmp_path).mended == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b'{"a'),
        ("units.json", b""),
        ("units.json", None),
        ("manifest.json", b'{"a'),
        ("manifest.json", b"[]"),
    ],
)
def test_a_damaged_list_or_config_is_mended(
    model: LanguageModel,
    passages: PassageStore,
    config: HarvestConfig,
    store: ActivationStore,
    tmp_path: Path,
    name: str,
    content: bytes | None,
) -> None:
    harvest(model, passages, config, tmp_path)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    harvest(model, passages, config, tmp_path)
    assert _checksums(tmp_path) == _checksums(store.folder)


def test_a_finished_store_is_not_made_again(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    harvest(model, passages, config, tmp_path)
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    harvest(model, passages, config, tmp_path)
    assert times == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


def test_progress_counts_tokens_up_to_the_total(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    seen: list[tuple[int, int, str]] = []
    store = harvest(model, passages, config, tmp_path, progress=lambda *args: seen.append(args))
    assert seen[0] == (0, store.rows, "tokens")
    assert seen[-1] == (store.rows, store.rows, "tokens")
    assert seen == sorted(seen)
    seen.clear()
    harvest(model, passages, config, tmp_path, progress=lambda *args: seen.append(args))
    assert seen == [(store.rows, store.rows, "tokens")]


def test_roles_choose_the_passages(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    roles = (Role.SCORE, Role.SHOW)
    store = harvest(model, passages, config, tmp_path, roles=roles)
    assert sorted(set(store.ids(np.arange(store.rows)).passages.tolist())) == sorted(passages.ids(roles).tolist())


def test_a_folder_of_other_activations_is_refused_and_left_alone(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, documents: Callable, tmp_path: Path
) -> None:
    folder = tmp_path / "activations"
    harvest(model, passages, config, folder)
    before = _checksums(folder)
    with pytest.raises(ArtifactError, match="another harvest"):
        harvest(model, passages, replace(config, sites=("embed",)), folder)
    with pytest.raises(ArtifactError, match="another roles"):
        harvest(model, passages, config, folder, roles=(Role.SHOW,))
    other = cut(documents(50, 1), model.tokenizer, CutConfig(length=48, heldout=0.2), tmp_path / "other")
    with pytest.raises(ArtifactError, match="another corpus"):
        harvest(model, other, config, folder)
    # Also where the config is gone: the shards themselves say what they are.
    (folder / "config.json").unlink()
    with pytest.raises(ArtifactError, match="another corpus"):
        harvest(model, other, config, folder)
    before.pop("config.json")
    assert _checksums(folder) == before


def test_a_folder_with_something_else_in_it_is_refused(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"kind": "topk"}')
    with pytest.raises(ArtifactError, match="something else"):
        harvest(model, passages, config, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_model_may_be_named_in_another_way(
    passages: PassageStore, config: HarvestConfig, store: ActivationStore, tiny_llama_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(store.folder, tmp_path / "store")
    shutil.copytree(tiny_llama_folder, tmp_path / "moved")
    (tmp_path / "store" / "shard-00001.safetensors").unlink()
    harvest(open_model(tmp_path / "moved"), passages, config, tmp_path / "store")
    assert _checksums(tmp_path / "store") == _checksums(store.folder)


def test_another_model_is_refused(
    passages: PassageStore, config: HarvestConfig, store: ActivationStore, tiny_llama_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(store.folder, tmp_path / "store")
    shutil.copytree(tiny_llama_folder, tmp_path / "other")
    other = open_model(tiny_llama_folder)
    with torch.no_grad():
        other.torch_model.get_input_embeddings().weight[5] += 1
    other.torch_model.save_pretrained(tmp_path / "other")
    with pytest.raises(ArtifactError, match="another model"):
        harvest(open_model(tmp_path / "other"), passages, config, tmp_path / "store")


def test_no_passages_and_unknown_sites_are_refused_before_anything_is_written(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, documents: Callable, tmp_path: Path
) -> None:
    folder = tmp_path / "activations"
    all_train = cut(documents(3), model.tokenizer, CutConfig(length=48, heldout=0.0), tmp_path / "corpus")
    with pytest.raises(CorpusError, match="roles score"):
        harvest(model, all_train, config, folder, roles=(Role.SCORE,))
    with pytest.raises(ModelError, match=r"resid_post\.7"):
        harvest(model, passages, replace(config, sites=("resid_post.7",)), folder)
    assert not folder.exists()


def test_sites_are_stored_under_their_canonical_names(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    alias = replace(config, sites=("blocks.1.hook_resid_post",))
    assert harvest(model, passages, alias, tmp_path).sites == ("resid_post.1",)


def test_a_full_disk_is_one_line_and_the_harvest_resumes(
    model: LanguageModel,
    passages: PassageStore,
    config: HarvestConfig,
    store: ActivationStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, calls = os.fsync, 0

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 7:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArtifactError, match="No space left on device") as caught:
        harvest(model, passages, config, tmp_path)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    harvest(model, passages, config, tmp_path)
    assert _checksums(tmp_path) == _checksums(store.folder)


def test_a_shard_that_cannot_be_written_whole_leaves_no_trace(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, tmp_path: Path
) -> None:
    # The file system's own refusal, as on a full disk: no file may grow beyond 10 kB.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(ArtifactError, match=r"to write .*shard-00000\.safetensors") as caught:
            harvest(model, passages, config, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
