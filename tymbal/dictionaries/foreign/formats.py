"""The formats of other tools, by name, and which of them a folder is in.

One file a format: `reads(folder)` says whether a folder is of this format, `read(folder)` gives one of our
dictionaries, `write(dictionary, folder)` fills a folder. What cannot be carried over faithfully raises `ArtifactError`
with the reason.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.foreign import dictionary_learning, gemma_scope, openai, saelens, sparsify
from tymbal.errors import ArtifactError, listed


class Format(NamedTuple):
    """One tool's way to store a dictionary."""

    name: str
    """The name for people."""
    reads: Callable[[Path], bool]
    read: Callable[[Path], Dictionary]
    write: Callable[[Dictionary, Path], None] | None = None


FORMATS = {
    "saelens": Format(saelens.NAME, saelens.reads, saelens.read, saelens.write),
    "dictionary_learning": Format(
        dictionary_learning.NAME, dictionary_learning.reads, dictionary_learning.read, dictionary_learning.write
    ),
    "sparsify": Format(sparsify.NAME, sparsify.reads, sparsify.read, sparsify.write),
    "gemma_scope": Format(gemma_scope.NAME, gemma_scope.reads, gemma_scope.read, gemma_scope.write),
    "openai": Format(openai.NAME, openai.reads, openai.read),
}
"""By the name that the command line takes."""


def format_of(folder: Path) -> Format | None:
    """The format of a folder's files, None where it is none of these; raises `ArtifactError` where it is of several."""
    found = [known for known in FORMATS.values() if known.reads(folder)]
    if len(found) > 1:
        raise ArtifactError(
            expected=f"the files of one tool in {folder}",
            got=f"those of {listed(known.name for known in found)}",
            do="give each a folder of its own",
        )
    return found[0] if found else None
