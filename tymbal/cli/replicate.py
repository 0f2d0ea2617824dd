"""`tymbal replicate`: published findings about what models know, made again with all controls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.probes.replications import ReplicationConfig


@dataclass(frozen=True, kw_only=True)
class Options:
    """Make a published finding again: space-and-time, truth, names-and-languages, othello."""

    experiment: Annotated[
        Positional[Literal["space-and-time", "truth", "names-and-languages", "othello"]], arg(metavar="NAME")
    ]
    """which one"""
    model: Annotated[Positional[Path | None], arg(metavar="MODEL")] = None
    """the model to look into, for othello: OUT/model of `tymbal othello train`"""
    config: Annotated[ReplicationConfig, OmitArgPrefixes] = field(default_factory=ReplicationConfig)
    """what is read"""
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """the folder to write tables and pictures to; None: replications/NAME"""


def main(arguments: Sequence[str]) -> None:
    """Parse, conduct, print the page and where it lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal replicate")

    from tymbal.cli.display import Display
    from tymbal.edits.replications import EXPERIMENTS
    from tymbal.probes.replications import replicate

    out = options.out or Path("replications") / options.experiment
    with Display().stage(options.experiment) as progress:
        page = replicate(
            options.experiment, options.config, out, progress, experiments=EXPERIMENTS, model=options.model
        )
    print(page)
    print(out / "page.md")
