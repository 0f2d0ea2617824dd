"""What stands in a foreign folder, checked before it is used: settings by name and type, tensors by name and shape.

Nothing is guessed: a tensor that is missing or that nobody asked for, a shape that does not fit the others, a number
that is not finite, a pickle that holds more than tensors, each is refused in one line.
"""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from tymbal import artifact
from tymbal.errors import ArtifactError, listed

OTHER = "name another folder"
"""What to do about a folder that cannot be used."""
FETCH = "fetch it again"
"""What to do about a file that is damaged."""


class Settings:
    """Entries of a JSON file; whoever asks for one says what type it has."""

    def __init__(self, entries: Mapping[str, Any], path: Path) -> None:
        self.entries, self.path = entries, path

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """The entries of a JSON file; raises `ArtifactError` where it is missing or no table of entries."""
        entries = artifact.read_json(path, repair=FETCH)
        if not isinstance(entries, dict):
            raise ArtifactError(expected=f"named entries in {path}", got=f"a {type(entries).__name__}", do=OTHER)
        return cls(entries, path)

    def text(self, name: str, default: str | None = None) -> str:
        """A word; raises `ArtifactError` where it is missing without a default, or something else."""
        return self._typed(name, str, "a word", default)

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number, at least 0."""
        value = self._typed(name, int, "a whole number", default)
        if value < 0:
            raise self.refusal(name, "a whole number")
        return value

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or false."""
        return self._typed(name, bool, "true or false", default)

    def table(self, name: str, default: Mapping[str, Any] | None = None) -> "Settings":
        """Entries within an entry."""
        return Settings(self._typed(name, dict, "named entries", default), self.path)

    def of(self, name: str, kind: type[Any]) -> Any:
        """What stands there if it is of this type, else None: for notes that change nothing."""
        value = self.entries.get(name)
        return value if type(value) is kind else None

    def refusal(self, name: str, expected: str) -> ArtifactError:
        """The error that says that an entry is not as expected."""
        got = f"{name} {self.entries[name]!r}" if name in self.entries else f"no {name}"
        return ArtifactError(expected=f"{expected} as {name}", got=f"{got} in {self.path}", do=OTHER)

    def _typed(self, name: str, kind: type[Any], words: str, default: Any) -> Any:
        value = self.entries.get(name)
        if value is None and default is not None:
            return default
        if type(value) is not kind:
            raise self.refusal(name, words)
        return value


def plain(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file."""
    return artifact.read_tensors(path, repair=FETCH)


def pickled(path: Path) -> dict[str, Any]:
    """Tensors (and plain values) of a `.pt` file, read without running any code in it."""
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        got = f"a pickle that asks for {asked[1]}" if asked else "a pickle of something else"
        raise ArtifactError(expected=f"nothing but tensors in {path}", got=got, do="do not trust it") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        _damaged(path, error)
    if not isinstance(held, dict):
        raise ArtifactError(expected=f"named tensors in {path}", got=f"a {type(held).__name__}", do=OTHER)
    return held


def zipped(path: Path) -> dict[str, Tensor]:
    """Arrays of an `.npz` file, read without unpickling anything."""
    try:
        with open(path, "rb") as file:
            arrays = np.load(file, allow_pickle=False)
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise ValueError("one array without a name")
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        if "pickle" in str(error):
            raise ArtifactError(
                expected=f"nothing but arrays of numbers in {path}", got="a pickle", do="do not trust it"
            ) from error
        _damaged(path, error)


def _damaged(path: Path, error: Exception) -> NoReturn:
    first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
    raise ArtifactError(expected=f"tensors in {path}", got=f"a damaged file ({first_line})", do=FETCH) from error


def shaped(tensors: Mapping[str, Any], shapes: Mapping[str, str], path: Path) -> dict[str, Tensor]:
    """The tensors of these names and shapes, and no others, as finite numbers in fp32.

    A shape names its axes, as in "feature width"; axes of one name have one size. Raises `ArtifactError`.
    """
    extra = sorted(tensors.keys() - shapes.keys())
    missing = sorted(shapes.keys() - tensors.keys())
    if extra or missing:
        got = [f"no {name}" for name in missing] + [f"besides {name}" for name in extra]
        raise ArtifactError(expected=f"tensors {listed(shapes)} in {path}", got=listed(got), do=OTHER)
    sizes: dict[str, int] = {}
    return {name: _checked(tensors[name], name, axes.split(), sizes, path) for name, axes in shapes.items()}


def _checked(tensor: Any, name: str, axes: list[str], sizes: dict[str, int], path: Path) -> Tensor:
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        got = str(tensor.dtype) if isinstance(tensor, Tensor) else type(tensor).__name__
        raise ArtifactError(expected=f"{name} as floating-point numbers in {path}", got=got, do=OTHER)
    if not _fits(tensor, axes, sizes):
        wanted = " × ".join(f"{axis} {sizes[axis]}" if axis in sizes else axis for axis in axes) or "one number"
        raise ArtifactError(expected=f"{name} of shape ({wanted}) in {path}", got=str(tuple(tensor.shape)), do=OTHER)
    numbers = tensor.float()
    if not bool(torch.isfinite(numbers).all()):
        raise ArtifactError(expected=f"finite numbers in {path}", got=f"NaN or infinity in {name}", do=OTHER)
    return numbers


def _fits(tensor: Tensor, axes: list[str], sizes: dict[str, int]) -> bool:
    """Whether the shape agrees with the axes' sizes so far; learns the sizes of axes not met before."""
    return tensor.dim() == len(axes) and all(
        sizes.setdefault(axis, size) == size for axis, size in zip(axes, tensor.shape, strict=True)
    )


def require_size(settings: Settings, name: str, size: int) -> None:
    """Refuse a setting that disagrees with the tensors; one that is absent says nothing."""
    if name in settings.entries and settings.number(name) != size:
        raise settings.refusal(name, f"{size}, as in the tensors,")
