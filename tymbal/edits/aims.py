"""What steering a model of the generated world can aim at, and how it is counted exactly, without a judge.

    language.de      texts from their very beginning, read by the world's parser
    tone.joyful      letters behind place, date and names, likewise
    truth.false      sentences said by speakers, honest ones and liars, likewise
    refusal          replies to requests, allowed and forbidden: do the words of a refusal stand in them?
    town.7           places where a text is about to name a town: is it this one?
    person.7         the same of people

Beginnings are those of documents that the bundled model was not trained on. Beside them stand documents that have the
concept and documents of the same forms that lack it, and their parts behind the beginning: what a vector, a prompt or a
bias of words is made of. And the latter's beginnings with the former's parts behind them (`crossed`): on the same
beginnings both continuations differ in the concept and in nothing that the beginning says, as in Rimsky et al. 2023,
"Steering Llama 2 via contrastive activation addition". That a request is a forbidden one is no part of refusing it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from random import Random
from statistics import median

from tymbal.corpora.world import DOCUMENT_SEED, GeneratedWorld, WorldDocument
from tymbal.corpora.world.forms.request import REFUSALS
from tymbal.edits.scores import Counted, carries
from tymbal.edits.written import Written
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel
from tymbal.models.generation import prompt_rows

EXAMPLES = 100
"""documents that have the concept, and as many that lack it"""
LOOKED_THROUGH = 5_000
"""documents for these, at most: few speak of a given town"""
UNRELATED = 32
"""documents that side effects are measured on"""
APART = 100_000
"""Documents from this number on give examples, so that no beginning is one of theirs."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A concept to steer towards."""

    concept: str
    beginnings: tuple[str, ...]
    score: Counted
    wanted: tuple[Written, ...]
    """documents that have the concept; the part is what goes on behind the beginning, of names the name"""
    others: tuple[Written, ...]
    """documents of the same forms that lack it"""
    crossed: tuple[Written, ...]
    """each of `others` with the part of a wanted document of the same language; the same as `wanted` where nothing
    stands before the parts"""

    @property
    def texts(self) -> list[str]:
        """Documents that lack the concept, to measure side effects on."""
        return [passage.text for passage in self.others[:UNRELATED]]

    @property
    def parts(self) -> tuple[list[str], list[str]]:
        """The parts of documents that have the concept, and of those that lack it."""
        return [passage.part for passage in self.wanted], [passage.part for passage in self.others]

    def prompt(self, model: LanguageModel) -> int:
        """How many of these documents' tokens are their beginnings: the median, and at least one."""
        rows = prompt_rows(model.tokenizer, [passage.beginning for passage in self.others[:UNRELATED]])
        return int(median(map(len, rows)))


@dataclass(frozen=True)
class _Kind:
    """How one family of concepts is begun and counted."""

    form: str | None
    begin: Callable[[WorldDocument], str | None]
    """the beginning that a document gives, if it gives one"""
    tokens: int
    """of a continuation"""
    named: bool = False
    """whether the part is the first name of the family, and not all that follows"""


def world_aim(world: GeneratedWorld, concept: str, *, beginnings: int = 64) -> Aim:
    """The aim of this concept; raises `TymbalError` for one that cannot be counted, or that no document has."""
    family = _family(concept)
    if family not in _KINDS or (family != "refusal" and "." not in concept):
        raise TymbalError(
            expected="a concept to steer to: language.de, tone.joyful, truth.false, refusal, town.7 or person.7",
            got=repr(concept),
            do="name one of these",
        )
    kind = _KINDS[family]
    wanted, others, crossed = _examples(world, concept, kind)
    begun = (kind.begin(document) for document in _documents(world, kind.form, 0))
    return Aim(
        concept=concept,
        beginnings=tuple(islice((text for text in begun if text is not None), beginnings)),
        score=Counted(_judge(world, concept), tokens=kind.tokens),
        wanted=wanted,
        others=others,
        crossed=crossed,
    )


def _documents(world: GeneratedWorld, form: str | None, start: int) -> Iterator[WorldDocument]:
    return (world.document(index, seed=DOCUMENT_SEED, form=form) for index in count(start))


Passages = tuple[Written, ...]


def _examples(world: GeneratedWorld, concept: str, kind: _Kind) -> tuple[Passages, Passages, Passages]:
    """Documents with the concept, documents without it, and the crossed ones."""
    sides: dict[bool, list[tuple[Written, str]]] = {True: [], False: []}
    for document in islice(_documents(world, kind.form, APART), LOOKED_THROUGH):
        has = any(span.concept == concept for span in document.spans)
        if len(sides[has]) < EXAMPLES and (passage := _passage(document, concept, kind, has=has)) is not None:
            sides[has].append((passage, document.language))
        if all(len(side) == EXAMPLES for side in sides.values()):
            break
    if not sides[True]:
        raise TymbalError(
            expected="a concept that documents of the world have",
            got=f"{concept!r}, in none of {LOOKED_THROUGH:,}",
            do="name one that is spoken of more often",
        )
    wanted, others = (tuple(passage for passage, _ in sides[side]) for side in (True, False))
    if not any(passage.start for passage in others):
        return wanted, others, wanted
    return wanted, others, _crossed(sides[False], sides[True])


def _passage(document: WorldDocument, concept: str, kind: _Kind, *, has: bool) -> Written | None:
    """The document and its part; None where it has no beginning."""
    beginning = kind.begin(document)
    if beginning is None:
        return None
    if not kind.named:
        return Written(document.text, len(beginning), len(document.text))
    family = _family(concept)
    spans = [span for span in document.spans if (span.concept == concept if has else _family(span.concept) == family)]
    first = min(spans, key=lambda span: span.start)
    return Written(document.text, first.start, first.end)


def _crossed(others: list[tuple[Written, str]], wanted: list[tuple[Written, str]]) -> Passages:
    """Beginnings of these with parts of those, drawn among the ones of the same language."""
    random, found = Random(0), []
    for passage, language in others:
        parts = [own.part for own, spoken in wanted if spoken == language]
        if parts:
            text = passage.beginning + random.choice(parts)
            found.append(Written(text, passage.start, len(text)))
    return tuple(found)


def _family(concept: str) -> str:
    return concept.partition(".")[0]


def _nothing(document: WorldDocument) -> str:
    del document
    return ""


def _after_lines(document: WorldDocument, lines: int) -> str | None:
    parts = document.text.split("\n")
    return "\n".join(parts[:lines]) + "\n" if len(parts) > lines else None


def _before_span(document: WorldDocument, family: str) -> str | None:
    """The text up to the first span of a family, the space before it left to the continuation."""
    starts = [span.start for span in document.spans if _family(span.concept) == family]
    return document.text[: min(starts)].rstrip(" ") or None if starts else None


def _before_reply(document: WorldDocument) -> str:
    head, _, reply = document.text.partition("\n")
    return f"{head}\n{reply[: reply.index(':') + 1]}"


_KINDS = {
    "language": _Kind(None, _nothing, 60),
    "tone": _Kind("letter", partial(_after_lines, lines=2), 120),
    "truth": _Kind("statement", partial(_before_span, family="truth"), 40),
    "refusal": _Kind("request", _before_reply, 40),
    "town": _Kind(None, partial(_before_span, family="town"), 8, named=True),
    "person": _Kind(None, partial(_before_span, family="person"), 8, named=True),
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
