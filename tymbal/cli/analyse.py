"""`tymbal analyse`: questions about a finished study's features, each with its baselines, a table and a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import tyro
from tyro.conf import Positional, arg

from tymbal.errors import TymbalError

if TYPE_CHECKING:
    from tymbal.analyses import Analysis, Subject

Name = Literal["universality", "splitting", "automata", "languages", "forms", "geometry"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Ask a finished study how its features hang together.

    universality: are they found again in another study of the same text? splitting: what does another study's larger
    dictionary tell apart? automata: which features set off others, one token later? languages, forms: does one feature
    stand for a concept in all of them? geometry: do the features of a family (months, towns, ...) lie as it does?
    """

    analysis: Annotated[Positional[Name], arg(metavar="NAME")]
    """which question"""
    study: Annotated[Positional[Path], arg(metavar="STUDY")]
    """the study's folder"""
    other: Annotated[Path | None, arg(metavar="STUDY")] = None
    """universality, splitting: the study to compare with (of the larger dictionary), of the same text"""
    family: str = "month"
    """geometry: whose features; concepts named month.… are of the family month"""
    passages: Annotated[Path | None, arg(metavar="FILE")] = None
    """languages: one passage in several languages, to be shown lit by each feature; {"language", "text"} a line. None:
    such passages of the generated world, for a study of its text"""
    tokens: int = 1_000_000
    """tokens of held-out text to read"""
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """where to write; None: STUDY/analyses/NAME"""


class Answer(NamedTuple):
    """An analysis, and how to draw it, if it has a picture."""

    analysis: "Analysis"
    draw: "Callable[[Analysis, Path], None] | None"


def main(arguments: Sequence[str]) -> None:
    """Parse, analyse, write and print where it lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal analyse")

    from tymbal.analyses import Subject, save_analysis
    from tymbal.cli.analysis_text import print_analysis

    subject = Subject(options.study, tokens=options.tokens)
    other = None if options.other is None else Subject(options.other, tokens=options.tokens)
    answer = _ask(options, subject, other)
    name = f"geometry-{options.family}" if options.analysis == "geometry" else options.analysis
    out = options.out or options.study / "analyses" / name
    about = subject.about() | ({} if other is None else {"other": other.about()})
    save_analysis(answer.analysis, out, about)
    if answer.draw is not None:
        answer.draw(answer.analysis, out / "picture.svg")
    if options.analysis == "languages":
        _light(options, subject, answer.analysis, out)
    print_analysis(answer.analysis)
    print(out)


def _ask(options: Options, subject: "Subject", other: "Subject | None") -> Answer:
    from tymbal import analyses

    if options.analysis == "universality":
        against = _required(other, options)
        found = analyses.universality(subject.coded, against.coded, subject.name, against.name)
        return Answer(found, analyses.draw_correlations)
    if options.analysis == "splitting":
        against = _required(other, options)
        return Answer(analyses.splitting(subject.coded, against.coded, subject.name, against.name), None)
    if options.analysis == "automata":
        return Answer(analyses.automata(subject.coded, subject.promoted(), subject.name), None)
    if options.analysis == "geometry":
        found = analyses.geometry(
            subject.annotated(), subject.dictionary.decoder.detach(), options.family, subject.true_places
        )
        return Answer(found, analyses.draw_shape)
    kind = options.analysis.removesuffix("s")
    found = analyses.across(subject.annotated(), kind, subject.name, subject.token_name)
    return Answer(found, analyses.draw_across)


def _light(options: Options, subject: "Subject", analysis: "Analysis", out: Path) -> None:
    """Write the passages in several languages that the best concepts' features light, where there are any."""
    from tymbal import artifact
    from tymbal.analyses.parallel import PASSAGES, passages_of, read_passages

    given = None if options.passages is None else read_passages(options.passages)
    shown = passages_of(subject, analysis, given)
    if shown is not None:
        artifact.write_json(out / PASSAGES, shown)


def _required(other: "Subject | None", options: Options) -> "Subject":
    if other is None:
        raise TymbalError(
            expected=f"two studies for {options.analysis}", got="one", do="name the second with --other STUDY"
        )
    return other
