"""Folders in Gemma Scope's two layouts, written by hand, say here what a JumpReLU that encodes x itself says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layout import FEATURES, WIDTH, directions, drawn, refusal, require_agreement, rows
from safetensors.torch import save_file
from torch import Tensor

from tymbal.dictionaries import Ends, Target, load_dictionary

RESID_POST = "model.layers.9.output"
MLP_IN, MLP_OUT = "model.layers.9.pre_feedforward_layernorm.output", "model.layers.9.post_feedforward_layernorm.output"


def tensors() -> dict[str, Tensor]:
    return {
        "w_enc": drawn(WIDTH, FEATURES, seed=2),
        "w_dec": directions(free_norms=True),
        "b_enc": drawn(FEATURES, seed=4),
        "b_dec": drawn(WIDTH, seed=3),
        "threshold": drawn(FEATURES, seed=5).abs(),
    }


def write_first(folder: Path, held: dict[str, Tensor]) -> Path:
    folder.mkdir()
    np.savez(folder / "params.npz", **{name.replace("w_", "W_"): tensor.numpy() for name, tensor in held.items()})
    return folder


def write_second(folder: Path, held: dict[str, Tensor], **config: Any) -> Path:
    folder.mkdir()
    save_file(held, folder / "params.safetensors")
    (folder / "config.json").write_text(json.dumps({"architecture": "jump_relu", "model_name": "gemma"} | config))
    return folder


def activations(held: dict[str, Tensor], x: Tensor) -> Tensor:
    scores = x @ held["w_enc"] + held["b_enc"]
    return scores.clamp(min=0) * (scores > held["threshold"])


def test_the_first_is_read_faithfully(tmp_path: Path) -> None:
    held, x = tensors(), rows()
    dictionary = load_dictionary(write_first(tmp_path / "a", held))
    theirs = activations(held, x)
    require_agreement(dictionary, x, theirs, held["w_dec"], theirs @ held["w_dec"] + held["b_dec"])
    assert (dictionary.kind, dictionary.site, dictionary.k, dictionary.model) == ("jumprelu", None, None, {})


@pytest.mark.parametrize(
    ("hook", "site"),
    [(RESID_POST, "resid_post.9"), (MLP_OUT, "mlp_out.9"), ("model.layers.9.self_attn.o_proj.input", None)],
)
def test_the_second_is_read_faithfully(tmp_path: Path, hook: str, site: str | None) -> None:
    held, x = tensors(), rows()
    dictionary = load_dictionary(write_second(tmp_path / "a", held, hf_hook_point_in=hook, hf_hook_point_out=hook))
    theirs = activations(held, x)
    require_agreement(dictionary, x, theirs, held["w_dec"], theirs @ held["w_dec"] + held["b_dec"])
    assert (dictionary.site, dictionary.ends, dictionary.model) == (site, Ends(), {"name": "gemma"})


@pytest.mark.parametrize("skip", [False, True])
def test_a_transcoder_of_the_second_is_read_faithfully(tmp_path: Path, skip: bool) -> None:
    held, x = tensors(), rows()
    if skip:
        held["affine_skip_connection"] = drawn(WIDTH, WIDTH, seed=6)
    config = {"hf_hook_point_in": MLP_IN, "hf_hook_point_out": MLP_OUT, "affine_connection": skip}
    dictionary = load_dictionary(write_second(tmp_path / "a", held, **config))
    theirs = activations(held, x)
    written = theirs @ held["w_dec"] + held["b_dec"] + (x @ held["affine_skip_connection"] if skip else 0)
    require_agreement(dictionary, x, theirs, held["w_dec"], written)
    target = Target(width=WIDTH, site="mlp_out.9", skip=skip)
    assert (dictionary.site, dictionary.ends) == (None, Ends(target=target))


def test_arrays_that_are_pickled_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    np.savez(tmp_path / "a" / "params.npz", W_enc=np.array([{"code": print}], dtype=object))
    assert "got a pickle" in refusal(tmp_path / "a")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    folder = write_first(tmp_path / "a", tensors())
    content = (folder / "params.npz").read_bytes()
    (folder / "params.npz").write_bytes(content[: len(content) // 2])
    assert "a damaged file" in refusal(folder)
    (folder / "params.npz").write_bytes(b"nothing")
    assert "params.npz" in refusal(folder)


@pytest.mark.parametrize(
    ("config", "told"),
    [({"architecture": "topk"}, "got architecture 'topk'"), ({"affine_connection": True}, "false, as in the tensors")],
)
def test_a_configuration_at_odds_with_the_tensors_is_refused(tmp_path: Path, config: dict[str, Any], told: str) -> None:
    assert told in refusal(write_second(tmp_path / "a", tensors(), **config))


def test_a_cross_layer_transcoder_is_refused_by_name(tmp_path: Path) -> None:
    held = tensors() | {"w_dec": drawn(FEATURES, 3, WIDTH)}
    assert "a cross-layer one" in refusal(write_second(tmp_path / "a", held))


def test_a_missing_threshold_is_refused(tmp_path: Path) -> None:
    held = tensors()
    del held["threshold"]
    assert "no threshold" in refusal(write_first(tmp_path / "a", held))
    assert "no threshold" in refusal(write_second(tmp_path / "b", held))


def test_both_layouts_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = write_first(tmp_path / "a", tensors())
    save_file(tensors(), folder / "params.safetensors")
    assert "got both" in refusal(folder)
