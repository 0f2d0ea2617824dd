"""A file in the layout of OpenAI's sparse_autoencoder, written by hand, says here what its formulas say."""

from pathlib import Path
from typing import Any

import pytest
import torch
from layout import FEATURES, WIDTH, K, directions, drawn, refusal, require_agreement, rows, topk
from torch import Tensor

from tymbal.dictionaries import Ends, load_dictionary

TOPK = {"activation": "TopK", "activation_state_dict": {"k": K, "postact_fn": "ReLU"}}
COUNTS = {
    "stats_last_nonzero": torch.zeros(FEATURES, dtype=torch.int64),
    "latents_activation_frequency": torch.ones(FEATURES),
    "latents_mean_square": torch.zeros(FEATURES),
}


def tensors(*, free_norms: bool = False) -> dict[str, Tensor]:
    return {
        "pre_bias": drawn(WIDTH, seed=3),
        "encoder.weight": drawn(FEATURES, WIDTH, seed=2),
        "latent_bias": drawn(FEATURES, seed=4),
        "decoder.weight": directions(free_norms=free_norms).T.contiguous(),
    }


def write(folder: Path, held: dict[str, Any]) -> Path:
    folder.mkdir()
    torch.save(held, folder / "8.pt")
    return folder


@pytest.mark.parametrize("free_norms", [False, True])
def test_topk_implies_that_rows_are_normalised(tmp_path: Path, free_norms: bool) -> None:
    held, x = tensors(free_norms=free_norms), 4 * rows() + 1
    dictionary = load_dictionary(write(tmp_path / "a", {**held, **COUNTS, **TOPK}))
    mean, deviation = x.mean(1, keepdim=True), x.std(1, keepdim=True)
    normal = (x - mean) / (deviation + 1e-5)
    theirs = topk((normal - held["pre_bias"]) @ held["encoder.weight"].T + held["latent_bias"])
    written = (theirs @ held["decoder.weight"].T + held["pre_bias"]) * deviation + mean
    require_agreement(dictionary, x, theirs, held["decoder.weight"].T, written, scale=deviation)
    assert (dictionary.kind, dictionary.k, dictionary.ends) == ("topk", K, Ends(row_norm="layer_norm"))


def test_the_file_is_named_where_there_are_several(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", tensors() | TOPK)
    torch.save(tensors() | {"activation": "ReLU"}, folder / "9.pt")
    assert load_dictionary(folder / "8.pt").kind == "topk"
    assert load_dictionary(folder / "9.pt").kind == "relu"
    assert "got 8.pt, 9.pt" in refusal(folder)
    (tmp_path / "notes.txt").touch()
    assert "got a file" in refusal(tmp_path / "notes.txt")


@pytest.mark.parametrize("named", [{"activation": "ReLU"}, {}])
def test_relu_takes_rows_as_they_are(tmp_path: Path, named: dict[str, str]) -> None:
    held, x = tensors(free_norms=True), rows()
    dictionary = load_dictionary(write(tmp_path / "a", {**held, **COUNTS, **named}))
    theirs = ((x - held["pre_bias"]) @ held["encoder.weight"].T + held["latent_bias"]).clamp(min=0)
    written = theirs @ held["decoder.weight"].T + held["pre_bias"]
    require_agreement(dictionary, x, theirs, held["decoder.weight"].T, written)
    assert (dictionary.kind, dictionary.ends) == ("relu", Ends())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"activation": "Identity"}, "got 'Identity'"),
        (TOPK | {"activation_state_dict": {"k": K, "postact_fn": "Identity"}}, "then Identity"),
        (TOPK | {"activation_state_dict": {}}, "with k None"),
        (TOPK | {"activation_state_dict": 3}, "with k None"),
        (TOPK | {"activation_state_dict": {"k": FEATURES + 1, "postact_fn": "ReLU"}}, "got k = 41"),
        ({"stats_last_nonzero": COUNTS["stats_last_nonzero"]}, "got 'none'"),
        (TOPK | {"latent_bias": torch.zeros(FEATURES + 1)}, "expected latent_bias of shape (feature 40)"),
    ],
)
def test_what_cannot_be_read_faithfully_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    assert told in refusal(write(tmp_path / "a", tensors() | changes))


def test_a_folder_of_nothing_known_is_refused_with_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "SAELens, dictionary_learning, sparsify, Gemma Scope, OpenAI's" in refusal(tmp_path)
    assert "got notes.txt" in refusal(tmp_path)
    (tmp_path / "b").mkdir()
    assert "an empty folder" in refusal(tmp_path / "b")
    torch.save([1, 2], tmp_path / "8.pt")
    assert "got a list" in refusal(tmp_path)
