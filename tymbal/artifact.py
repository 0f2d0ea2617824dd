"""A folder that holds something made: tensors, tables, `config.json`, and a manifest with checksums and provenance.

Every file is written under a temporary name, flushed to disk and renamed, so that a killed process leaves either the
old file or the new one. `seal` ends an artifact: it writes `manifest.json` with the SHA-256 of each file. `damage`
names what no longer agrees with the manifest.
"""

import contextlib
import hashlib
import json
import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tymbal.errors import ArtifactError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

MANIFEST = "manifest.json"
CONFIG = "config.json"
TEMPORARY_SUFFIX = ".part"
REPAIR = "make it again with --resume"
"""What to do about a damaged file of ours."""
LIBRARIES = ("tymbal", "torch", "transformers", "tokenizers", "safetensors", "numpy", "duckdb", "pyarrow")
_LONE_SURROGATE = re.compile("[\\ud800-\\udfff]")


class Damage(NamedTuple):
    """One file that disagrees with its artifact's manifest."""

    path: Path
    reason: str


def write_atomically(path: Path, write: Callable[[Path], object]) -> str:
    """Let `write` fill a temporary file, flush it to disk, rename it to `path`; return its SHA-256.

    Raises `ArtifactError` when the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        checksum = file_checksum(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except OSError as error:
        raise ArtifactError(
            expected=f"to write {path}", got=error.strerror or str(error), do="make room or choose another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return checksum


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_checksum(text: str) -> str:
    """SHA-256 of a text's UTF-8, lone surrogates replaced."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def write_text(path: Path, text: str) -> str:
    """Write UTF-8 text atomically; return its SHA-256."""
    return write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_picture(path: Path, figure: "Figure") -> str:
    """Write a matplotlib figure as SVG atomically; the same figure gives the same bytes. Returns its SHA-256."""
    import matplotlib

    # A fixed salt and no date; text stays text, so that it can be found and read aloud.
    with matplotlib.rc_context({"svg.hashsalt": "tymbal", "svg.fonttype": "none"}):
        return write_atomically(
            path, lambda temporary: figure.savefig(temporary, format="svg", metadata={"Date": None})
        )


def write_json(path: Path, value: Any) -> str:
    """Write JSON with sorted keys, atomically; return its SHA-256."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    if _LONE_SURROGATE.search(text):  # UTF-8 has no bytes for them, JSON has escapes
        text = json.dumps(value, indent=2, sort_keys=True)
    return write_text(path, text + "\n")


def read_json(path: Path, *, repair: str = REPAIR) -> Any:
    """Read a JSON file; raises `ArtifactError` when it is missing or cut short, with what repairs it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(expected=f"a file {path}", got="none", do="check the folder's name") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(expected=f"JSON in {path}", got=f"a damaged file ({error})", do=repair) from error


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, str] | None = None) -> str:
    """Write a safetensors file atomically; return its SHA-256."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}

    def write(temporary: Path) -> None:
        try:
            save_file(contiguous, temporary, dict(metadata or {}))
        except SafetensorError as error:  # its one cause here is the file system; the system's error is in its text
            raise OSError(str(error)) from error

    return write_atomically(path, write)


def read_tensors(path: Path, *, repair: str = REPAIR) -> "dict[str, Tensor]":
    """Read a safetensors file; raises `ArtifactError` when it is missing or cut short, with what repairs it."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise ArtifactError(expected=f"a file {path}", got="none", do="check the folder's name") from error
    except SafetensorError as error:
        raise ArtifactError(expected=f"tensors in {path}", got=f"a damaged file ({error})", do=repair) from error


def seal(
    folder: Path,
    kind: str,
    config: Mapping[str, Any],
    files: Sequence[str],
    *,
    checksums: Mapping[str, str] | None = None,
) -> None:
    """End an artifact: write `config.json`, then `manifest.json` with each file's size and SHA-256.

    `files` are paths relative to `folder`; `checksums` are those that are known already. The manifest comes last, so
    that an unsealed folder is an unfinished one.
    """
    known = {**(checksums or {}), CONFIG: write_json(folder / CONFIG, config)}
    entries = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": known.get(name) or file_checksum(folder / name)}
        for name in sorted({*files, CONFIG})
    }
    write_json(folder / MANIFEST, {"kind": kind, "files": entries, "provenance": provenance()})


def is_sealed(folder: Path) -> bool:
    """Whether `seal` ended this folder."""
    return (folder / MANIFEST).exists()


def require_kind(folder: Path, kind: str) -> dict[str, Any]:
    """The manifest of a sealed artifact of this kind; raises `ArtifactError` for any other folder."""
    if not is_sealed(folder):
        raise ArtifactError(
            expected=f"a finished {kind} in {folder}", got="no manifest.json there", do="check the folder or resume it"
        )
    manifest = read_json(folder / MANIFEST)
    if manifest.get("kind") != kind:
        raise ArtifactError(
            expected=f"a folder of kind {kind}", got=f"{folder} of kind {manifest.get('kind')}", do="name another"
        )
    return manifest


def damage(folder: Path, *, part: int = 0, parts: int = 1) -> Iterator[Damage]:
    """Each file of a sealed artifact that is missing, cut short or changed; of many, one in `parts` is looked at."""
    for name, entry in list(read_json(folder / MANIFEST)["files"].items())[part::parts]:
        path = folder / name
        if not path.exists():
            yield Damage(path, "missing")
        elif path.stat().st_size != entry["bytes"]:
            yield Damage(path, f"{path.stat().st_size} bytes instead of {entry['bytes']}")
        elif file_checksum(path) != entry["sha256"]:
            yield Damage(path, "changed on disk")


def provenance() -> dict[str, Any]:
    """What a bit-equal repetition needs: library versions, processor, thread count."""
    versions = {}
    for library in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            versions[library] = version(library)
    return {
        "libraries": versions,
        "python": platform.python_version(),
        "processor": platform.processor() or platform.machine(),
        "threads": _threads(),
    }


def _threads() -> int:
    import torch

    return torch.get_num_threads()
