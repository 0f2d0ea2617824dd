"""`tymbal export`: an atlas as web pages that need no server, or in Neuronpedia's layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from tymbal.errors import TymbalError
from tymbal.study.shelf import last_study


@dataclass(frozen=True, kw_only=True)
class Options:
    """Write the atlas of a study as web pages that open from disk, or in the layout that Neuronpedia imports."""

    folder: Annotated[Positional[Path | None], arg(metavar="[DIR]")] = None
    """a study or an atlas; None: the last study of this folder"""
    html: Annotated[Path | None, arg(metavar="DIR")] = None
    """the folder to write web pages to, which need neither a server nor a network"""
    neuronpedia: Annotated[Path | None, arg(metavar="DIR")] = None
    """the folder to write Neuronpedia's JSONL to"""
    compare: Annotated[Path | None, arg(metavar="STUDY")] = None
    """another study of the same text, whose features the web pages show beside this one's"""


def main(arguments: Sequence[str]) -> None:
    """Parse, write what is asked for, print where it begins."""
    options = tyro.cli(Options, args=arguments, prog="tymbal export")
    if options.html is None and options.neuronpedia is None:
        raise TymbalError(expected="--html DIR or --neuronpedia DIR", got="neither", do="name a folder to write to")
    folder = options.folder or last_study()

    from tymbal.serve import export, export_neuronpedia

    if options.html is not None:
        print(export(folder, options.html, compare=options.compare))
    if options.neuronpedia is not None:
        print(export_neuronpedia(folder, options.neuronpedia))
