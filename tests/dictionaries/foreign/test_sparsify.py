"""Folders in sparsify's layout, written by hand, say here what sparsify's formulas say."""

import json
from pathlib import Path
from typing import Any

import pytest
from layout import FEATURES, WIDTH, K, directions, drawn, refusal, require_agreement, rows, topk
from safetensors.torch import save_file
from torch import Tensor

from tymbal.dictionaries import load_dictionary


def tensors(*, free_norms: bool, skip: bool) -> dict[str, Tensor]:
    held = {
        "encoder.weight": drawn(FEATURES, WIDTH, seed=2),
        "encoder.bias": drawn(FEATURES, seed=4),
        "W_dec": directions(free_norms=free_norms),
        "b_dec": drawn(WIDTH, seed=3),
    }
    return held | ({"W_skip": drawn(WIDTH, WIDTH, seed=5)} if skip else {})


def write(folder: Path, held: dict[str, Tensor], **changes: Any) -> Path:
    folder.mkdir()
    save_file(held, folder / "sae.safetensors")
    config = {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": FEATURES}
    config |= {"k": K, "multi_topk": False, "skip_connection": False, "transcode": False, "d_in": WIDTH}
    (folder / "cfg.json").write_text(json.dumps(config | changes))
    return folder


@pytest.mark.parametrize("free_norms", [False, True])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("transcode", [False, True])
def test_a_dictionary_is_read_faithfully(tmp_path: Path, transcode: bool, skip: bool, free_norms: bool) -> None:
    held, x = tensors(free_norms=free_norms, skip=skip), rows()
    dictionary = load_dictionary(write(tmp_path / "a", held, transcode=transcode, skip_connection=skip))
    read = x if transcode else x - held["b_dec"]
    theirs = topk(read @ held["encoder.weight"].T + held["encoder.bias"])
    written = theirs @ held["W_dec"] + held["b_dec"] + (x @ held["W_skip"].T if skip else 0)
    require_agreement(dictionary, x, theirs, held["W_dec"], written)
    assert (dictionary.kind, dictionary.k) == ("topk", K)
    assert (dictionary.ends.target is not None) == (transcode or skip)


def test_what_is_chosen_would_differ_if_norms_were_ranked_with() -> None:
    held, x = tensors(free_norms=True, skip=False), rows()
    scores = (x - held["b_dec"]) @ held["encoder.weight"].T + held["encoder.bias"]
    assert not ((topk(scores) > 0) == (topk(scores * held["W_dec"].norm(dim=1)) > 0)).all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"activation": "groupmax"}, "got activation 'groupmax'"),
        ({"signed": True}, "got signed True"),
        ({"d_in": 13}, "12, as in the tensors"),
        ({"num_latents": 41}, "40, as in the tensors"),
        ({"k": 41}, "got k = 41"),
        ({"k": True}, "a whole number as k"),
        ({"k": -1}, "a whole number as k"),
        ({"skip_connection": True}, "no W_skip"),
        ({"transcode": "yes"}, "true or false as transcode"),
    ],
)
def test_what_cannot_be_read_faithfully_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    assert told in refusal(write(tmp_path / "a", tensors(free_norms=False, skip=False), **changes))


def test_a_skip_connection_is_not_dropped(tmp_path: Path) -> None:
    assert "besides W_skip" in refusal(write(tmp_path / "a", tensors(free_norms=False, skip=True), transcode=True))


def test_two_tools_files_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", tensors(free_norms=False, skip=False))
    save_file({}, folder / "sae_weights.safetensors")
    assert "got those of SAELens, sparsify" in refusal(folder)


def test_tensors_cut_short_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", tensors(free_norms=False, skip=False))
    content = (folder / "sae.safetensors").read_bytes()
    (folder / "sae.safetensors").write_bytes(content[:-100])
    assert "a damaged file" in refusal(folder)
