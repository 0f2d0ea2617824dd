"""`tymbal safety`: what a study's dictionary knows of concepts such as deception or refusal, as steps of evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.errors import TymbalError
from tymbal.safety.board import BOARD_FOLDER, BoardConfig

if TYPE_CHECKING:
    from tymbal.analyses import Subject
    from tymbal.safety import ContrastConcept, Ladder


@dataclass(frozen=True, kw_only=True)
class Options:
    """Say of each concept how far the evidence for it goes: found, specific, causal, beats a probe.

    A concept is given by texts that have it and texts like them that lack it: one half chooses a feature, the other
    judges it. Every step is computed beside its baselines; a concept may end at "not found". `tymbal serve` shows it.
    """

    study: Annotated[Positional[Path], arg(metavar="STUDY")]
    """the study's folder"""
    concepts: Annotated[Path | None, arg(metavar="FILE")] = None
    """a .jsonl or .json file of concepts; None: those of the generated world, for a study of its text"""
    config: Annotated[BoardConfig, OmitArgPrefixes] = field(default_factory=BoardConfig)
    """how much is asked"""
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """where to write; None: STUDY/safety"""


def main(arguments: Sequence[str]) -> None:
    """Parse, climb the ladders, write, print them and where they lie."""
    options = tyro.cli(Options, args=arguments, prog="tymbal safety")

    from tymbal.analyses import Subject
    from tymbal.cli.display import Display
    from tymbal.safety import safety_board, save_board

    subject = Subject(options.study)
    concepts = _concepts(options, subject)
    with Display().stage("safety") as report:
        ladders = safety_board(subject, concepts, options.config, report)
    out = options.out or options.study / BOARD_FOLDER
    save_board(ladders, concepts, out, config=options.config, about=subject.about())
    for ladder in ladders:
        _print(ladder)
    print(out)


def _concepts(options: Options, subject: "Subject") -> "list[ContrastConcept]":
    from tymbal.corpora.world import generate_world
    from tymbal.safety import read_concepts, world_concepts
    from tymbal.study import BUNDLED

    if options.concepts is not None:
        return read_concepts(options.concepts)
    if subject.study.question["corpus"] == [BUNDLED]:
        return world_concepts(generate_world(0))
    raise TymbalError(
        expected="concepts to ask for",
        got="none, and a study of other text than the generated world's",
        do="give a file of contrast texts: --concepts FILE",
    )


def _print(ladder: "Ladder") -> None:
    from tymbal.safety.words import said, stands

    told = ladder.as_json()
    print(f"{ladder.concept}: {stands(told)} (feature {ladder.feature}, {ladder.label})")
    for step in told["steps"]:
        finding = step["finding"]
        beside = "" if finding is None else f" {finding['value']:.3f} [{finding['low']:.3f}, {finding['high']:.3f}]"
        print(f"  {'+' if step['holds'] else '-'} {step['name']}{beside}: {said(step)}")
    print()
