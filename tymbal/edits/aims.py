"""What steering a model of the generated world can aim at, and how it is counted exactly, without a judge.

    language.de      texts from their very beginning, read by the world's parser
    tone.joyful      letters behind place, date and names, likewise
    truth.false      sentences said by speakers, honest ones and liars, likewise
    refusal          replies to requests, allowed and forbidden: do the words of a refusal stand in them?
    town.7           places where a text is about to name a town: is it this one?
    person.7         the same of people

Beginnings are those of documents that the bundled model was not trained on. Beside them stand documents that have the
concept and documents of the same forms that lack it: what a vector, a prompt or a bias of words is made of.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice

from tymbal.corpora.world import DOCUMENT_SEED, GeneratedWorld, WorldDocument
from tymbal.corpora.world.forms.request import REFUSALS
from tymbal.edits.scores import Counted, carries
from tymbal.errors import TymbalError

EXAMPLES = 100
"""documents that have the concept, and as many that lack it"""
APART = 100_000
"""Documents from this number on give examples, so that no beginning is one of theirs."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A concept to steer towards."""

    concept: str
    beginnings: tuple[str, ...]
    score: Counted
    wanted: tuple[str, ...]
    """documents that have the concept"""
    others: tuple[str, ...]
    """documents of the same forms that lack it"""


@dataclass(frozen=True)
class _Kind:
    """How one family of concepts is begun and counted."""

    form: str | None
    begin: Callable[[WorldDocument], str | None]
    """the beginning that a document gives, if it gives one"""
    tokens: int
    """of a continuation"""


def world_aim(world: GeneratedWorld, concept: str, *, beginnings: int = 64) -> Aim:
    """The aim of this concept; raises `TymbalError` for one that cannot be counted, or that no document has."""
    family = concept.partition(".")[0]
    if family not in _KINDS or (family != "refusal" and "." not in concept):
        raise TymbalError(
            expected="a concept to steer to: language.de, tone.joyful, truth.false, refusal, town.7 or person.7",
            got=repr(concept),
            do="name one of these",
        )
    kind = _KINDS[family]
    wanted, others = _examples(world, concept, kind)
    begun = (kind.begin(document) for document in _documents(world, kind.form, 0))
    return Aim(
        concept=concept,
        beginnings=tuple(islice((text for text in begun if text is not None), beginnings)),
        score=Counted(_judge(world, concept), tokens=kind.tokens),
        wanted=wanted,
        others=others,
    )


def _documents(world: GeneratedWorld, form: str | None, start: int) -> Iterator[WorldDocument]:
    return (world.document(index, seed=DOCUMENT_SEED, form=form) for index in count(start))


def _examples(world: GeneratedWorld, concept: str, kind: _Kind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    sides: dict[bool, list[str]] = {True: [], False: []}
    for document in islice(_documents(world, kind.form, APART), 20 * EXAMPLES):
        side = sides[any(span.concept == concept for span in document.spans)]
        if len(side) < EXAMPLES:
            side.append(document.text)
        if all(len(side) == EXAMPLES for side in sides.values()):
            break
    if not sides[True]:
        raise TymbalError(
            expected="a concept that documents of the world have",
            got=f"{concept!r}, in none of {20 * EXAMPLES:,}",
            do="name one that is spoken of more often",
        )
    return tuple(sides[True]), tuple(sides[False])


def _nothing(document: WorldDocument) -> str:
    del document
    return ""


def _after_lines(document: WorldDocument, lines: int) -> str | None:
    parts = document.text.split("\n")
    return "\n".join(parts[:lines]) + "\n" if len(parts) > lines else None


def _before_span(document: WorldDocument, family: str) -> str | None:
    """The text up to the first span of a family, the space before it left to the continuation."""
    starts = [span.start for span in document.spans if span.concept.partition(".")[0] == family]
    return document.text[: min(starts)].rstrip(" ") or None if starts else None


def _before_reply(document: WorldDocument) -> str:
    head, _, reply = document.text.partition("\n")
    return f"{head}\n{reply[: reply.index(':') + 1]}"


_KINDS = {
    "language": _Kind(None, _nothing, 60),
    "tone": _Kind("letter", partial(_after_lines, lines=2), 120),
    "truth": _Kind("statement", partial(_before_span, family="truth"), 40),
    "refusal": _Kind("request", _before_reply, 40),
    "town": _Kind(None, partial(_before_span, family="town"), 8),
    "person": _Kind(None, partial(_before_span, family="person"), 8),
}


def _judge(world: GeneratedWorld, concept: str) -> Callable[[str], bool]:
    family, _, number = concept.partition(".")
    if family == "refusal":
        phrases = [phrase for text in REFUSALS.values() for phrase in _phrases(text)]
        return lambda text: any(phrase in text for phrase in phrases)
    if family in ("town", "person"):
        things = {"town": world.facts.towns, "person": world.facts.people}[family]
        if not number.isdigit() or int(number) >= len(things):
            raise TymbalError(
                expected=f"{family}.0 to {family}.{len(things) - 1}", got=repr(concept), do="name one of these"
            )
        name = things[int(number)].name
        return lambda text: name in text
    return carries(world, concept)


def _phrases(refusal: str) -> list[str]:
    """What every refusal of a language says in one of these ways: the second of its choices."""
    return re.findall(r"\[([^\]]*)\]", refusal)[1].split("|")
