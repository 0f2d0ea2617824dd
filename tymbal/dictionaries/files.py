"""Dictionaries read from their folders; the list of kinds stands here.

A folder holds `config.json` (kind, sizes, site, model), `dictionary.safetensors` (one tensor a parameter) and
`manifest.json` (checksums). Every size and checksum is checked before a tensor is used. A folder of another tool is
told by its files and read as well (`foreign/`).
"""

from pathlib import Path
from typing import Any

import torch

from tymbal import artifact
from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import ARTIFACT_KIND, FORMAT, TENSORS, Dictionary
from tymbal.dictionaries.foreign import FORMATS, format_of
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.topk import TopK
from tymbal.errors import ArtifactError, listed

KINDS: dict[str, type[Dictionary]] = {kind.kind: kind for kind in (TopK, BatchTopK, Matryoshka, JumpReLU, Gated, ReLU)}
_REQUIRED = ("kind", "width", "features", "k", "site", "model")


def load_dictionary(folder: Path | str) -> Dictionary:
    """The dictionary in a folder, Tymbal's own or another tool's, on the CPU, its parameters frozen.

    OpenAI keeps several in one folder, so there the file is named.

    Raises `ArtifactError` where the folder is missing, unfinished, damaged, of another kind, or at odds with itself,
    and where a foreign dictionary cannot be read faithfully.
    """
    folder = Path(folder)
    if not artifact.is_sealed(folder) and (foreign := format_of(folder)):
        return foreign.read(folder).requires_grad_(False).eval()
    if not folder.is_dir():
        got = "a file" if folder.exists() else "none"
        raise ArtifactError(expected=f"a dictionary's folder at {folder}", got=got, do="check the folder's name")
    if not artifact.is_sealed(folder) and not (folder / TENSORS).exists():
        known = listed(["Tymbal", *(known.name for known in FORMATS.values())])
        raise ArtifactError(
            expected=f"a finished dictionary of {known} in {folder}",
            got=listed(sorted(path.name for path in folder.iterdir()), most=4) or "an empty folder",
            do="check the folder's name, or resume its training",
        )
    artifact.require_kind(folder, ARTIFACT_KIND)
    for damaged in artifact.damage(folder):
        raise ArtifactError(
            expected=f"{damaged.path} as it was written", got=damaged.reason, do="train it again or restore the file"
        )
    config = artifact.read_json(folder / artifact.CONFIG)
    _check_config(config, folder)
    try:
        dictionary = KINDS[config["kind"]].from_config(config)
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            expected=f"sizes that fit each other in {folder}", got=str(error), do="restore it"
        ) from error
    _fill(dictionary, artifact.read_tensors(folder / TENSORS), folder)
    return dictionary.requires_grad_(False).eval()


def _check_config(config: dict[str, Any], folder: Path) -> None:
    missing = [name for name in _REQUIRED if name not in config]
    if missing:
        raise ArtifactError(
            expected=f"config.json of {folder} to name {listed(_REQUIRED)}",
            got=f"none of {listed(missing)}",
            do="name another folder",
        )
    if config["kind"] not in KINDS or config.get("format", FORMAT) > FORMAT:
        raise ArtifactError(
            expected=f"a dictionary of kind {listed(KINDS)}, format at most {FORMAT}",
            got=f"kind {config['kind']}, format {config.get('format')} in {folder}",
            do="open it with the version of Tymbal that wrote it",
        )


def _fill(dictionary: Dictionary, tensors: dict[str, torch.Tensor], folder: Path) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in dictionary.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise ArtifactError(
            expected=listed(f"{name} {wanted[name]}" if name in wanted else f"no tensor {name}" for name in wrong),
            got=listed(f"{name} {found[name]}" if name in found else f"no {name}" for name in wrong) + f" in {folder}",
            do="name another folder",
        )
    dictionary.load_state_dict(tensors)


def require_width(dictionary: Dictionary, width: int) -> None:
    """Refuse a dictionary for activations of another width; raises `ArtifactError`."""
    if dictionary.width != width:
        raise ArtifactError(
            expected=f"a dictionary of width {width}, as the model's activations",
            got=f"width {dictionary.width}",
            do="name the model and site that it was trained on",
        )
