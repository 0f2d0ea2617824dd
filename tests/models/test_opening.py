"""Opening: what a folder gives, and one line for whatever it does not."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file
from transformers.utils import logging as transformers_logging

from tymbal.errors import ModelError
from tymbal.models import opening
from tymbal.models.opening import open_model


@pytest.fixture
def folder(tiny_llama_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama_folder, tmp_path / "model"))


def test_a_folder_opens_with_what_its_config_says(folder: Path) -> None:
    model = open_model(str(folder))
    assert (model.width, model.layers, model.context, model.vocabulary, model.causal) == (32, 4, 64, 300, True)
    assert (model.device.type, model.dtype, model.attention) == ("cpu", torch.float32, "sdpa")
    assert not model.torch_model.training


def test_identity_names_the_bytes_that_were_loaded(folder: Path) -> None:
    identity = open_model(folder).identity
    assert json.loads(json.dumps(identity)) == identity
    assert identity["weights_sha256"] == sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert identity["config_sha256"] == sha256((folder / "config.json").read_bytes()).hexdigest()
    assert (identity["architecture"], identity["dtype"], identity["revision"]) == ("llama", "float32", None)


def test_half_precision_weights_open_as_single_precision_unless_asked(folder: Path) -> None:
    path = folder / "model.safetensors"
    halves = {name: weight.half() for name, weight in load_file(path).items()}
    save_file(halves, path, {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    model = open_model(folder)
    assert {weight.dtype for weight in model.torch_model.parameters()} == {torch.float32}
    assert torch.equal(model.torch_model.lm_head.weight, halves["lm_head.weight"].float())
    assert open_model(folder, dtype="bfloat16").dtype == torch.bfloat16


def test_weights_in_several_files_open(folder: Path) -> None:
    expected = open_model(folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names, place = sorted(weights), {}
    for index, part in enumerate((names[::2], names[1::2])):
        file = f"model-0000{index + 1}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, folder / file, {"format": "pt"})
        place |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": place}))
    model = open_model(folder)
    ids = torch.tensor([[3, 4, 5]])
    assert torch.equal(model.logits(ids), expected.logits(ids))
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match="model-00002-of-00002"):
        open_model(folder)


def test_opening_says_nothing_and_leaves_the_log_as_it_was(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers_logging.enable_progress_bar()
    monkeypatch.setattr(transformers_logging, "_tqdm_active", True, raising=False)
    verbosity = transformers_logging.get_verbosity()
    open_model(folder)
    assert capfd.readouterr() == ("", "")
    assert transformers_logging.get_verbosity() == verbosity
    assert transformers_logging.is_progress_bar_enabled()


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def _set(**fields: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return change


def _drop_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def _cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_remove("config.json"), "config.json"),
        (_remove("tokenizer.json"), "tokenizer"),
        (_remove("model.safetensors"), "model.safetensors"),
        (_write("config.json", "{"), "JSON"),
        (_write("config.json", "[]"), "object"),
        (_write("tokenizer.json", "{}"), "can load"),
        (_write("model.safetensors", "no"), "can load"),
        (_set(model_type="rwkv"), "'rwkv'"),
        (_set(hidden_size="wide"), "can load"),
        (_set(vocab_size=299), "can load"),
        (_drop_weight, r"model\.layers\.1\.mlp\.up_proj\.weight"),
        (_cut_short, "can load"),
    ],
)
def test_an_incomplete_or_damaged_folder_is_answered_in_one_line(
    folder: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=said) as error:
        open_model(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtype": "float8"}, "float32, bfloat16, float16"),
        ({"device": "abacus"}, "cpu"),
        ({"device": "cuda:99"}, "cpu"),
        ({"attention": "flash_attention_2"}, "sdpa, eager"),
        ({"revision": "main"}, "local folder"),
    ],
)
def test_options_that_are_not_known_are_refused_with_the_known_ones(folder: Path, options: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        open_model(folder, **options)


def test_a_path_that_is_not_there_is_not_looked_up_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "snapshot_download", None)
    (tmp_path / "file").write_text("")
    for name in (tmp_path / "none", str(tmp_path / "none"), "./none", tmp_path / "file"):
        with pytest.raises(ModelError, match="a model folder at"):
            open_model(name)


def test_a_hub_that_cannot_be_reached_is_answered_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("Name or service not known\nPlease check your internet connection")

    monkeypatch.setattr(opening, "snapshot_download", unreachable)
    with pytest.raises(ModelError, match="'someone/model'") as error:
        open_model("someone/model")
    assert "local folder, which works too" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_hub_model_carries_its_commit_and_fetches_weights_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = folder.rename(folder.with_name("0123abcd"))
    asked: list[tuple[str | None, list[str]]] = []

    def fetched(_: str, *, revision: str | None, allow_patterns: list[str], **__: object) -> str:
        asked.append((revision, allow_patterns))
        return str(snapshot)

    monkeypatch.setattr(opening, "snapshot_download", fetched)
    model = open_model("someone/model", revision="main")
    assert (model.name, model.revision) == ("someone/model", "0123abcd")
    assert [revision for revision, _ in asked] == ["main", "0123abcd"]
    assert not any("safetensors" in pattern for pattern in asked[0][1])

    _set(model_type="rwkv")(snapshot)
    asked.clear()
    with pytest.raises(ModelError, match="rwkv"):
        open_model("someone/model")
    assert len(asked) == 1
