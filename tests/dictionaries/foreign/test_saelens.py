"""Folders in SAELens's layout, written by hand, say here what SAELens's formulas say."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from layout import FEATURES, WIDTH, K, close, dense, directions, drawn, refusal, require_agreement, rows, topk
from safetensors.torch import save_file
from torch import Tensor

from tymbal.dictionaries import Ends, Target, load_dictionary

TRANSCODED = 7
"""Width of what the transcoders write."""


def tensors(architecture: str, *, free_norms: bool = True) -> dict[str, Tensor]:
    width = TRANSCODED if "transcoder" in architecture else WIDTH
    held = {
        "W_enc": drawn(WIDTH, FEATURES, seed=2),
        "W_dec": directions(free_norms=free_norms, width=width),
        "b_dec": drawn(width, seed=3),
    }
    biases = ("b_gate", "b_mag", "r_mag") if architecture == "gated" else ("b_enc",)
    held |= {name: drawn(FEATURES, seed=seed) for seed, name in enumerate(biases, 4)}
    if "jumprelu" in architecture:
        held["threshold"] = drawn(FEATURES, seed=8).abs()
    if "skip" in architecture:
        held["W_skip"] = drawn(width, WIDTH, seed=9)
    return held


def write(folder: Path, architecture: str, held: dict[str, Tensor], /, **changes: Any) -> Path:
    folder.mkdir()
    save_file(held, folder / "sae_weights.safetensors")
    config = {
        "architecture": architecture,
        "d_in": WIDTH,
        "d_sae": FEATURES,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": "transcoder" not in architecture,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": "6.5.0", "hook_name": "blocks.4.hook_resid_post", "model_name": "gpt2-small"},
    }
    config |= {"d_out": TRANSCODED} if "transcoder" in architecture else {}
    config |= {"k": K, "rescale_acts_by_decoder_norm": False} if architecture == "topk" else {}
    (folder / "cfg.json").write_text(json.dumps(config | changes))
    return folder


def activations(architecture: str, held: dict[str, Tensor], x: Tensor) -> Tensor:
    """SAELens's formulas, `x` less the bias where it is taken away."""
    product = x @ held["W_enc"]
    if architecture == "gated":
        magnitude = x @ (held["W_enc"] * held["r_mag"].exp()) + held["b_mag"]
        return (product + held["b_gate"] > 0) * magnitude.clamp(min=0)
    scores = product + held["b_enc"]
    if architecture == "topk":
        return topk(scores)
    return scores.clamp(min=0) * (scores > held.get("threshold", torch.tensor(0.0)))


@pytest.mark.parametrize("bias_taken", [True, False])
@pytest.mark.parametrize("architecture", ["standard", "topk", "jumprelu", "gated"])
def test_a_dictionary_is_read_faithfully(tmp_path: Path, architecture: str, bias_taken: bool) -> None:
    held, x = tensors(architecture), rows()
    folder = write(tmp_path / "a", architecture, held, apply_b_dec_to_input=bias_taken)
    dictionary = load_dictionary(folder)
    assert (dictionary.site, dictionary.model) == ("resid_post.4", {"name": "gpt2-small"})
    theirs = activations(architecture, held, x - held["b_dec"] * bias_taken)
    require_agreement(dictionary, x, theirs, held["W_dec"], theirs @ held["W_dec"] + held["b_dec"])


@pytest.mark.parametrize(
    "architecture", ["transcoder", "skip_transcoder", "jumprelu_transcoder", "jumprelu_skip_transcoder"]
)
def test_a_transcoder_is_read_faithfully(tmp_path: Path, architecture: str) -> None:
    held, x = tensors(architecture), rows()
    hooks = {"hook_name": "blocks.4.hook_mlp_in", "hook_name_out": "blocks.4.hook_mlp_out"}
    folder = write(tmp_path / "a", architecture, held, metadata={"sae_lens_version": "6.5.0", **hooks})
    dictionary = load_dictionary(folder)
    target = Target(width=TRANSCODED, site="mlp_out.4", skip="skip" in architecture)
    assert (dictionary.site, dictionary.ends) == (None, Ends(target=target))
    theirs = activations(architecture, held, x)
    written = theirs @ held["W_dec"] + held["b_dec"] + (x @ held["W_skip"].T if target.skip else 0)
    require_agreement(dictionary, x, theirs, held["W_dec"], written)


def test_a_topk_that_ranks_rescaled_scores_is_read_as_one(tmp_path: Path) -> None:
    held, x = tensors("topk"), rows()
    dictionary = load_dictionary(write(tmp_path / "a", "topk", held, rescale_acts_by_decoder_norm=True))
    norms = held["W_dec"].norm(dim=1)
    theirs = topk(((x - held["b_dec"]) @ held["W_enc"] + held["b_enc"]) * norms)
    unscaled = topk((x - held["b_dec"]) @ held["W_enc"] + held["b_enc"])
    assert not torch.equal(theirs > 0, unscaled > 0)  # so that the two rankings can be told apart
    unit = held["W_dec"] / norms[:, None]
    require_agreement(dictionary, x, theirs, unit, theirs @ unit + held["b_dec"])


@pytest.mark.parametrize("normalisation", ["layer_norm", "constant_norm_rescale"])
@pytest.mark.parametrize("architecture", ["standard", "topk", "gated"])
def test_rows_are_normalised_as_there(tmp_path: Path, architecture: str, normalisation: str) -> None:
    held, x = tensors(architecture), rows() * 3
    dictionary = load_dictionary(write(tmp_path / "a", architecture, held, normalize_activations=normalisation))
    if normalisation == "layer_norm":
        shift, scale = x.mean(1, keepdim=True), x.std(1, keepdim=True)
        normal = (x - shift) / (scale + 1e-5)
    else:
        shift, scale = 0.0, x.norm(dim=1, keepdim=True) / WIDTH**0.5
        normal = x / scale
    theirs = activations(architecture, held, normal - held["b_dec"])
    written = (theirs @ held["W_dec"] + held["b_dec"]) * scale + shift
    require_agreement(dictionary, x, theirs, held["W_dec"], written, scale=scale)


def test_numbers_of_half_precision_are_taken_as_they_are(tmp_path: Path) -> None:
    held, x = {name: tensor.bfloat16() for name, tensor in tensors("standard").items()}, rows()
    dictionary = load_dictionary(write(tmp_path / "a", "standard", held, dtype="bfloat16"))
    exact = {name: tensor.float() for name, tensor in held.items()}
    theirs = activations("standard", exact, x - exact["b_dec"])
    require_agreement(dictionary, x, theirs, exact["W_dec"], theirs @ exact["W_dec"] + exact["b_dec"])


@pytest.mark.parametrize("function", ["relu", "topk"])
def test_a_folder_from_before_version_6_is_read_with_its_defaults(tmp_path: Path, function: str) -> None:
    held, x = tensors("standard") | {"scaling_factor": torch.ones(FEATURES)}, rows()
    folder = write(tmp_path / "a", "standard", held)
    config = {
        "d_in": WIDTH,
        "d_sae": FEATURES,
        "dtype": "torch.float32",
        "hook_point": "blocks.2.hook_resid_pre",
        "model_name": "pythia",
        "activation_fn_str": function,
        "activation_fn_kwargs": {"k": K} if function == "topk" else {},
        "normalize_activations": False,
    }
    (folder / "cfg.json").write_text(json.dumps(config))
    dictionary = load_dictionary(folder)
    assert (dictionary.kind, dictionary.site, dictionary.model) == (function, "resid_pre.2", {"name": "pythia"})
    theirs = activations("topk" if function == "topk" else "standard", held, x - held["b_dec"])
    require_agreement(dictionary, x, theirs, held["W_dec"], theirs @ held["W_dec"] + held["b_dec"])


def test_the_k_of_what_was_trained_as_batchtopk_is_kept(tmp_path: Path) -> None:
    trained = {"training_architecture": "batchtopk", "training_architecture_details": {"k": 64.0}}
    metadata = {"sae_lens_version": "6.5.0", "hook_name": "blocks.1.hook_mlp_out", **trained}
    dictionary = load_dictionary(write(tmp_path / "a", "jumprelu", tensors("jumprelu"), metadata=metadata))
    assert (dictionary.kind, dictionary.k, dictionary.site) == ("jumprelu", None, "mlp_out.1")
    metadata["training_architecture_details"] = {"k": 16.0}
    dictionary = load_dictionary(write(tmp_path / "b", "jumprelu", tensors("jumprelu"), metadata=metadata))
    assert dictionary.k == 16


@pytest.mark.parametrize(
    ("architecture", "changes", "told"),
    [
        ("batchtopk", {}, "save it with save_inference_model()"),
        ("temporal", {}, "got architecture 'temporal'"),
        (
            "standard",
            {"normalize_activations": "expected_average_only_in"},
            "whose scale or matrix is not in the folder",
        ),
        ("standard", {"normalize_activations": "covariance_whitening"}, "fold it in with SAELens"),
        ("transcoder", {"normalize_activations": "layer_norm"}, "none for a transcoder"),
        ("standard", {"activation_fn": "tanh-relu"}, "got activation_fn 'tanh-relu'"),
        ("standard", {"activation_fn": "topk", "k": K}, "got activation_fn 'topk'"),
        ("standard", {"activation_fn_str": "tanh-relu"}, "got activation_fn_str 'tanh-relu'"),
        ("standard", {"d_in": WIDTH + 1}, "12, as in the tensors"),
        ("standard", {"d_sae": "many"}, "got d_sae 'many'"),
        ("topk", {"k": None}, "a whole number as k"),
        ("topk", {"k": FEATURES + 1}, "got k = 41"),
        ("standard", {"architecture": None}, "a word as architecture"),
    ],
)
def test_what_cannot_be_read_faithfully_is_refused(
    tmp_path: Path, architecture: str, changes: dict[str, Any], told: str
) -> None:
    assert told in refusal(write(tmp_path / "a", architecture, tensors(architecture), **changes))


def test_a_fine_tuning_scale_is_not_dropped(tmp_path: Path) -> None:
    held = tensors("standard") | {"scaling_factor": torch.full((FEATURES,), 1.5)}
    assert "besides scaling_factor" in refusal(write(tmp_path / "a", "standard", held))


def test_a_threshold_is_neither_dropped_nor_invented(tmp_path: Path) -> None:
    assert "besides threshold" in refusal(write(tmp_path / "a", "standard", tensors("jumprelu")))
    assert "no threshold" in refusal(write(tmp_path / "b", "jumprelu", tensors("standard")))


def test_dead_features_without_a_direction_keep_their_activations(tmp_path: Path) -> None:
    held, x = tensors("topk"), rows()
    held["W_dec"][3] = 0
    dictionary = load_dictionary(write(tmp_path / "a", "topk", held))
    theirs = activations("topk", held, x - held["b_dec"])
    assert bool((theirs[:, 3] > 0).any())
    close(dense(dictionary, x)[:, 3], theirs[:, 3])
    close(dictionary(x), theirs @ held["W_dec"] + held["b_dec"])
