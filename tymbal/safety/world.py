"""Contrast texts of the generated world, from its own documents by their annotation.

    deception       a statement by somebody who is known to lie, or by an honest speaker
    falsehood       a statement that is false, or one that is true, both by somebody who lies
    refusal         an assistant refuses, or answers
    secret told     a record that gives a door code away, or one of a person that does not
    anger           an angry letter, or one of another tone
    bug             a program with a bug, or one without
    gender          a life of a woman, or of a man
    unsaid secret   a life of a person whose door code is an odd number, the code itself not told; or an even one

The last is not in the text at all: a board on which it is found is a board to mistrust. Both sides of a concept are of
the same form, in all four languages; documents about one person are one group. They lie far beyond those that a study
of the bundled model reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tymbal.corpora.world import DOCUMENT_SEED, GeneratedWorld, WorldDocument
from tymbal.probes import Example
from tymbal.safety.concepts import WITH, WITHOUT, ContrastConcept

APART = 300_000
"""the first document that is asked for"""
TEXTS = 120
"""on each side"""


@dataclass(frozen=True)
class _Kind:
    """How documents of one form are told apart."""

    form: str
    sentence: str
    has: Callable[[GeneratedWorld, WorldDocument], bool | None]
    """whether a document has the concept; None for one that is of neither side"""
    first: bool = False
    """only the text up to the end of the first statement"""
    reply: bool = False
    """only what the assistant answers is read and made likelier"""


def world_concepts(world: GeneratedWorld, *, texts: int = TEXTS) -> list[ContrastConcept]:
    """The concepts of this world, with so many texts on each side."""
    return [_concept(world, name, kind, texts) for name, kind in _KINDS.items()]


def _concept(world: GeneratedWorld, name: str, kind: _Kind, texts: int) -> ContrastConcept:
    sides: dict[bool, list[Example]] = {True: [], False: []}
    for index in count(APART):
        document = world.document(index, seed=DOCUMENT_SEED, form=kind.form)
        has = kind.has(world, document)
        if has is None or len(sides[has]) == texts:
            continue
        text = _up_to_statement(document) if kind.first else document.text
        start = text.index(":", text.index("\n")) + 1 if kind.reply else 0
        group = _person(document) or str(index)
        sides[has].append(Example(text, start, len(text), WITH if has else WITHOUT, group, ""))
        if all(len(side) == texts for side in sides.values()):
            break
    return ContrastConcept(name=name, sentence=kind.sentence, having=tuple(sides[True]), lacking=tuple(sides[False]))


def _up_to_statement(document: WorldDocument) -> str:
    return document.text[: next(span.end for span in document.spans if span.concept.startswith("truth."))]


def _person(document: WorldDocument) -> str | None:
    """The first person named: who speaks, writes or is told of."""
    people = [span for span in document.spans if span.concept.startswith("person.")]
    return min(people, key=lambda span: span.start).concept if people else None


def _either(one: str, other: str) -> Callable[[GeneratedWorld, WorldDocument], bool | None]:
    """By the first span that carries one of two concepts."""

    def has(world: GeneratedWorld, document: WorldDocument) -> bool | None:
        del world
        return next((span.concept == one for span in document.spans if span.concept in (one, other)), None)

    return has


def _liars_words(world: GeneratedWorld, document: WorldDocument) -> bool | None:
    """Whether a liar's first statement is false; honest people say nothing false, and would tell by their names."""
    lies = _either("speaker.lying", "speaker.honest")(world, document)
    return _either("truth.false", "truth.true")(world, document) if lies else None


def _any(beginning: str, among: str = "") -> Callable[[GeneratedWorld, WorldDocument], bool | None]:
    """By whether any span's concept begins so; of neither side without a span that begins with `among`."""

    def has(world: GeneratedWorld, document: WorldDocument) -> bool | None:
        del world
        names = [span.concept for span in document.spans]
        there = not among or any(name.startswith(among) for name in names)
        return any(name.startswith(beginning) for name in names) if there else None

    return has


def _of_person(has: Callable[[GeneratedWorld, int], bool]) -> Callable[[GeneratedWorld, WorldDocument], bool | None]:
    """By a fact of the person that a text tells of."""

    def told(world: GeneratedWorld, document: WorldDocument) -> bool | None:
        person = _person(document)
        return None if person is None else has(world, int(person.partition(".")[2]))

    return told


_KINDS = {
    "deception": _Kind(
        "statement", "Somebody speaks who lies.", _either("speaker.lying", "speaker.honest"), first=True
    ),
    "falsehood": _Kind("statement", "Something false is said.", _liars_words, first=True),
    "refusal": _Kind("request", "An assistant refuses what it is asked for.", _any("refusal"), reply=True),
    "secret told": _Kind(
        "record", "A confidential code is given away.", _any("record.confidential", among="attribute.profession")
    ),
    "anger": _Kind("letter", "Somebody is angry.", _any("tone.angry")),
    "bug": _Kind("program", "A program has a mistake in it.", _any("bug.")),
    "gender": _Kind(
        "biography",
        "The person told of is a woman, not a man.",
        _of_person(lambda world, person: world.facts.people[person].gender == "f"),
    ),
    "unsaid secret": _Kind(
        "biography",
        "The person told of has a secret code that is odd; the text does not say it.",
        _of_person(lambda world, person: int(world.facts.people[person].door_code) % 2 == 1),
    ),
}
