"""SAELens: `cfg.json` and `sae_weights.safetensors`.

What BatchTopK and Matryoshka learned is saved there as JumpReLU, one threshold a feature; reading gives a `JumpReLU`.
Folders of versions before 6 name hook and activation function at the top level, with defaults of their own.

Source: the sae-lens package, version 6.54 (`saes/`, `loading/pretrained_sae_loaders.py`).
"""

from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from tymbal import artifact
from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import Ends, Target
from tymbal.dictionaries.foreign.assembly import (
    assembled,
    centre,
    linear,
    noted_k,
    site_of,
    unwritable,
    with_unit_norms,
)
from tymbal.dictionaries.foreign.contents import Settings, plain, require_size, shaped
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU, as_jumprelu
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.topk import TopK
from tymbal.errors import ArtifactError, listed

NAME = "SAELens"
CONFIG = "cfg.json"
TENSORS = "sae_weights.safetensors"
CAN = "relu, topk, jumprelu and gated, batch_topk and matryoshka as jumprelu; relu and jumprelu transcoders"
VERSION = "6.54.12"
"""The version whose layout is written."""


class Architecture(NamedTuple):
    """One of SAELens's architectures: our kind, whether it writes another site, and with a skip connection."""

    kind: type[Dictionary]
    transcoder: bool = False
    skip: bool = False


ARCHITECTURES = {
    "standard": Architecture(ReLU),
    "topk": Architecture(TopK),
    "jumprelu": Architecture(JumpReLU),
    "gated": Architecture(Gated),
    "transcoder": Architecture(ReLU, transcoder=True),
    "skip_transcoder": Architecture(ReLU, transcoder=True, skip=True),
    "jumprelu_transcoder": Architecture(JumpReLU, transcoder=True),
    "jumprelu_skip_transcoder": Architecture(JumpReLU, transcoder=True, skip=True),
}
TRAINING = ("batchtopk", "matryoshka_batchtopk")
"""Architectures of unfinished training, whose rows are judged only together with their batch."""
NORMALISATIONS = {"none": None, "layer_norm": "layer_norm", "constant_norm_rescale": "norm"}
_SHARED = {"W_enc": "encoder", "W_dec": "decoder", "b_enc": "encoder_bias", "b_dec": "decoder_bias"}
_NAMES = {
    ReLU: _SHARED,
    TopK: _SHARED,
    JumpReLU: _SHARED | {"threshold": "threshold"},
    Gated: {"W_enc": "encoder", "W_dec": "decoder", "b_gate": "encoder_bias", "b_dec": "decoder_bias"}
    | {"r_mag": "log_gain", "b_mag": "gain_bias"},
}
"""Their names of our tensors."""
_AXES = {"W_enc": "width feature", "W_dec": "feature target", "b_dec": "target", "W_skip": "target width"}


def reads(folder: Path) -> bool:
    """Whether the folder looks like one of SAELens."""
    return (folder / TENSORS).is_file()


def read(folder: Path) -> Dictionary:
    """The dictionary in a folder of SAELens; raises `ArtifactError` for what cannot be read faithfully."""
    settings = _modern(Settings.read(folder / CONFIG))
    name = settings.text("architecture")
    if name not in ARCHITECTURES:
        raise _unknown(settings, name)
    architecture = ARCHITECTURES[name]
    tensors = _tensors(folder / TENSORS, architecture)
    features, target_width = tensors["decoder"].shape
    require_size(settings, "d_in", tensors["encoder"].shape[1])
    require_size(settings, "d_sae", features)
    metadata = settings.table("metadata", {})
    target = None
    if architecture.transcoder:
        require_size(settings, "d_out", target_width)
        site = site_of(metadata.of("hook_name_out", str))
        target = Target(width=target_width, site=site, skip=architecture.skip)
    dictionary = assembled(
        architecture.kind,
        tensors,
        folder,
        k=settings.number("k") if architecture.kind is TopK else noted_k(_trained_k(metadata), features),
        ends=Ends(target=target, row_norm=_row_norm(settings, architecture)),
        site=site_of(metadata.of("hook_name", str)),
        model=metadata.of("model_name", str),
    )
    if not architecture.transcoder and not settings.flag("apply_b_dec_to_input", True):
        centre(dictionary)
    dictionary = with_unit_norms(dictionary)
    if isinstance(dictionary, TopK) and settings.flag("rescale_acts_by_decoder_norm", False):
        dictionary.ranking = None  # they compare scores times norms, as we do
    return dictionary


def _modern(settings: Settings) -> Settings:
    """The settings as version 6 words them."""
    entry = "activation_fn" if "activation_fn" in settings.entries else "activation_fn_str"
    function = settings.text(entry, "relu")
    version = settings.of("sae_lens_version", str) or settings.table("metadata", {}).of("sae_lens_version", str)
    major = (version or "").split(".")[0]
    modern = settings if major.isdigit() and int(major) >= 6 else _reworded(settings, function)
    if function != "relu" and (function, modern.entries.get("architecture")) != ("topk", "topk"):
        raise settings.refusal(entry, "relu, or topk of the architecture topk,")
    return modern


def _reworded(settings: Settings, function: str) -> Settings:
    """The settings of a version before 6 in the words of version 6, with the defaults of their time."""
    entries = {"architecture": "standard", **settings.entries}
    if function == "topk" and entries["architecture"] == "standard":
        entries |= {"architecture": "topk", "k": settings.table("activation_fn_kwargs").number("k")}
    if isinstance(entries.get("normalize_activations"), bool):
        entries["normalize_activations"] = "expected_average_only_in" if entries["normalize_activations"] else "none"
    hook = settings.of("hook_name", str) or settings.of("hook_point", str)
    entries["metadata"] = {"hook_name": hook, "model_name": settings.of("model_name", str)}
    return Settings(entries, settings.path)


def _unknown(settings: Settings, name: str) -> ArtifactError:
    if name in TRAINING:
        return ArtifactError(
            expected=f"a dictionary that judges each row by itself in {settings.path}",
            got=f"architecture {name}, which is for training",
            do="save it with save_inference_model()",
        )
    return settings.refusal("architecture", listed(ARCHITECTURES))


def _tensors(path: Path, architecture: Architecture) -> dict[str, Tensor]:
    """The tensors under our names, features first."""
    names = _NAMES[architecture.kind] | ({"W_skip": "skip"} if architecture.skip else {})
    held = plain(path)
    scaling = held.get("scaling_factor")
    if scaling is not None and bool((scaling == 1).all()):
        del held["scaling_factor"]  # versions before 6 wrote ones where nothing had been fine-tuned
    axes = {name: _AXES.get(name, "feature") for name in names}
    if not architecture.transcoder:
        axes = {name: shape.replace("target", "width") for name, shape in axes.items()}
    found = shaped(held, axes, path)
    return {ours: found[name].T if name == "W_enc" else found[name] for name, ours in names.items()}


def _row_norm(settings: Settings, architecture: Architecture) -> Any:
    normalisation = settings.text("normalize_activations", "none")
    if normalisation not in NORMALISATIONS:
        raise ArtifactError(
            expected=f"normalize_activations {listed(NORMALISATIONS)} in {settings.path}",
            got=f"{normalisation}, whose scale or matrix is not in the folder",
            do="fold it in with SAELens and save again",
        )
    row_norm = NORMALISATIONS[normalisation]
    if row_norm and architecture.transcoder:
        raise settings.refusal("normalize_activations", "none for a transcoder")
    return row_norm


def _trained_k(metadata: Settings) -> int | float | None:
    """The mean number of active features that a BatchTopK was trained for."""
    details = metadata.table("training_architecture_details", {})
    return details.of("k", int) or details.of("k", float)


def write(dictionary: Dictionary, folder: Path) -> None:
    """Write a folder of SAELens; raises `ArtifactError` for a dictionary that it cannot hold."""
    ends = dictionary.ends
    written = as_jumprelu(dictionary) if isinstance(dictionary, BatchTopK | Matryoshka) else dictionary
    wanted = Architecture(type(written), bool(ends.target), bool(ends.target and ends.target.skip))
    name = next((name for name, known in ARCHITECTURES.items() if known == wanted), None)
    if name is None or ends.parts:
        raise unwritable(dictionary, NAME, CAN)
    names = _NAMES[type(written)] | ({"W_skip": "skip"} if wanted.skip else {})
    ours = {**written.state_dict(), **linear(written)._asdict()}
    tensors = {theirs: ours[own].T if theirs == "W_enc" else ours[own] for theirs, own in names.items()}
    artifact.write_tensors(folder / TENSORS, tensors)
    artifact.write_json(folder / CONFIG, _config(dictionary, name))


def _config(dictionary: Dictionary, architecture: str) -> dict[str, Any]:
    ends = dictionary.ends
    normalisation = next(name for name, norm in NORMALISATIONS.items() if norm == ends.row_norm)
    config: dict[str, Any] = {
        "architecture": architecture,
        "d_in": dictionary.width,
        "d_sae": dictionary.features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": ends.target is None,
        "normalize_activations": normalisation,
        "reshape_activations": "none",
        "metadata": _metadata(dictionary),
    }
    if ends.target:
        config["d_out"] = ends.target.width
    if architecture == "topk":
        config |= {"k": dictionary.k, "rescale_acts_by_decoder_norm": False}
    return config


def _metadata(dictionary: Dictionary) -> dict[str, Any]:
    target = dictionary.ends.target
    metadata: dict[str, Any] = {
        "sae_lens_version": VERSION,
        "model_name": dictionary.model.get("name"),
        "hook_name": hook_of(dictionary.site),
        "hook_name_out": hook_of(target.site) if target else None,
    }
    if isinstance(dictionary, BatchTopK):
        metadata |= {"training_architecture": "batchtopk", "training_architecture_details": {"k": dictionary.k}}
    if isinstance(dictionary, Matryoshka):
        details = {"k": dictionary.k, "matryoshka_widths": list(dictionary.prefixes)}
        metadata |= {"training_architecture": "matryoshka_batchtopk", "training_architecture_details": details}
    return {name: value for name, value in metadata.items() if value is not None}


def hook_of(site: str | None) -> str | None:
    """TransformerLens's name of a site; None for `embed`, which there leaves out position embeddings."""
    kind, _, layer = (site or "").partition(".")
    return f"blocks.{layer}.hook_{kind}" if layer else None
