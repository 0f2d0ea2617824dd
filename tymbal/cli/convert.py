"""`tymbal convert`: a dictionary in the files of another tool, or in ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class Options:
    """Write a dictionary in the files of another tool, or another tool's in ours. What cannot be carried over
    faithfully is refused."""

    source: Annotated[Positional[Path], arg(metavar="IN")]
    """folder of a dictionary of Tymbal, SAELens, dictionary_learning, sparsify or Gemma Scope, or a file of OpenAI"""
    destination: Annotated[Positional[Path], arg(metavar="OUT")]
    """the folder to make; one that exists is left alone"""
    to: Literal["tymbal", "saelens", "dictionary_learning", "sparsify", "gemma_scope"]
    """whose files to write"""


def main(arguments: Sequence[str]) -> None:
    """Parse, convert, print where the result lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal convert")

    from tymbal.dictionaries import convert_dictionary

    convert_dictionary(options.source, options.destination, options.to)
    print(options.destination)
