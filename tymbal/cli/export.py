"""`tymbal export`: an atlas as web pages that need no server."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from tymbal.study.shelf import last_study


@dataclass(frozen=True, kw_only=True)
class Options:
    """Write the atlas of a study as web pages that open from disk, without a server or a network."""

    folder: Annotated[Positional[Path | None], arg(metavar="[DIR]")] = None
    """a study or an atlas; None: the last study of this folder"""
    html: Annotated[Path, arg(metavar="DIR")]
    """the folder to write the pages to"""


def main(arguments: Sequence[str]) -> None:
    """Parse, write the pages, print where they begin."""
    options = tyro.cli(Options, args=arguments, prog="tymbal export")
    folder = options.folder or last_study()

    from tymbal.serve import export

    print(export(folder, options.html))
