"""Concepts of the generated world as labelled texts.

    FAMILY              which member of a family of annotated spans: language, form, tone, animal, feeling, weather, …
    ENTITY.FACT         a fact of the entity that a span names: town.position, town.founded, town.region, person.gender,
                        person.honest, person.profession, firm.good, …
    statement.true      whether a sentence is true; its data sets are the attributes told, affirmed and denied apart
    statement.honest    whether its speaker is
    statement.likely    whether it names the fact's true value, and so has the words that most texts have in that place
    verdict.…           the same three, read where the text asks "Is that so? That is" and is about to answer

Texts are documents that the bundled model was not trained on, groups are the documents, or the entity where a fact is
read. Towns and founding years are read off the name alone, in a heading, where no distance or year has been told.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice, takewhile
from typing import Any, NamedTuple

from tymbal.corpora.documents import Span
from tymbal.corpora.world import DOCUMENT_SEED, GeneratedWorld, WorldDocument
from tymbal.corpora.world.forms.statement import ATTRIBUTES, QUOTES, VERDICTS
from tymbal.errors import ProbeError, listed
from tymbal.probes.labelled import Example, LabelledTexts

HEADINGS = ("Chronicle of {}", "From the annals of {}", "Chronik von {}", "Chronique de {}", "Crónica de {}")
"""Beginnings of chronicles, as the training documents have them."""
STATEMENTS = ("true", "honest", "likely")
READ_AT = ("statement", "verdict")
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
    if family in READ_AT and fact in STATEMENTS:
        return statements(world, examples=examples, asked=family == "verdict")[fact]
    if family in _FACTS and fact in _FACTS[family]:
        found = tuple(islice(_facts(world, family, fact), examples))
        return LabelledTexts(name=concept, examples=found, outputs=NUMBERS.get(concept, ()))
    if fact or family in _FACTS:
        known = [*(f"{kind}.{name}" for kind, names in _FACTS.items() for name in names)]
        known += [f"{place}.{name}" for place in READ_AT for name in STATEMENTS]
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
        if len(found) >= examples or (index == 200 and not found):
            break
    counts = Counter(example.label for example in found)
    kept = tuple(example for example in found if counts[example.label] >= _LEAST)
    if not kept:
        known = sorted(
            {span.concept.partition(".")[0] for _, made in islice(_documents(world), 30) for span in made.spans}
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
    world: GeneratedWorld, *, examples: int = 4000, languages: Sequence[str | None] = (None,), asked: bool = False
) -> dict[str, LabelledTexts]:
    """Sentences said by honest and by lying speakers, under each of the labels `true`, `honest` and `likely`.

    Each document is cut behind its first sentence and read there.

    What a document says later (the verdict "That is false.") is cut off, so that only the sentence can be read. With
    `asked` it goes on with the question and the beginning of its answer. The groups are the people spoken of. Several
    languages take turns; None lets the world draw one.
    """
    found: dict[str, list[Example]] = {label: [] for label in STATEMENTS}
    for index in range(examples):
        language = languages[index % len(languages)]
        document = world.document(index, seed=DOCUMENT_SEED, form="statement", language=language)
        told = next(span for span in document.spans if span.concept.startswith("truth."))
        claim = next(claim for claim in document.claims if claim.attribute in ATTRIBUTES)
        text = document.text[: told.end] + (asking(document.language).text if asked else "")
        dataset = f"{claim.attribute}, {_NEGATIONS[claim.denied]}"
        labels = {
            "true": claim.true,
            "honest": any(span.concept == "speaker.honest" for span in document.spans),
            "likely": claim.true != claim.denied,
        }
        for label, value in labels.items():
            example = Example(text, told.start, len(text), str(value).lower(), claim.subject, dataset)
            found[label].append(example)
    return {
        label: LabelledTexts(name=f"{READ_AT[asked]}.{label}", examples=tuple(examples))
        for label, examples in found.items()
    }


class Asking(NamedTuple):
    """How a statement is followed by a question and the beginning of its answer, and how the answer ends."""

    text: str
    true: str
    false: str


def asking(language: str) -> Asking:
    """The first wording of the question in a language; its answers begin alike: "That is true.", "That is false."."""
    wording, *answers = VERDICTS[language]
    question = wording.removeprefix("[").partition("|")[0]
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*answers, strict=False)))
    begun = answers[0][:alike].rpartition(" ")[0]
    true, false = (answer.removeprefix(begun).removesuffix(".") for answer in answers)
    return Asking(f"{QUOTES[language][1]} {question} {begun}", true, false)
