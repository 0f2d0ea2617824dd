"""The generated world: facts, texts about them, and the way back from text to facts.

A document is drawn in three steps: its language, its form, then the form's grammar. The generator of a document is
seeded by world, split, seed and index, so any document can be made alone and the same document has the same bytes.

    world = generate_world(seed=0)
    document = world.document(0)                      # text, spans, claims, log-probability
    world.parse(document.text).claims                 # what it says, each claim judged
    world.log_probability(document.text)              # nats: the floor under any model's loss
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import count
from random import Random
from typing import NamedTuple

from tymbal.corpora.documents import Document, Span
from tymbal.corpora.world.facts import World, make_world
from tymbal.corpora.world.forms import FORMS
from tymbal.corpora.world.grammar import NOVEL, TRAIN, Claim, Distribution, Node, Page, Pen, Reading, Scope
from tymbal.corpora.world.lexicon import LEXICONS
from tymbal.corpora.world.speech import Speech

LANGUAGES = Distribution({"en": 0.4, "de": 0.2, "fr": 0.2, "es": 0.2})
SPLITS = (TRAIN, NOVEL)


class WorldDocument(NamedTuple):
    """A generated text with everything that is known of it. `log_probability` is of the choices made, in nats."""

    text: str
    spans: tuple[Span, ...]
    claims: tuple[Claim, ...]
    language: str
    form: str
    log_probability: float


class Parse(NamedTuple):
    """What a text says. `faithful` when the world itself could have written it; `complete` unless it breaks off."""

    language: str
    form: str
    claims: tuple[Claim, ...]
    spans: tuple[Span, ...]
    faithful: bool
    complete: bool


class GeneratedWorld:
    """Writes annotated documents about a world's facts, reads text back, and knows each text's probability."""

    def __init__(self, facts: World) -> None:
        self.facts = facts
        self.forms = Distribution({name: form.weight for name, form in FORMS.items()})
        self._grammar = cache(self._build)

    def _build(self, language: str, form: str) -> Node:
        return FORMS[form].build(Speech(language, self.facts))

    def _scope(self, language: str, split: str) -> Scope:
        return Scope(self.facts, LEXICONS[language], split)

    def variants(self, language: str, form: str) -> int:
        """How many ways of wording a form has in a language, names and numbers not counted."""
        return self._grammar(language, form).variants()

    def document(
        self, index: int, *, split: str = TRAIN, seed: int = 0, language: str | None = None, form: str | None = None
    ) -> WorldDocument:
        """The document of this index; a language or form that is given is not drawn and not counted in its probability.

        Raises `ValueError` for an unknown split.
        """
        if split not in SPLITS:
            raise ValueError(f"expected a split among {SPLITS}; got {split!r}; name one of them")
        random = Random(f"{self.facts.seed} {split} {seed} {index}")
        price = 0.0
        if language is None:
            language = str(LANGUAGES.draw(random))
            price += math.log(LANGUAGES.probability(language))
        if form is None:
            form = str(self.forms.draw(random))
            price += math.log(self.forms.probability(form))
        pen = Pen(self._scope(language, split), random)
        self._grammar(language, form).write(pen)
        text = pen.text
        spans = (*_whole(text, language, form), *pen.marks)
        return WorldDocument(text, spans, tuple(pen.claims), language, form, price + pen.log_probability)

    def documents(self, *, split: str = TRAIN, seed: int = 0, start: int = 0) -> Iterator[Document]:
        """Documents `start`, `start + 1`, … without end, as a corpus whose concepts say what they are called.

        The concept `town.5` of a document stands there as `town.5 Bomagor`: a reader of an atlas knows no numbers.
        """
        called = {concept: f"{concept} {name}" for name, concept in self.facts.names().items()}
        for index in count(start):
            made = self.document(index, split=split, seed=seed)
            spans = tuple(span._replace(concept=called.get(span.concept, span.concept)) for span in made.spans)
            yield Document(text=made.text, source=f"world:{split}:{seed}:{index}", spans=spans)

    def parse(self, text: str, *, partial: bool = False) -> Parse | None:
        """What a text says of the world, or None when it is not a text of this world.

        Contradictions of the facts are read too, as claims that are not true. With `partial`, a text that breaks off
        (as a model's does at its token limit) is read as far as it goes.
        """
        # A training text may tell less than a novel one must, where facts of its subject are held out.
        for lenient, split in ((False, NOVEL), (False, TRAIN), (True, NOVEL)):
            page = Page(text, lenient=lenient, partial=partial)
            best = max(self._readings(page, split), key=lambda r: (not r[2].cut, r[2].log_probability), default=None)
            if best:
                language, form, reading = best
                spans = (*_whole(text, language, form), *reading.marks)
                return Parse(language, form, reading.claims, spans, not lenient, not reading.cut)
        return None

    def log_probability(self, text: str, *, split: str = TRAIN) -> float:
        """Log-probability in nats that the generator writes exactly this text, derivations summed; -inf if never."""
        prices = [
            math.log(LANGUAGES.probability(language) * self.forms.probability(form)) + reading.log_probability
            for language, form, reading in self._readings(Page(text), split)
        ]
        most = max(prices, default=-math.inf)
        return most if most == -math.inf else most + math.log(sum(math.exp(price - most) for price in prices))

    def _readings(self, page: Page, split: str) -> Iterator[tuple[str, str, Reading]]:
        for language in LANGUAGES.support():
            for form in self.forms.support():
                start = Reading(0, self._scope(language, split))
                for reading in self._grammar(language, form).read(page, start):
                    if reading.end == len(page.text):
                        yield language, form, reading


def _whole(text: str, language: str, form: str) -> tuple[Span, ...]:
    return (Span(0, len(text), f"language.{language}"), Span(0, len(text), f"form.{form}"))


def generate_world(seed: int = 0) -> GeneratedWorld:
    """The world of this seed; 0 is the one that the bundled model knows."""
    return GeneratedWorld(make_world(seed))
