"""Checkpoints of a training run: sealed folders, of which the last two are kept.

`checkpoints/00000250/` holds the trainer's tensors and the loss curve so far after 250 steps. A folder without its
manifest, or with a file that disagrees with it, was cut short and is passed over for the one before.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

from torch import Tensor

from tymbal import artifact
from tymbal.dictionaries.curve import CURVE, write_curve
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.trainer import Progressed

KIND = "dictionary-checkpoint"
FOLDER = "checkpoints"
TENSORS = "state.safetensors"
KEPT = 2


class Checkpoint(NamedTuple):
    """What a checkpoint holds."""

    folder: Path
    config: dict[str, Any]
    state: dict[str, Tensor]


class Keeper(ABC):
    """Keeps what a run has reached in the run's folder: checkpoints, and the dictionary at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def last(self) -> Path | None:
        """The newest checkpoint that is whole; None where there is none."""

    @abstractmethod
    def read(self, place: Path) -> Checkpoint:
        """A checkpoint's configuration and tensors."""

    @abstractmethod
    def write(self, step: int, config: dict[str, Any], state: dict[str, Tensor]) -> None:
        """Write the checkpoint after `step` steps, then drop all but the last two."""

    @abstractmethod
    def finish(self, dictionary: Dictionary, curve: Sequence[Progressed], notes: Mapping[str, Any]) -> None:
        """Write the dictionary and its loss curve, then drop the checkpoints."""


@final
class OwnKeeper(Keeper):
    """Keeps the run of one process."""

    def last(self) -> Path | None:
        """The newest checkpoint that is whole; None where there is none."""
        return next((place for place in folders(self.folder) if _whole(place)), None)

    def read(self, place: Path) -> Checkpoint:
        """A checkpoint's configuration and tensors."""
        return Checkpoint(place, artifact.read_json(place / artifact.CONFIG), artifact.read_tensors(place / TENSORS))

    def write(self, step: int, config: dict[str, Any], state: dict[str, Tensor]) -> None:
        """Write the checkpoint after `step` steps, then drop all but the last two."""
        place = place_of(self.folder, step)
        place.mkdir(parents=True, exist_ok=True)
        artifact.write_tensors(place / TENSORS, state)
        artifact.seal(place, KIND, config, [TENSORS])
        drop_old(self.folder)

    def finish(self, dictionary: Dictionary, curve: Sequence[Progressed], notes: Mapping[str, Any]) -> None:
        """Write the dictionary and its loss curve, then drop the checkpoints."""
        write_curve(self.folder, curve)
        dictionary.save(self.folder, notes=notes, tables=(CURVE,))
        remove(self.folder)


def place_of(folder: Path, step: int) -> Path:
    """Where the checkpoint after `step` steps of the run in `folder` lies."""
    return folder / FOLDER / f"{step:08d}"


def drop_old(folder: Path) -> None:
    """Drop all but the last two."""
    for old in list(folders(folder))[KEPT:]:
        # The manifest goes first: a folder removed halfway must not look finished.
        (old / artifact.MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(old)


def remove(folder: Path) -> None:
    """Drop all checkpoints of a finished run."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def folders(folder: Path) -> Iterator[Path]:
    """The folders of checkpoints, the newest first, whether whole or not."""
    places = (place for place in (folder / FOLDER).glob("*") if place.name.isdigit() and place.is_dir())
    return iter(sorted(places, key=lambda place: int(place.name), reverse=True))


def _whole(place: Path) -> bool:
    return artifact.is_sealed(place) and next(artifact.damage(place), None) is None
