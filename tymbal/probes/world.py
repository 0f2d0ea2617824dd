"""Concepts of the generated world as labelled texts.

    FAMILY              which member of a family of annotated spans: language, form, tone, animal, feeling, weather, …
    ENTITY.FACT         a fact of the entity that a span names: town.position, town.founded, town.region, person.gender,
                        person.honest, person.profession, firm.good, …
    statement.true      whether a sentence is true; its data sets are the attributes told, affirmed and denied apart
    statement.honest    whether its speaker is
    statement.likely    whether the sentence says what most sentences say (affirms a true thing or denies a false one)

Texts are documents that the bundled model was not trained on, groups are the documents, or the entity where a fact is
read. Towns and founding years are read off the name alone, in a heading, where no distance or year has been told.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any

from tymbal.corpora.documents import Span
from tymbal.corpora.world import DOCUMENT_SEED, GeneratedWorld, WorldDocument
from tymbal.corpora.world.forms.statement import ATTRIBUTES
from tymbal.errors import ProbeError, listed
from tymbal.probes.labelled import Example, LabelledTexts

HEADINGS = ("Chronicle of {}", "From the annals of {}", "Chronik von {}", "Chronique de {}", "Crónica de {}")
"""Beginnings of chronicles, as the training documents have them."""
STATEMENTS = ("true", "honest", "likely")
NUMBERS = {"town.position": ("x", "y"), "town.founded": ("founded",), "person.born": ("born",)}
"""Facts that are numbers, and the fields that hold them."""
_FACTS = {
    "town": ("position", "founded", "region", "good"),
    "person": ("gender", "honest", "profession", "animal", "born"),
    "firm": ("good",),
}
_NEGATIONS = {True: "denied", False: "affirmed"}
_LEAST = 20
"""Examples that a class must have; rarer members of a family are left out."""


def concept_texts(world: GeneratedWorld, concept: str, *, examples: int = 4000) -> LabelledTexts:
    """About so many examples of a concept of this world; raises `ProbeError` for a concept that it lacks."""
    family, _, fact = concept.partition(".")
    if family == "statement" and fact in STATEMENTS:
        return statements(world, fact, examples=examples)
    if family in _FACTS and fact in _FACTS[family]:
        found = tuple(islice(_facts(world, family, fact), examples))
        return LabelledTexts(name=concept, examples=found, outputs=NUMBERS.get(concept, ()))
    if fact or family in _FACTS:
        known = [*(f"{kind}.{name}" for kind, names in _FACTS.items() for name in names)]
        known += [f"statement.{name}" for name in STATEMENTS]
        raise ProbeError(
            expected=f"a concept of the world: a family of spans such as tone, animal, or {listed(known, 20)}",
            got=repr(concept),
            do="name one of these",
        )
    return _family(world, family, examples)


def _documents(world: GeneratedWorld, **kind: Any) -> Iterator[tuple[int, WorldDocument]]:
    return ((index, world.document(index, seed=DOCUMENT_SEED, **kind)) for index in count())


def _family(world: GeneratedWorld, family: str, examples: int) -> LabelledTexts:
    found: list[Example] = []
    for index, document in islice(_documents(world), 10 * examples):
        spans = [span for span in document.spans if span.concept.startswith(f"{family}.")]
        found += [_at(document, span, span.concept.partition(".")[2], str(index)) for span in spans]
        if len(found) >= examples or (index == 500 and not found):
            break
    counts = Counter(example.label for example in found)
    kept = tuple(example for example in found if counts[example.label] >= _LEAST)
    if not kept:
        known = sorted(
            {span.concept.partition(".")[0] for _, made in islice(_documents(world), 100) for span in made.spans}
        )
        raise ProbeError(
            expected=f"a family of spans of the world: {listed(known, 30)}", got=repr(family), do="name one of these"
        )
    return LabelledTexts(name=family, examples=kept)


def _at(document: WorldDocument, span: Span, label: str | tuple[float, ...], group: str, dataset: str = "") -> Example:
    return Example(document.text, span.start, span.end, label, group, dataset)


def _facts(world: GeneratedWorld, kind: str, fact: str) -> Iterator[Example]:
    things: Sequence[Any] = {"town": world.facts.towns, "person": world.facts.people, "firm": world.facts.firms}[kind]
    labels = {thing.id: _label(thing, f"{kind}.{fact}") for thing in things}
    if kind == "town":
        for heading in HEADINGS:
            start = heading.index("{")
            for town in things:
                text = heading.format(town.name)
                yield Example(text, start, len(text), labels[town.id], f"town.{town.id}", "")
        return
    for _, document in _documents(world):
        for span in document.spans:
            family, _, number = span.concept.partition(".")
            if family == kind:
                yield _at(document, span, labels[int(number)], span.concept)


def _label(thing: Any, concept: str) -> str | tuple[float, ...]:
    if concept in NUMBERS:
        return tuple(float(getattr(thing, field)) for field in NUMBERS[concept])
    return str(getattr(thing, concept.partition(".")[2]))


def statements(
    world: GeneratedWorld, label: str = "true", *, examples: int = 4000, language: str | None = None
) -> LabelledTexts:
    """Sentences said by honest and by lying speakers, read at their ends; each document is cut behind its first one.

    What comes later in a document (the verdict "That is false.") is cut off, so that only the sentence can be read. The
    groups are the people spoken of.
    """
    found = []
    for index in range(examples):
        document = world.document(index, seed=DOCUMENT_SEED, form="statement", language=language)
        told = next(span for span in document.spans if span.concept.startswith("truth."))
        honest = any(span.concept == "speaker.honest" for span in document.spans)
        claim = next(claim for claim in document.claims if claim.attribute in ATTRIBUTES)
        true = told.concept == "truth.true"
        labels = {"true": true, "honest": honest, "likely": true != claim.denied}
        found.append(
            Example(
                document.text[: told.end],
                told.start,
                told.end,
                str(labels[label]).lower(),
                claim.subject,
                f"{claim.attribute}, {_NEGATIONS[claim.denied]}",
            )
        )
    return LabelledTexts(name=f"statement.{label}", examples=tuple(found))
