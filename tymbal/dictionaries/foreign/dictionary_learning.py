"""dictionary_learning: `ae.pt` and `config.json`, whose `trainer.dict_class` names the architecture.

Its JumpReLU, and the ReLU of the April update (`AutoEncoderNew`), encode x itself; every other class takes the bias
from it first. A TopK also holds a threshold, which only its `use_threshold` asks for; it is not read.

Source: the dictionary-learning package, version 0.1.0 (`dictionary.py`, `trainers/`, `utils.py`).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tymbal import artifact
from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import Ends
from tymbal.dictionaries.foreign.assembly import assembled, centre, linear, noted_k, unwritable, with_unit_norms
from tymbal.dictionaries.foreign.contents import OTHER, Settings, pickled, require_size, shaped
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.topk import TopK
from tymbal.errors import ArtifactError

NAME = "dictionary_learning"
CONFIG = "config.json"
TENSORS = "ae.pt"
CAN = "relu, gated, topk, batch_topk, jumprelu and matryoshka that read and write one site"


class DictClass(NamedTuple):
    """One of their classes: our kind, their names of our tensors, whether it encodes x less the decoder bias."""

    kind: type[Dictionary]
    names: Mapping[str, str]
    """Their name by ours; a name that ends in `.weight` is that of a linear layer, which holds outputs first."""
    centred: bool = True


_LAYERS = {"encoder": "encoder.weight", "decoder": "decoder.weight"}
_COMPETING = {**_LAYERS, "encoder_bias": "encoder.bias", "decoder_bias": "b_dec"}
_MATRICES = {"encoder": "W_enc", "decoder": "W_dec", "encoder_bias": "b_enc", "decoder_bias": "b_dec"}
_GATES = {"encoder_bias": "gate_bias", "gain_bias": "mag_bias", "log_gain": "r_mag", "decoder_bias": "decoder_bias"}
_THRESHOLD = {"threshold": "threshold"}
CLASSES = {
    "AutoEncoder": DictClass(ReLU, {**_LAYERS, "encoder_bias": "encoder.bias", "decoder_bias": "bias"}),
    "AutoEncoderNew": DictClass(
        ReLU, {**_LAYERS, "encoder_bias": "encoder.bias", "decoder_bias": "decoder.bias"}, centred=False
    ),
    "GatedAutoEncoder": DictClass(Gated, {**_LAYERS, **_GATES}),
    "AutoEncoderTopK": DictClass(TopK, _COMPETING),
    "BatchTopKSAE": DictClass(BatchTopK, {**_COMPETING, **_THRESHOLD}),
    "JumpReluAutoEncoder": DictClass(JumpReLU, {**_MATRICES, **_THRESHOLD}, centred=False),
    "MatryoshkaBatchTopKSAE": DictClass(Matryoshka, {**_MATRICES, **_THRESHOLD}),
}
_AXES = {
    "encoder.weight": "feature width",
    "decoder.weight": "width feature",
    "W_enc": "width feature",
    "W_dec": "feature width",
    "bias": "width",
    "b_dec": "width",
    "decoder_bias": "width",
    "decoder.bias": "width",
}
"""Shapes of their tensors; of all others it is "feature", or one number for the threshold of a BatchTopK."""
_TURNED = ("decoder.weight", "W_enc")
"""Tensors that hold what ours hold, transposed."""
_RESID_POST = re.compile(r"resid_post_layer_(\d+)")


def reads(folder: Path) -> bool:
    """Whether the folder looks like one of dictionary_learning."""
    return (folder / TENSORS).is_file()


def read(folder: Path) -> Dictionary:
    """The dictionary in a folder of dictionary_learning; raises `ArtifactError` for what cannot be read faithfully."""
    trainer = Settings.read(folder / CONFIG).table("trainer")
    name = trainer.text("dict_class")
    if name not in CLASSES:
        raise trainer.refusal("dict_class", " or ".join(CLASSES))
    known = CLASSES[name]
    held = pickled(folder / TENSORS)
    options = _options(held, trainer, known.kind, folder)
    tensors = _tensors(held, known, folder / TENSORS)
    if known.kind in (BatchTopK, Matryoshka) and tensors["threshold"] < 0:
        raise ArtifactError(
            expected=f"a threshold of at least 0 in {folder}",
            got=f"{float(tensors['threshold'])}: none was learned",
            do="train it for more steps than threshold_start_step",
        )
    features, width = tensors["encoder"].shape
    require_size(trainer, "activation_dim", width)
    require_size(trainer, "dict_size", features)
    if known.kind is JumpReLU:
        options["k"] = noted_k(trainer.of("target_l0", int), features)
    resid_post = _RESID_POST.fullmatch(trainer.of("submodule_name", str) or "")
    site = f"resid_post.{resid_post[1]}" if resid_post else None
    model = trainer.of("lm_name", str)
    dictionary = assembled(known.kind, tensors, folder, ends=Ends(), site=site, model=model, **options)
    if not known.centred:
        centre(dictionary)
    return with_unit_norms(dictionary)


def _options(held: dict[str, Any], trainer: Settings, kind: type[Dictionary], folder: Path) -> dict[str, Any]:
    """What a kind wants to know besides its tensors; takes these numbers out of `held`."""
    if kind not in (TopK, BatchTopK, Matryoshka):
        return {}
    k = _whole(held.pop("k"), 0, "k", folder) if "k" in held else trainer.number("k")
    if trainer.number("k", k) != k:
        raise trainer.refusal("k", f"{k}, as in {TENSORS},")
    if kind is TopK:
        held.pop("threshold", None)
    if kind is Matryoshka:
        sizes = _whole(held.pop("group_sizes", None), 1, "group_sizes", folder)
        return {"k": k, "prefixes": torch.tensor(sizes).cumsum(0).tolist()}
    return {"k": k}


def _whole(tensor: Any, axes: int, name: str, folder: Path) -> Any:
    if not isinstance(tensor, Tensor) or tensor.is_floating_point() or tensor.dim() != axes:
        got = f"{tensor.dtype} of shape {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else "none"
        raise ArtifactError(expected=f"whole numbers as {name} in {folder / TENSORS}", got=got, do=OTHER)
    return tensor.tolist()


def _tensors(held: dict[str, Any], known: DictClass, path: Path) -> dict[str, Tensor]:
    """The tensors under our names, features first."""
    shapes = {theirs: _AXES.get(theirs, "feature") for theirs in known.names.values()}
    if known.kind in (BatchTopK, Matryoshka):
        shapes["threshold"] = ""
    found = shaped(held, shapes, path)
    return {ours: _turned(theirs, found[theirs]) for ours, theirs in known.names.items()}


def _turned(theirs: str, tensor: Tensor) -> Tensor:
    return tensor.T if theirs in _TURNED else tensor


def write(dictionary: Dictionary, folder: Path) -> None:
    """Write a folder of dictionary_learning; raises `ArtifactError` for a dictionary that it cannot hold."""
    if dictionary.ends != Ends():
        raise unwritable(dictionary, NAME, CAN)
    name, known = next((name, known) for name, known in CLASSES.items() if known.kind is type(dictionary))
    ours = {**dictionary.state_dict(), **linear(dictionary, centred=known.centred)._asdict()}
    state = {theirs: _turned(theirs, ours[own]).contiguous() for own, theirs in known.names.items()}
    if dictionary.competitive:
        threshold = ours.get("threshold", torch.tensor(-1.0))
        state |= {"k": torch.tensor(dictionary.k, dtype=torch.int32), "threshold": threshold.float()}
    if isinstance(dictionary, Matryoshka):
        ends = torch.tensor([0, *dictionary.prefixes])
        state["group_sizes"] = ends.diff()
    artifact.write_atomically(folder / TENSORS, lambda temporary: torch.save(state, temporary))
    artifact.write_json(folder / CONFIG, {"trainer": _trainer(dictionary, name)})


def _trainer(dictionary: Dictionary, name: str) -> dict[str, Any]:
    trainer: dict[str, Any] = {
        "dict_class": name,
        "activation_dim": dictionary.width,
        "dict_size": dictionary.features,
    }
    if dictionary.competitive:
        trainer["k"] = dictionary.k
    if "name" in dictionary.model:
        trainer["lm_name"] = dictionary.model["name"]
    kind, _, layer = (dictionary.site or "").partition(".")
    if kind == "resid_post":
        trainer |= {"layer": int(layer), "submodule_name": f"resid_post_layer_{layer}"}
    return trainer
