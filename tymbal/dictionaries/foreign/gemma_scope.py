"""Gemma Scope 1 (`params.npz`) and 2 (`params.safetensors`, mostly with `config.json`): JumpReLU dictionaries.

Encoders take x itself. The first names its tensors `W_enc`, …, the second `w_enc`, …, with the site in its
configuration. Nothing in a folder of the first says where it reads and whether it writes there too. Transcoders of the
second have a target, and some a linear map of the input, `affine_skip_connection`.

Source: Lieberum et al. 2024, "Gemma Scope", and its notebook; the loaders of the sae-lens package, version 6.54.
"""

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from tymbal import artifact
from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import Ends, Target
from tymbal.dictionaries.foreign.assembly import assembled, centre, linear, site_of, unwritable, with_unit_norms
from tymbal.dictionaries.foreign.contents import Settings, plain, shaped, zipped
from tymbal.dictionaries.jumprelu import JumpReLU, as_jumprelu
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.errors import ArtifactError

NAME = "Gemma Scope"
FIRST = "params.npz"
SECOND = "params.safetensors"
CONFIG = "config.json"
CAN = "jumprelu, batch_topk and matryoshka as jumprelu, and transcoders of these"
_NAMES = {
    "w_enc": "encoder",
    "w_dec": "decoder",
    "b_enc": "encoder_bias",
    "b_dec": "decoder_bias",
    "threshold": "threshold",
}
_AXES = {
    "w_enc": "width feature",
    "w_dec": "feature width",
    "b_enc": "feature",
    "b_dec": "width",
    "threshold": "feature",
}
_SKIP = "affine_skip_connection"
_MLP_OUT = re.compile(r"model\.layers\.(\d+)\.post_feedforward_layernorm\.output")
_RESID_POST = re.compile(r"(model\.layers\.\d+)\.output")


def reads(folder: Path) -> bool:
    """Whether the folder looks like one of Gemma Scope."""
    return (folder / FIRST).is_file() or (folder / SECOND).is_file()


def read(folder: Path) -> Dictionary:
    """The dictionary in a folder of Gemma Scope; raises `ArtifactError` for what cannot be read faithfully."""
    if (folder / FIRST).is_file() and (folder / SECOND).is_file():
        raise ArtifactError(
            expected=f"{FIRST} or {SECOND} in {folder}", got="both", do="keep one of them in a folder of its own"
        )
    return _first(folder) if (folder / FIRST).is_file() else _second(folder)


def _first(folder: Path) -> Dictionary:
    arrays = {name.replace("W_", "w_"): array for name, array in zipped(folder / FIRST).items()}
    return _jumprelu(shaped(arrays, _AXES, folder / FIRST), folder, Ends())


def _second(folder: Path) -> Dictionary:
    path = folder / SECOND
    settings = Settings.read(folder / CONFIG) if (folder / CONFIG).is_file() else Settings({}, folder / CONFIG)
    if settings.text("architecture", "jump_relu") != "jump_relu":
        raise settings.refusal("architecture", "jump_relu")
    held = plain(path)
    if (decoder := held.get("w_dec")) is not None and decoder.dim() == 3:
        raise ArtifactError(
            expected=f"a dictionary that writes one site in {folder}",
            got=f"a cross-layer one with w_dec of shape {tuple(decoder.shape)}",
            do="name a folder of resid_post, mlp_out, attn_out or transcoder",
        )
    reads_from = settings.of("hf_hook_point_in", str)
    writes_to = settings.of("hf_hook_point_out", str)
    skip = _SKIP in held
    if "affine_connection" in settings.entries and settings.flag("affine_connection") != skip:
        raise settings.refusal("affine_connection", f"{str(skip).lower()}, as in the tensors,")
    transcodes = skip or settings.of("type", str) == "transcoder" or writes_to not in (None, reads_from)
    axes = _AXES | ({"w_dec": "feature target", "b_dec": "target"} if transcodes else {})
    found = shaped(held, axes | ({_SKIP: "width target"} if skip else {}), path)
    target = Target(width=len(found["b_dec"]), site=_site(writes_to), skip=skip) if transcodes else None
    model = settings.of("model_name", str)
    return _jumprelu(found, folder, Ends(target=target), site=_site(reads_from), model=model)


def _jumprelu(tensors: dict[str, Tensor], folder: Path, ends: Ends, **origin: str | None) -> Dictionary:
    ours = {own: tensors[theirs] for theirs, own in _NAMES.items()} | {"encoder": tensors["w_enc"].T}
    if _SKIP in tensors:
        ours["skip"] = tensors[_SKIP].T
    dictionary = assembled(JumpReLU, ours, folder, ends=ends, **origin)
    if not ends.target:
        centre(dictionary)
    return with_unit_norms(dictionary)


def _site(hook: str | None) -> str | None:
    """Our name of a place in a Gemma that Hugging Face's modules name."""
    if hook and (match := _MLP_OUT.fullmatch(hook)):
        return f"mlp_out.{match[1]}"
    if hook and (match := _RESID_POST.fullmatch(hook)):
        return site_of(match[1])
    return None


def write(dictionary: Dictionary, folder: Path) -> None:
    """Write a folder of Gemma Scope 2; raises `ArtifactError` for a dictionary that it cannot hold."""
    ends = dictionary.ends
    written = as_jumprelu(dictionary) if isinstance(dictionary, BatchTopK | Matryoshka) else dictionary
    if not isinstance(written, JumpReLU) or ends.parts or ends.row_norm:
        raise unwritable(dictionary, NAME, CAN)
    ours = {**written.state_dict(), **linear(written, centred=False)._asdict()}
    tensors = {theirs: ours[own] for theirs, own in _NAMES.items()} | {"w_enc": ours["encoder"].T}
    if written.skip is not None:
        tensors[_SKIP] = written.skip.detach().T
    artifact.write_tensors(folder / SECOND, tensors)
    artifact.write_json(folder / CONFIG, _config(dictionary))


def _config(dictionary: Dictionary) -> dict[str, Any]:
    target = dictionary.ends.target
    config: dict[str, Any] = {
        "architecture": "jump_relu",
        "model_name": dictionary.model.get("name", ""),
        "type": "transcoder" if target else "sae",
        "affine_connection": bool(target and target.skip),
    }
    hooks = {"hf_hook_point_in": _hook(dictionary.site), "hf_hook_point_out": _hook(target.site) if target else None}
    return config | {name: hook for name, hook in hooks.items() if hook}


def _hook(site: str | None) -> str | None:
    kind, _, layer = (site or "").partition(".")
    modules = {"resid_post": "output", "mlp_out": "post_feedforward_layernorm.output"}
    return f"model.layers.{layer}.{modules[kind]}" if kind in modules else None
