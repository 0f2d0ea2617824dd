"""`tymbal serve`: browse an atlas in a web browser."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from tymbal.study.shelf import last_study


@dataclass(frozen=True, kw_only=True)
class Options:
    """Browse the atlas of a study in a web browser, until Ctrl-C."""

    folder: Annotated[Positional[Path | None], arg(metavar="[DIR]")] = None
    """a study or an atlas; None: the last study of this folder"""
    host: str = "127.0.0.1"
    """the address to listen on; only this machine can reach the default"""
    port: int = 7860
    """the port to listen on"""
    names: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    """further host names under which it may be called, as behind a proxy; any other name is refused"""
    compare: Annotated[Path | None, arg(metavar="STUDY")] = None
    """another study of the same text, whose features are shown beside this one's"""


def main(arguments: Sequence[str]) -> None:
    """Parse, then serve until interrupted."""
    options = tyro.cli(Options, args=arguments, prog="tymbal serve")
    folder = options.folder or last_study()

    from tymbal.serve import serve

    print(f"{folder} is at http://{options.host}:{options.port} until Ctrl-C", flush=True)
    with suppress(KeyboardInterrupt):
        serve(folder, host=options.host, port=options.port, hosts=options.names, compare=options.compare)
