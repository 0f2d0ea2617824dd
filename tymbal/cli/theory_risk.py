"""`tymbal theory risk`: a risk model's report."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, UseAppendAction, arg


@dataclass(frozen=True, kw_only=True)
class Options:
    """Say what a risk model says: the distribution, what drives it, what structure and model error do to it."""

    model: Annotated[Positional[str], arg(metavar="MODEL")]
    """a model's JSON file, or one that comes with Tymbal: carlsmith, ignition, nuclear"""
    out: Annotated[Path | None, arg(metavar="FILE")] = None
    """the report to write (HTML); MODEL's name with .html in this folder unless given"""
    what_if: UseAppendAction[Annotated[tuple[str, ...], arg(metavar="INPUT=VALUE")]] = ()
    """move an input, keeping its spread, or give another belief as JSON, and show the difference; may be repeated"""
    points: int = 4_096
    """points of each of 16 independent scrambles; a power of two"""
    seed: int = 0
    """of the scrambles"""


def main(arguments: Sequence[str]) -> None:
    """Parse, assess, write the report, print the summary and where the report lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal theory risk")

    from tymbal.theory.risk import Sampling, assess, read_model, what_if, write_report

    model, changes = read_model(options.model), what_if(options.what_if)
    sampling = Sampling(points=options.points, seed=options.seed)
    found = assess(model.changed(changes), sampling=sampling)
    before = assess(model, sampling=sampling) if changes else None
    out = options.out or Path(f"{Path(options.model).stem}.html")
    write_report(
        out,
        found,
        before=before,
        changes=dict(change.split("=", 1) for change in options.what_if),
        command=f"tymbal theory risk {shlex.join(arguments)}",
    )
    if before is not None:
        print(f"before:\n{before}\n\nif {', '.join(options.what_if)}:")
    print(f"{found}\n\nreport  {out}")
