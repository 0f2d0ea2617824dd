"""What is saved comes back; what is damaged, foreign or missing is refused in one line."""

import json
from pathlib import Path

import pytest
import torch

from tymbal import artifact
from tymbal.dictionaries import KINDS, BatchTopK, Dictionary, Matryoshka, TopK, load_dictionary, require_width
from tymbal.errors import ArtifactError


def saved(folder: Path, kind: type[Dictionary] = TopK) -> Dictionary:
    torch.manual_seed(0)
    dictionary = kind(6, 20, 3, site="mlp_out.2")
    for parameter in dictionary.parameters():
        torch.nn.init.normal_(parameter)
    if isinstance(dictionary, BatchTopK | Matryoshka):
        dictionary.threshold.fill_(0.7)
    dictionary.model = {"name": "a model", "width": 6}
    dictionary.save(folder)
    return dictionary


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_a_loaded_dictionary_is_the_saved_one(tmp_path: Path, kind: type[Dictionary]) -> None:
    dictionary = saved(tmp_path, kind)
    loaded = load_dictionary(tmp_path)
    assert type(loaded) is kind
    assert loaded.config() == dictionary.config()
    assert (loaded.site, loaded.model) == ("mlp_out.2", {"name": "a model", "width": 6})
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for name, tensor in dictionary.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name
    x = torch.randn(9, 6)
    assert torch.equal(loaded(x), dictionary(x).detach())


def test_the_same_dictionary_is_saved_as_the_same_bytes(tmp_path: Path) -> None:
    saved(tmp_path / "one")
    saved(tmp_path / "two")
    for name in ("config.json", "dictionary.safetensors", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def refused(folder: Path) -> str:
    with pytest.raises(ArtifactError) as caught:
        load_dictionary(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def reseal(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text()) | changes
    artifact.seal(folder, "dictionary", {k: v for k, v in config.items() if v is not None}, ["dictionary.safetensors"])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "nowhere" in refused(tmp_path / "nowhere")


def test_an_unfinished_folder_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "manifest.json").unlink()
    assert "a finished dictionary" in refused(tmp_path)


@pytest.mark.parametrize("spoil", ["cut", "changed", "removed"])
def test_damaged_tensors_are_found(tmp_path: Path, spoil: str) -> None:
    saved(tmp_path)
    path = tmp_path / "dictionary.safetensors"
    content = path.read_bytes()
    if spoil == "removed":
        path.unlink()
    else:
        path.write_bytes(content[:-8] if spoil == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    assert "dictionary.safetensors" in refused(tmp_path)


def test_another_artifact_is_refused(tmp_path: Path) -> None:
    artifact.seal(tmp_path, "passages", {}, [])
    assert "of kind passages" in refused(tmp_path)


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    saved(tmp_path)
    reseal(tmp_path, kind="hopfield")
    message = refused(tmp_path)
    assert "topk, batch_topk, matryoshka, jumprelu, gated, relu" in message
    assert "hopfield" in message


def test_a_configuration_without_its_kind_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    reseal(tmp_path, kind=None)
    assert "none of kind" in refused(tmp_path)


def test_tensors_of_another_shape_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    reseal(tmp_path, features=21)
    assert "encoder (21, 6)" in refused(tmp_path)


def test_a_threshold_is_not_dropped_silently(tmp_path: Path) -> None:
    saved(tmp_path, TopK)
    reseal(tmp_path, kind="batch_topk")
    assert "threshold" in refused(tmp_path)


def test_a_width_that_is_not_the_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="a dictionary of width 7"):
        require_width(saved(tmp_path), 7)
