"""OpenAI's sparse_autoencoder: a `.pt` file, with the name of the activation function among the tensors.

TopK implies that rows are normalised before encoding and brought back after decoding; nothing in the file says so.
Files from before the name was written hold ReLU dictionaries. A checkpoint of their training script has neither a name
nor k, and is refused.

Source: Gao et al. 2024, appendix A.1; https://github.com/openai/sparse_autoencoder (`model.py`, `train.py`).
"""

from pathlib import Path
from typing import Any

from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import Ends
from tymbal.dictionaries.foreign import dictionary_learning
from tymbal.dictionaries.foreign.assembly import assembled, with_unit_norms
from tymbal.dictionaries.foreign.contents import OTHER, pickled, shaped
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.topk import TopK
from tymbal.errors import ArtifactError

NAME = "OpenAI's sparse_autoencoder"
_AXES = {
    "encoder.weight": "feature width",
    "latent_bias": "feature",
    "decoder.weight": "width feature",
    "pre_bias": "width",
}
_COUNTS = ("stats_last_nonzero", "latents_activation_frequency", "latents_mean_square")
"""Bookkeeping of training, which changes no code."""


def reads(place: Path) -> bool:
    """Whether this is a `.pt` file, or a folder with one, under any name but that of dictionary_learning."""
    return len(_files(place)) == 1


def _files(place: Path) -> list[Path]:
    found = [place] if place.is_file() else sorted(place.glob("*.pt"))
    return [path for path in found if path.suffix == ".pt" and path.name != dictionary_learning.TENSORS]


def read(place: Path) -> Dictionary:
    """The dictionary in a `.pt` file, or its folder; raises `ArtifactError` for what cannot be read faithfully."""
    (path,) = _files(place)
    held = pickled(path)
    k = _k(held, path)
    for name in _COUNTS:
        held.pop(name, None)
    found = shaped(held, _AXES, path)
    tensors = {
        "encoder": found["encoder.weight"],
        "encoder_bias": found["latent_bias"],
        "decoder": found["decoder.weight"].T,
        "decoder_bias": found["pre_bias"],
    }
    if k is None:
        return with_unit_norms(assembled(ReLU, tensors, path, ends=Ends()))
    return with_unit_norms(assembled(TopK, tensors, path, ends=Ends(row_norm="layer_norm"), k=k))


def _k(held: dict[str, Any], path: Path) -> int | None:
    """k of a TopK, None of a ReLU; takes what names the activation function out of `held`."""
    settings = held.pop("activation_state_dict", {})
    name = held.pop("activation", "ReLU" if "latents_activation_frequency" in held else "none")
    if name == "ReLU":
        return None
    k = settings.get("k") if isinstance(settings, dict) else None
    after = settings.get("postact_fn") if isinstance(settings, dict) else None
    if name != "TopK" or after != "ReLU" or type(k) is not int:
        raise ArtifactError(
            expected=f"the activation ReLU, or TopK with k and then ReLU, in {path}",
            got=f"{name!r} with k {k}, then {after}",
            do=OTHER,
        )
    return k
