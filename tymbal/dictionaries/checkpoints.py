"""Checkpoints of a training run: sealed folders, of which the last two are kept.

`checkpoints/00000250/` holds the trainer's tensors and the loss curve so far after 250 steps. A folder without its
manifest, or with a file that disagrees with it, was cut short and is passed over for the one before.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from tymbal import artifact

KIND = "dictionary-checkpoint"
FOLDER = "checkpoints"
TENSORS = "state.safetensors"
KEPT = 2


class Checkpoint(NamedTuple):
    """What a checkpoint holds."""

    folder: Path
    config: dict[str, Any]
    state: dict[str, Tensor]


def write(folder: Path, step: int, config: dict[str, Any], state: dict[str, Tensor]) -> None:
    """Write the checkpoint after `step` steps of the run in `folder`, then drop all but the last two."""
    place = folder / FOLDER / f"{step:08d}"
    place.mkdir(parents=True, exist_ok=True)
    artifact.write_tensors(place / TENSORS, state)
    artifact.seal(place, KIND, config, [TENSORS])
    for old in list(_folders(folder))[KEPT:]:
        # The manifest goes first: a folder removed halfway must not look finished.
        (old / artifact.MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(old)


def last(folder: Path) -> Path | None:
    """The newest checkpoint that is whole; None where there is none."""
    return next((place for place in _folders(folder) if _whole(place)), None)


def read(place: Path) -> Checkpoint:
    """A checkpoint's configuration and tensors."""
    return Checkpoint(place, artifact.read_json(place / artifact.CONFIG), artifact.read_tensors(place / TENSORS))


def remove(folder: Path) -> None:
    """Drop all checkpoints of a finished run."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _folders(folder: Path) -> Iterator[Path]:
    places = (place for place in (folder / FOLDER).glob("*") if place.name.isdigit() and place.is_dir())
    return iter(sorted(places, key=lambda place: int(place.name), reverse=True))


def _whole(place: Path) -> bool:
    return artifact.is_sealed(place) and next(artifact.damage(place), None) is None
