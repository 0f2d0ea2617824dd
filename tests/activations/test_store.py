import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from tymbal.activations import ActivationStore, HarvestConfig, harvest
from tymbal.artifact import write_json
from tymbal.corpora import PassageStore
from tymbal.errors import ArtifactError
from tymbal.models import LanguageModel

SITE = "resid_post.1"


def _whole(store: ActivationStore, name: str) -> torch.Tensor:
    return torch.cat([load_file(path)[name] for path in sorted(store.folder.glob("shard-*.safetensors"))])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.data())
def test_any_rows_in_any_order_are_gathered(store: ActivationStore, data: st.DataObject) -> None:
    asked = np.array(data.draw(st.lists(st.integers(0, store.rows - 1), max_size=50)), dtype=np.int64)
    assert torch.equal(store.rows_at(SITE, asked), _whole(store, SITE).float()[asked])
    ids = store.ids(asked)
    for name, column in zip(("token", "passage", "position", "special"), ids, strict=True):
        assert column.tolist() == _whole(store, name)[asked].tolist()


def test_rows_may_be_asked_by_tensor_and_are_a_copy(store: ActivationStore) -> None:
    rows = store.rows_at(SITE, torch.tensor([3, 1, 3]))
    rows.zero_()
    assert store.rows_at(SITE, np.array([3])).abs().sum() > 0
    assert rows.dtype == torch.float32


def test_a_float32_store_keeps_the_models_bits(model: LanguageModel, passages: PassageStore, tmp_path: Path) -> None:
    store = harvest(model, passages, HarvestConfig(sites=(SITE,), dtype="float32", shard_tokens=700), tmp_path)
    rows = np.arange(store.rows)
    assert torch.equal(store.rows_at(SITE, rows), _whole(store, SITE))


def test_special_tokens_and_sinks_are_filtered_but_not_lost(store: ActivationStore) -> None:
    assert store.rows == len(_whole(store, "token"))
    ids = store.ids(np.arange(store.rows))
    assert ids.special.any()
    assert store.keep(skip_special=False).tolist() == list(range(store.rows))
    assert store.keep().tolist() == np.flatnonzero(~ids.special).tolist()
    assert store.keep(sink=4, skip_special=False).tolist() == np.flatnonzero(ids.positions >= 4).tolist()
    assert store.keep(sink=4).tolist() == np.flatnonzero((ids.positions >= 4) & ~ids.special).tolist()


def test_rows_of_outlying_norm_are_left_out(model: LanguageModel, passages: PassageStore, tmp_path: Path) -> None:
    class Outliers:
        site = SITE

        def __call__(self, activation: torch.Tensor) -> torch.Tensor:
            return torch.cat([activation[:, :1], activation[:, 1:2] * 1000, activation[:, 2:]], dim=1)

    with model.edited(Outliers()):
        store = harvest(model, passages, HarvestConfig(sites=(SITE,), batch_tokens=300, shard_tokens=500), tmp_path)
    ids = store.ids(np.arange(store.rows))
    norms = store.rows_at(SITE, np.arange(store.rows)).norm(dim=1).numpy()
    limit = 10 * np.median(norms[~ids.special])
    kept = store.keep(norm_multiple=10, site=SITE)
    assert kept.tolist() == np.flatnonzero((norms <= limit) & ~ids.special).tolist()
    assert set(ids.positions[np.setdiff1d(store.keep(), kept)].tolist()) == {1}
    with pytest.raises(ValueError, match="site"):
        store.keep(norm_multiple=10)


def test_headers_say_where_the_activations_come_from(store: ActivationStore, model: LanguageModel) -> None:
    from safetensors import safe_open

    first_token = 0
    for path in sorted(store.folder.glob("shard-*.safetensors")):
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["tymbal"])
            rows = file.get_slice("token").get_shape()[0]
        assert header["tokens"] == [first_token, first_token + rows]
        assert header["record"]["model"] == model.identity
        assert header["record"]["model"]["attention"] == "sdpa"
        assert header["record"]["harvest"]["dtype"] == "bfloat16"
        assert header["record"]["corpus"]
        assert header["libraries"]["torch"] == torch.__version__.split("+")[0] or header["libraries"]["torch"]
        first_token += rows
    assert first_token == store.rows


def test_unknown_sites_and_rows_are_refused(store: ActivationStore) -> None:
    with pytest.raises(ArtifactError, match=r"resid_post.1, mlp_out.0; got resid_post.3"):
        store.rows_at("resid_post.3", np.array([0]))
    for row in (-1, store.rows):
        with pytest.raises(IndexError, match=rf"0\.\.{store.rows - 1}"):
            store.rows_at(SITE, np.array([0, row]))


def test_missing_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="got none"):
        ActivationStore.open(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match=r"no manifest\.json"):
        ActivationStore.open(tmp_path)
    write_json(tmp_path / "manifest.json", {"kind": "dictionary", "files": {}})
    with pytest.raises(ArtifactError, match="of kind dictionary"):
        ActivationStore.open(tmp_path)


@pytest.mark.parametrize("size", [0, 5, 300, -1])
def test_a_shard_cut_short_is_named_when_the_store_is_opened(store: ActivationStore, tmp_path: Path, size: int) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(store.folder, folder)
    path = folder / "shard-00001.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:size])
    with pytest.raises(ArtifactError, match=r"shard-00001\.safetensors"):
        ActivationStore.open(folder)


def test_a_damaged_header_is_named(store: ActivationStore, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(store.folder, folder)
    path = folder / "shard-00000.safetensors"
    content = bytearray(path.read_bytes())
    content[10:60] = b"\xff" * 50
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"shard-00000\.safetensors; got a damaged file"):
        ActivationStore.open(folder)


def test_opening_and_gathering_warn_of_nothing(store: ActivationStore) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ActivationStore.open(store.folder).rows_at(SITE, np.array([0]))
