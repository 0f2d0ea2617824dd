"""Folders in dictionary_learning's layout, written by hand, say here what its formulas say."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from layout import FEATURES, WIDTH, K, directions, drawn, refusal, require_agreement, rows, topk
from torch import Tensor

from tymbal.dictionaries import Matryoshka, load_dictionary

CLASSES = (
    "AutoEncoder",
    "AutoEncoderNew",
    "GatedAutoEncoder",
    "AutoEncoderTopK",
    "BatchTopKSAE",
    "JumpReluAutoEncoder",
    "MatryoshkaBatchTopKSAE",
)
GROUPS = [4, 8, 28]


def state(name: str, *, free_norms: bool = False) -> dict[str, Tensor]:
    """The tensors that the class saves."""
    encoder, decoder = drawn(FEATURES, WIDTH, seed=2), directions(free_norms=free_norms)
    bias, encoder_bias = drawn(WIDTH, seed=3), drawn(FEATURES, seed=4)
    if name in ("JumpReluAutoEncoder", "MatryoshkaBatchTopKSAE"):
        held = {"W_enc": encoder.T.contiguous(), "W_dec": decoder, "b_enc": encoder_bias, "b_dec": bias}
    else:
        held = {"encoder.weight": encoder, "decoder.weight": decoder.T.contiguous()}
        if name == "GatedAutoEncoder":
            held |= {"decoder_bias": bias, "gate_bias": encoder_bias}
            held |= {"mag_bias": drawn(FEATURES, seed=5), "r_mag": drawn(FEATURES, seed=6)}
        else:
            where = {"AutoEncoder": "bias", "AutoEncoderNew": "decoder.bias"}.get(name, "b_dec")
            held |= {"encoder.bias": encoder_bias, where: bias}
    if name == "JumpReluAutoEncoder":
        held["threshold"] = drawn(FEATURES, seed=7).abs()
    if "TopK" in name:
        held |= {"k": torch.tensor(K, dtype=torch.int32), "threshold": torch.tensor(0.6)}
    if name == "MatryoshkaBatchTopKSAE":
        held["group_sizes"] = torch.tensor(GROUPS)
    return held


def write(folder: Path, name: str, held: dict[str, Any], **changes: Any) -> Path:
    folder.mkdir()
    torch.save(held, folder / "ae.pt")
    trainer = {"dict_class": name, "activation_dim": WIDTH, "dict_size": FEATURES, "lm_name": "pythia", "layer": 3}
    trainer |= {"submodule_name": "resid_post_layer_3"} | ({"k": K} if "TopK" in name else {})
    (folder / "config.json").write_text(json.dumps({"trainer": trainer | changes, "buffer": {"ctx_len": 128}}))
    return folder


def activations(name: str, held: dict[str, Tensor], x: Tensor) -> Tensor:
    """dictionary_learning's formulas."""
    if name == "GatedAutoEncoder":
        product = (x - held["decoder_bias"]) @ held["encoder.weight"].T
        magnitude = held["r_mag"].exp() * product + held["mag_bias"]
        return (product + held["gate_bias"] > 0) * magnitude.clamp(min=0)
    if name == "JumpReluAutoEncoder":
        scores = x @ held["W_enc"] + held["b_enc"]
        return (scores * (scores > held["threshold"])).clamp(min=0)
    if name == "MatryoshkaBatchTopKSAE":
        scores = (x - held["b_dec"]) @ held["W_enc"] + held["b_enc"]
    elif name == "AutoEncoderNew":
        scores = x @ held["encoder.weight"].T + held["encoder.bias"]
    else:
        bias = held["bias"] if name == "AutoEncoder" else held["b_dec"]
        scores = (x - bias) @ held["encoder.weight"].T + held["encoder.bias"]
    if name == "AutoEncoderTopK":
        return topk(scores)
    return scores.clamp(min=0) * (scores > held.get("threshold", torch.tensor(0.0)))


@pytest.mark.parametrize("free_norms", [False, True])
@pytest.mark.parametrize("name", CLASSES)
def test_a_dictionary_is_read_faithfully(tmp_path: Path, name: str, free_norms: bool) -> None:
    held, x = state(name, free_norms=free_norms), rows()
    dictionary = load_dictionary(write(tmp_path / "a", name, held))
    assert (dictionary.site, dictionary.model) == ("resid_post.3", {"name": "pythia"})
    theirs = activations(name, held, x)
    decoder = held["W_dec"] if "W_dec" in held else held["decoder.weight"].T
    bias = next(held[bias] for bias in ("bias", "decoder_bias", "b_dec", "decoder.bias") if bias in held)
    require_agreement(dictionary, x, theirs, decoder, theirs @ decoder + bias)


@pytest.mark.parametrize("name", ["AutoEncoderTopK", "BatchTopKSAE", "MatryoshkaBatchTopKSAE"])
def test_directions_of_one_norm_that_is_not_1_keep_the_kind(tmp_path: Path, name: str) -> None:
    held, x = state(name), rows()
    decoder = 2 * (held["W_dec"] if "W_dec" in held else held["decoder.weight"].T)
    held |= {"W_dec": decoder} if "W_dec" in held else {"decoder.weight": decoder.T.contiguous()}
    dictionary = load_dictionary(write(tmp_path / "a", name, held))
    theirs = activations(name, held, x)
    require_agreement(dictionary, x, theirs, decoder, theirs @ decoder + held["b_dec"])
    assert dictionary.competitive


@pytest.mark.parametrize("name", ["BatchTopKSAE", "MatryoshkaBatchTopKSAE"])
def test_one_threshold_for_all_stays_one_where_directions_have_norm_1(tmp_path: Path, name: str) -> None:
    dictionary = load_dictionary(write(tmp_path / "a", name, state(name)))
    assert dictionary.kind == {"BatchTopKSAE": "batch_topk"}.get(name, "matryoshka")
    assert dictionary.k == K
    freed = load_dictionary(write(tmp_path / "b", name, state(name, free_norms=True)))
    assert (freed.kind, freed.k) == ("jumprelu", K)


def test_groups_become_prefixes(tmp_path: Path) -> None:
    dictionary = load_dictionary(write(tmp_path / "a", "MatryoshkaBatchTopKSAE", state("MatryoshkaBatchTopKSAE")))
    assert isinstance(dictionary, Matryoshka)
    assert dictionary.prefixes == (4, 12, 40)


@pytest.mark.parametrize(("target", "k"), [(20, 20), (FEATURES + 1, None), (None, None)])
def test_the_l0_that_a_jumprelu_was_trained_for_is_kept(tmp_path: Path, target: int | None, k: int | None) -> None:
    folder = write(tmp_path / "a", "JumpReluAutoEncoder", state("JumpReluAutoEncoder"), target_l0=target)
    assert load_dictionary(folder).k == k


def test_k_may_stand_in_the_configuration_alone(tmp_path: Path) -> None:
    held = state("AutoEncoderTopK")
    del held["k"], held["threshold"]  # as older versions saved it
    assert load_dictionary(write(tmp_path / "a", "AutoEncoderTopK", held)).k == K
    assert "a whole number as k" in refusal(write(tmp_path / "b", "AutoEncoderTopK", held, k=None))


class Malicious:
    """An object whose pickle would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must not run",))


def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(write(tmp_path / "a", "AutoEncoder", state("AutoEncoder") | {"more": Malicious()}))
    assert "got a pickle that asks for" in told
    assert "print" in told
    assert "this must not run" not in capsys.readouterr().out


@pytest.mark.parametrize("name", CLASSES)
def test_a_missing_and_an_extra_tensor_are_named(tmp_path: Path, name: str) -> None:
    held = state(name)
    for missing in held.keys() - {"threshold" if name == "AutoEncoderTopK" else "", "k"}:
        told = refusal(write(tmp_path / missing, name, {key: held[key] for key in held if key != missing}))
        assert f"no {missing}" in told or f"as {missing}" in told
    assert "besides surplus" in refusal(write(tmp_path / "extra", name, held | {"surplus": torch.ones(3)}))


@pytest.mark.parametrize(
    ("changes", "trainer", "told"),
    [
        ({"b_dec": torch.zeros(WIDTH + 1)}, {}, "expected b_dec of shape (width 12)"),
        ({"encoder.bias": torch.zeros(FEATURES, 1)}, {}, "expected encoder.bias of shape (feature 40)"),
        ({"encoder.bias": torch.full((FEATURES,), float("nan"))}, {}, "got NaN or infinity in encoder.bias"),
        ({"b_dec": torch.zeros(WIDTH, dtype=torch.int64)}, {}, "got torch.int64"),
        ({"b_dec": [0.0] * WIDTH}, {}, "got list"),
        ({"threshold": torch.tensor(-1.0)}, {}, "got -1.0: none was learned"),
        ({"threshold": torch.zeros(FEATURES)}, {}, "expected threshold of shape (one number)"),
        ({"k": torch.tensor(2.5)}, {}, "whole numbers as k"),
        ({}, {"k": 7}, "5, as in ae.pt"),
        ({}, {"dict_size": 41}, "40, as in the tensors"),
        ({}, {"dict_class": "IdentityDict"}, "got dict_class 'IdentityDict'"),
    ],
)
def test_a_folder_at_odds_with_itself_is_refused(
    tmp_path: Path, changes: dict[str, Any], trainer: dict[str, Any], told: str
) -> None:
    assert told in refusal(write(tmp_path / "a", "BatchTopKSAE", state("BatchTopKSAE") | changes, **trainer))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", "AutoEncoder", state("AutoEncoder"))
    content = (folder / "ae.pt").read_bytes()
    (folder / "ae.pt").write_bytes(content[: len(content) // 2])
    assert "a damaged file" in refusal(folder)
    (folder / "ae.pt").write_bytes(b"")
    assert "a damaged file" in refusal(folder)
    (folder / "ae.pt").write_text("<!DOCTYPE html>")
    assert "ae.pt" in refusal(folder)


def test_a_folder_without_its_configuration_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", "AutoEncoder", state("AutoEncoder"))
    (folder / "config.json").unlink()
    assert "config.json" in refusal(folder)
    (folder / "config.json").write_text("[1]")
    assert "named entries" in refusal(folder)
    (folder / "config.json").write_text('{"trainer": 3}')
    assert "got trainer 3" in refusal(folder)
