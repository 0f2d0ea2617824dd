"""A dictionary from one folder to another, in the layout of another tool or in ours.

The new folder appears whole or not at all: it is filled under a temporary name and then renamed.
"""

import os
import shutil
from pathlib import Path

from tymbal import artifact
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.files import load_dictionary
from tymbal.dictionaries.foreign import FORMATS
from tymbal.errors import ArtifactError

TYMBAL = "tymbal"
TARGETS = (TYMBAL, *(name for name, known in FORMATS.items() if known.write))
"""Layouts that can be written."""


def convert_dictionary(source: Path | str, destination: Path | str, to: str) -> Dictionary:
    """Read the dictionary in `source`, of whatever tool, and write it to `destination` in the layout `to`.

    Raises `ArtifactError` where the source cannot be read, the destination exists, or the layout cannot hold the
    dictionary; `ValueError` for a layout that is not one of `TARGETS`.
    """
    if to not in TARGETS:
        raise ValueError(f"expected one of {', '.join(TARGETS)}; got {to}; name one of them")
    source, destination = Path(source), Path(destination)
    if destination.exists():
        raise ArtifactError(
            expected=f"a new folder {destination}", got="one that exists", do="name another; nothing is overwritten"
        )
    dictionary = load_dictionary(source)
    unfinished = destination.with_name(destination.name + artifact.TEMPORARY_SUFFIX)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        write = FORMATS[to].write if to != TYMBAL else None
        if write:
            write(dictionary, unfinished)
        else:
            dictionary.save(unfinished, notes={"converted_from": _origin(source)})
        os.replace(unfinished, destination)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return dictionary


def _origin(source: Path) -> dict[str, str]:
    """SHA-256 of each file of the source, by name."""
    paths = [source] if source.is_file() else sorted(path for path in source.iterdir() if path.is_file())
    return {path.name: artifact.file_checksum(path) for path in paths}
