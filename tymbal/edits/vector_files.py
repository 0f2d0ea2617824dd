"""Steering vectors in files: a folder of our own, repeng's GGUF, and what steering-vectors holds as a `.pt`.

Only the folder keeps every kind of site, and for which model the vectors are, so that another refuses them. The others
keep one vector a block and add it to the block's output, our `resid_post.L`. steering-vectors has no file format of its
own; read is the dictionary of its object's fields, `torch.save({"layer_activations": v.layer_activations,
"layer_type": v.layer_type}, path)`, with tensors only (`weights_only=True`): a pickled object is refused.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from tymbal import artifact
from tymbal.edits.gguf import read_gguf, write_gguf
from tymbal.edits.vectors import SteeringVector
from tymbal.errors import ArtifactError
from tymbal.models import SiteKind, parse_site

KIND = "steering_vectors"
TENSORS = "vectors.safetensors"
ARCHITECTURE = "controlvector"
KINDS = {"decoder_block": "resid_post", "self_attn": "attn_out", "mlp": "mlp_out"}
"""steering-vectors' layer types and our kinds of site"""
_DIRECTION = re.compile(r"direction\.(\d+)")


def load_vectors(path: Path | str) -> list[SteeringVector]:
    """The vectors of our folder or of a `.gguf` or `.pt` file; raises `ArtifactError` for anything else."""
    path = Path(path)
    if path.is_dir():
        return _from_folder(path)
    if path.suffix == ".gguf":
        return _from_gguf(path)
    if path.suffix == ".pt":
        return _from_pt(path)
    raise ArtifactError(
        expected="a folder of vectors, or a file .gguf or .pt",
        got=path.name,
        do="export the vectors in one of these forms",
    )


def save_vectors(path: Path | str, vectors: Sequence[SteeringVector], *, architecture: str = "") -> None:
    """Write vectors into a folder; those of `resid_post` sites as repeng's `.gguf`, of any one kind of site as `.pt`.

    `architecture` is the hint that GGUF keeps (`llama`); the vectors' own, where they know it, if empty.
    """
    path = Path(path)
    if not path.suffix:
        return _to_folder(path, vectors)
    sites = [parse_site(vector.site) for vector in vectors]
    kinds = {site.kind for site in sites}
    if len(kinds) != 1 or len(set(sites)) != len(sites):
        raise ValueError(f"expected vectors of one kind of site, one a block; got {[str(site) for site in sites]}")
    if path.suffix == ".gguf" and kinds == {SiteKind.RESID_POST}:
        hint = architecture or str(vectors[0].model.get("architecture", ""))
        values = {
            "general.architecture": ARCHITECTURE,
            f"{ARCHITECTURE}.model_hint": hint,
            f"{ARCHITECTURE}.layer_count": len(vectors),
        }
        tensors = {
            f"direction.{site.layer}": vector.direction.float().numpy()
            for site, vector in zip(sites, vectors, strict=True)
        }
        write_gguf(path, values, tensors)
    elif path.suffix == ".pt" and (kind := next(iter(kinds)).value) in KINDS.values():
        layer_type = next(theirs for theirs, ours in KINDS.items() if ours == kind)
        layers = {site.layer: vector.direction for site, vector in zip(sites, vectors, strict=True)}
        artifact.write_atomically(
            path, lambda temporary: torch.save({"layer_activations": layers, "layer_type": layer_type}, temporary)
        )
    else:
        raise ValueError(f"expected resid_post vectors for .gguf, or a kind among {list(KINDS.values())} for .pt")
    return None


def _to_folder(folder: Path, vectors: Sequence[SteeringVector]) -> None:
    tensors = {str(place): vector.direction for place, vector in enumerate(vectors)}
    told = [{"site": vector.site, "made": vector.made, "model": dict(vector.model)} for vector in vectors]
    artifact.write_tensors(folder / TENSORS, tensors)
    artifact.seal(folder, KIND, {"format": 1, "vectors": told}, [TENSORS])


def _from_folder(folder: Path) -> list[SteeringVector]:
    artifact.require_kind(folder, KIND)
    for damaged in artifact.damage(folder):
        raise ArtifactError(expected=f"{damaged.path} as it was written", got=damaged.reason, do="restore the file")
    told, tensors = artifact.read_json(folder / artifact.CONFIG)["vectors"], artifact.read_tensors(folder / TENSORS)
    return [SteeringVector(direction=tensors[str(place)], **own) for place, own in enumerate(told)]


def _from_gguf(path: Path) -> list[SteeringVector]:
    values, tensors = read_gguf(path)
    if values.get("general.architecture") != ARCHITECTURE:
        raise ArtifactError(
            expected=f"a GGUF of architecture {ARCHITECTURE} in {path}",
            got=repr(values.get("general.architecture")),
            do="export control vectors",
        )
    layers = {int(match[1]): tensor for name, tensor in tensors.items() if (match := _DIRECTION.fullmatch(name))}
    hint = values.get(f"{ARCHITECTURE}.model_hint")
    made = f"{path.name}, for {hint}" if hint else path.name
    return [
        SteeringVector(direction=torch.from_numpy(layers[layer]), site=f"resid_post.{layer}", made=made)
        for layer in sorted(layers)
    ]


def _from_pt(path: Path) -> list[SteeringVector]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are then refused anyway
            held: Any = torch.load(path, map_location="cpu", weights_only=True)
        layers, kind = held["layer_activations"], KINDS[held["layer_type"]]
        found = {int(layer): _vector(layers[layer]) for layer in layers}
    except FileNotFoundError as error:
        raise ArtifactError(expected=f"a file {path}", got="none", do="check its name") from error
    except (UnpicklingError, RuntimeError, KeyError, TypeError, ValueError, EOFError) as error:
        raise ArtifactError(
            expected=f"layer_activations (a tensor a block) and layer_type ({', '.join(KINDS)}) in {path}",
            got=f"{type(error).__name__}",
            do="save these two as a dictionary with torch.save",
        ) from error
    return [SteeringVector(direction=found[layer], site=f"{kind}.{layer}", made=path.name) for layer in sorted(found)]


def _vector(tensor: Tensor) -> Tensor:
    vector = tensor.detach().float().squeeze()
    if vector.ndim != 1:
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)}")
    return vector
