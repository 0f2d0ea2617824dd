"""A grammar that writes annotated text, reads it back, and knows how probable it is.

A grammar is a tree of nodes. Each node can be *written* (choices drawn from a seeded generator) and *read* (every way
in which it could have written what stands on the page). Bindings made on the way (`person`, `town`) are visible to all
later nodes, so that a text stays true to the world's facts: a definite clause grammar (Pereira & Warren 1980) with
probabilities. Reading sums over all derivations, so `log_probability` of a text is exact also where two
derivations write the same words.

Templates keep forms legible: `"{person} [lives|dwells] in {home}."` has slots in braces and alternatives in brackets.
The last of five or more alternatives is never used in the training split, so that phrases exist which no trained model
has seen.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from tymbal.corpora.documents import Span

HELD_OUT_FROM = 5  # alternatives; a choice of at least so many keeps its last one out of the training split
TRAIN = "train"
NOVEL = "novel"


class Claim(NamedTuple):
    """What a text says of the world: subject, attribute, value as concept ids; `denied` when it says this is not so."""

    subject: str
    attribute: str
    value: str
    denied: bool
    true: bool


class Scope:
    """What a derivation knows so far: the world, the lexicon of its language, the split, and its bindings."""

    __slots__ = ("lexicon", "split", "values", "world")

    def __init__(self, world: Any, lexicon: Any, split: str, values: dict[str, Hashable] | None = None) -> None:
        self.world = world
        self.lexicon = lexicon
        self.split = split
        self.values = values if values is not None else {}

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def bound(self, name: str, value: Hashable) -> "Scope":
        """A copy with one more binding."""
        return Scope(self.world, self.lexicon, self.split, {**self.values, name: value})


class Reading:
    """One way to read a text up to `end`. `cut` says that the text ended in the middle of it."""

    __slots__ = ("claims", "cut", "end", "log_probability", "marks", "scope")

    def __init__(
        self,
        end: int,
        scope: Scope,
        log_probability: float = 0.0,
        marks: tuple[Span, ...] = (),
        claims: tuple[Claim, ...] = (),
        cut: bool = False,
    ) -> None:
        self.end = end
        self.scope = scope
        self.log_probability = log_probability
        self.marks = marks
        self.claims = claims
        self.cut = cut

    def moved(self, end: int, log_probability: float = 0.0, cut: bool = False) -> "Reading":
        """The same reading further on, at the price of `log_probability` nats."""
        return Reading(end, self.scope, self.log_probability + log_probability, self.marks, self.claims, cut)

    def binding(self, name: str, value: Hashable) -> "Reading":
        return Reading(self.end, self.scope.bound(name, value), self.log_probability, self.marks, self.claims, self.cut)

    def noting(self, marks: tuple[Span, ...] = (), claims: tuple[Claim, ...] = ()) -> "Reading":
        return Reading(self.end, self.scope, self.log_probability, self.marks + marks, self.claims + claims, self.cut)


class Page(NamedTuple):
    """A text to be read. `lenient` accepts what contradicts the facts; `partial` a text that breaks off."""

    text: str
    lenient: bool = False
    partial: bool = False


class Pen:
    """Where a text is written: pieces, annotations, claims, and the probability of the choices made (nats)."""

    def __init__(self, scope: Scope, random: Random) -> None:
        self.scope = scope
        self.random = random
        self.pieces: list[str] = []
        self.length = 0
        self.marks: list[Span] = []
        self.claims: list[Claim] = []
        self.log_probability = 0.0

    def put(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Distribution:
    """Finitely many values with probabilities; drawing and looking up cost little."""

    def __init__(self, weights: Mapping[Any, float]) -> None:
        kept = {value: weight for value, weight in weights.items() if weight > 0}
        if not kept:
            raise ValueError("a distribution needs a value of positive weight")
        self._values = list(kept)
        self._cumulative = list(accumulate(kept.values()))
        total = self._cumulative[-1]
        self._probability = {value: weight / total for value, weight in kept.items()}

    @classmethod
    def uniform(cls, values: Iterable[Any]) -> "Distribution":
        return cls(dict.fromkeys(values, 1.0))

    def draw(self, random: Random) -> Any:
        return self._values[bisect(self._cumulative, random.random() * self._cumulative[-1])]

    def probability(self, value: Any) -> float:
        return self._probability.get(value, 0.0)

    def support(self) -> Sequence[Any]:
        return self._values

    def without(self, *excluded: Any) -> "Distribution":
        """The same distribution, given that none of these values comes."""
        return _Excluding(self, frozenset(value for value in excluded if self.probability(value) > 0))


class _Excluding(Distribution):
    def __init__(self, base: Distribution, excluded: frozenset[Any]) -> None:
        self._base = base
        self._excluded = excluded
        self._left = 1.0 - sum(base.probability(value) for value in excluded)

    def draw(self, random: Random) -> Any:
        while (value := self._base.draw(random)) in self._excluded:
            pass
        return value

    def probability(self, value: Any) -> float:
        return 0.0 if value in self._excluded else self._base.probability(value) / self._left

    def support(self) -> Sequence[Any]:
        return [value for value in self._base.support() if value not in self._excluded]

    def without(self, *excluded: Any) -> Distribution:
        return self._base.without(*self._excluded, *excluded)


class Names:
    """How values are said: one surface form a value, and the way back.

    `cores` are the words within a form that name the value itself, without article or preposition; only they are
    annotated.
    """

    def __init__(self, surfaces: Mapping[Any, str], cores: Mapping[Any, str] | None = None) -> None:
        self._surfaces = dict(surfaces)
        self._cores = dict(cores or surfaces)
        self._values: dict[str, list[Any]] = {}
        for value, surface in self._surfaces.items():
            self._values.setdefault(surface, []).append(value)
        self._lengths = sorted({len(surface) for surface in self._values})

    def say(self, value: Any) -> str:
        return self._surfaces[value]

    def core(self, value: Any, start: int) -> tuple[int, int]:
        """Where the words that name the value stand, in a surface form that starts at `start`."""
        surface, core = self._surfaces[value], self._cores[value]
        begin = start + max(surface.rfind(core), 0)
        return begin, min(begin + len(core), start + len(surface))

    def heard(self, text: str, start: int) -> Iterable[tuple[Any, int]]:
        """Each value whose surface form stands at `start`, with the place where it ends."""
        for length in self._lengths:
            for value in self._values.get(text[start : start + length], ()):
                if start + length <= len(text):
                    yield value, start + length

    def begun(self, text: str, start: int) -> bool:
        """Whether the text ends in the middle of a surface form that starts at `start`."""
        rest = text[start:]
        return any(len(surface) > len(rest) and surface.startswith(rest) for surface in self._values)


class Numbers(Names):
    """Whole numbers from `low` to `high`, in digits."""

    def __init__(self, low: int, high: int, step: int = 1) -> None:
        super().__init__({number: str(number) for number in range(low, high + 1, step)})


class Node(ABC):
    """A part of a text that can be written and read."""

    @abstractmethod
    def write(self, pen: Pen) -> None:
        """Put this part on the page, drawing choices from the pen's generator."""

    @abstractmethod
    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        """Every way in which this part could stand at `at.end`."""

    def variants(self) -> int:
        """How many word sequences this part can take, names and numbers not counted."""
        return 1


class Text(Node):
    """Fixed words."""

    def __init__(self, text: str) -> None:
        self.text = text

    def write(self, pen: Pen) -> None:
        pen.put(self.text)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        return matched(self.text, page, at)


class Said(Node):
    """Words that follow from the bindings (an inflected noun, a first name)."""

    def __init__(self, say: Callable[[Scope], str]) -> None:
        self._say = say

    def write(self, pen: Pen) -> None:
        pen.put(self._say(pen.scope))

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        return matched(self._say(at.scope), page, at)


def matched(wanted: str, page: Page, at: Reading) -> Sequence[Reading]:
    """The reading moved past these words, if they stand on the page; nothing if they do not."""
    if page.text.startswith(wanted, at.end):
        return (at.moved(at.end + len(wanted)),)
    if page.partial and wanted.startswith(page.text[at.end :]):
        return (at.moved(len(page.text), cut=True),)
    return ()


class Sequenced(Node):
    """Parts one after another."""

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = tuple(parts)

    def write(self, pen: Pen) -> None:
        for part in self.parts:
            part.write(pen)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        readings: Sequence[Reading] = (at,)
        for part in self.parts:
            readings = merged([new for old in readings for new in ((old,) if old.cut else part.read(page, old))])
            if not readings:
                return ()
        return readings

    def variants(self) -> int:
        return math.prod(part.variants() for part in self.parts)


def merged(readings: Sequence[Reading]) -> Sequence[Reading]:
    """Readings that agree on place and bindings become one, with the sum of their probabilities."""
    if len(readings) < 2:
        return readings
    groups: dict[Hashable, Reading] = {}
    for reading in readings:
        key = (reading.end, reading.cut, frozenset(reading.scope.values.items()))
        known = groups.get(key)
        if known is None:
            groups[key] = reading
            continue
        best, other = sorted((known, reading), key=lambda r: r.log_probability, reverse=True)
        gap = other.log_probability - best.log_probability
        groups[key] = best.moved(best.end, math.log1p(math.exp(gap)) if gap > -math.inf else 0.0, best.cut)
    return list(groups.values())


class Option(NamedTuple):
    """One alternative: its weight may depend on the scope (0 rules it out); `held_out` keeps it from training."""

    node: Node
    weight: float | Callable[[Scope], float] = 1.0
    held_out: bool = False

    def weight_in(self, scope: Scope) -> float:
        if self.held_out and scope.split == TRAIN:
            return 0.0
        return self.weight if isinstance(self.weight, int | float) else self.weight(scope)


class Choice(Node):
    """One of several alternatives."""

    def __init__(self, options: Sequence[Option]) -> None:
        self.options = tuple(options)

    def write(self, pen: Pen) -> None:
        weights = [option.weight_in(pen.scope) for option in self.options]
        total = sum(weights)
        chosen = bisect(list(accumulate(weights)), pen.random.random() * total)
        pen.log_probability += math.log(weights[chosen] / total)
        self.options[chosen].node.write(pen)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        weights = [option.weight_in(at.scope) for option in self.options]
        total = sum(weights)
        readings = []
        for option, weight in zip(self.options, weights, strict=True):
            if weight > 0 or page.lenient:
                readings.extend(option.node.read(page, at.moved(at.end, _log(weight, total))))
        return merged(readings)

    def variants(self) -> int:
        return sum(option.node.variants() for option in self.options)


def _log(weight: float, total: float) -> float:
    return math.log(weight / total) if weight > 0 else -math.inf


class Some(Node):
    """Between `least` and `most` of the items, none twice, in any order, with `separator` between them.

    How many is uniform; each next item is drawn by weight among those left. Items of weight 0 do not count. On a
    lenient page they do, and an item may come twice: a model may tell two homes of one person, and both are judged.
    """

    def __init__(self, items: Sequence[Option], least: int, most: int, separator: Node) -> None:
        self.items = tuple(items)
        self.least = least
        self.most = most
        self.separator = separator

    def _counts(self, weights: Sequence[float]) -> range:
        allowed = sum(weight > 0 for weight in weights)
        return range(min(self.least, allowed), min(self.most, allowed) + 1)

    def write(self, pen: Pen) -> None:
        weights = [item.weight_in(pen.scope) for item in self.items]
        counts = self._counts(weights)
        count = counts[int(pen.random.random() * len(counts))]
        pen.log_probability -= math.log(len(counts))
        for ordinal in range(count):
            if ordinal:
                self.separator.write(pen)
            total = sum(weights)
            chosen = bisect(list(accumulate(weights)), pen.random.random() * total)
            pen.log_probability += math.log(weights[chosen] / total)
            weights[chosen] = 0.0
            self.items[chosen].node.write(pen)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        weights = [item.weight_in(at.scope) for item in self.items]
        counts = self._counts([1.0] * len(weights) if page.lenient else weights)
        price = -math.log(len(counts))
        found: list[Reading] = [at.moved(at.end, price)] if 0 in counts else []
        # A state is a reading and the items used in it, whatever their order was.
        states: dict[frozenset[int], list[Reading]] = {frozenset(): [at.moved(at.end, price)]}
        for ordinal in range(counts[-1]):
            following: dict[frozenset[int], list[Reading]] = {}
            for used, readings in states.items():
                for old in readings:
                    for index, new in self._next(page, old, weights, used, ordinal):
                        following.setdefault(used | {index}, []).append(new)
            states = {used: list(merged(readings)) for used, readings in following.items()}
            ended = [reading for readings in states.values() for reading in readings]
            found.extend(reading for reading in ended if reading.cut or ordinal + 1 in counts)
            states = {used: [reading for reading in readings if not reading.cut] for used, readings in states.items()}
        return merged(found)

    def _next(
        self, page: Page, at: Reading, weights: Sequence[float], used: frozenset[int], ordinal: int
    ) -> Iterable[tuple[int, Reading]]:
        total = sum(weight for index, weight in enumerate(weights) if index not in used)
        starts = self.separator.read(page, at) if ordinal else (at,)
        for index, item in enumerate(self.items):
            lawful = index not in used and weights[index] > 0
            if not lawful and not page.lenient:
                continue
            price = _log(weights[index], total) if lawful else -math.inf
            for start in starts:
                for reading in (start,) if start.cut else item.node.read(page, start.moved(start.end, price)):
                    yield index, reading

    def variants(self) -> int:
        counts = [item.node.variants() for item in self.items]
        return sum(
            math.perm(len(counts), size) * math.prod(sorted(counts)[:size])
            for size in range(self.least, min(self.most, len(counts)) + 1)
        )


class Repeated(Node):
    """A part `least` to `most` times (uniform), with `separator` between."""

    def __init__(self, part: Node, least: int, most: int, separator: Node) -> None:
        self.part = part
        self.least = least
        self.most = most
        self.separator = separator

    def write(self, pen: Pen) -> None:
        spread = self.most - self.least + 1
        count = self.least + int(pen.random.random() * spread)
        pen.log_probability -= math.log(spread)
        for ordinal in range(count):
            if ordinal:
                self.separator.write(pen)
            self.part.write(pen)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        readings: Sequence[Reading] = (at.moved(at.end, -math.log(self.most - self.least + 1)),)
        found: list[Reading] = list(readings) if self.least == 0 else []
        for ordinal in range(self.most):
            if ordinal:
                readings = [new for old in readings for new in self.separator.read(page, old)]
            readings = merged([new for old in readings for new in ((old,) if old.cut else self.part.read(page, old))])
            found.extend(reading for reading in readings if reading.cut or ordinal + 1 >= self.least)
            readings = [reading for reading in readings if not reading.cut]
        return merged(found)

    def variants(self) -> int:
        return sum(self.part.variants() ** count for count in range(self.least, self.most + 1))


class Drawn(Node):
    """A hidden choice that later words show or that is summed over; keep its support small."""

    def __init__(self, name: str, distribution: Callable[[Scope], Distribution]) -> None:
        self.name = name
        self.distribution = distribution

    def write(self, pen: Pen) -> None:
        distribution = self.distribution(pen.scope)
        value = distribution.draw(pen.random)
        pen.log_probability += math.log(distribution.probability(value))
        pen.scope.values[self.name] = value

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        del page
        distribution = self.distribution(at.scope)
        return [
            at.moved(at.end, math.log(distribution.probability(value))).binding(self.name, value)
            for value in distribution.support()
        ]


class Bound(Node):
    """A binding that follows from the others, without words."""

    def __init__(self, name: str, value: Callable[[Scope], Hashable]) -> None:
        self.name = name
        self.value = value

    def write(self, pen: Pen) -> None:
        pen.scope.values[self.name] = self.value(pen.scope)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        del page
        return (at.binding(self.name, self.value(at.scope)),)


class Picked(Node):
    """A value drawn from a distribution and said at once; `concept` is what its words are annotated with."""

    def __init__(
        self,
        name: str,
        distribution: Callable[[Scope], Distribution],
        names: Callable[[Scope], Names],
        concept: Callable[[Any], str] | None,
    ) -> None:
        self.name = name
        self.distribution = distribution
        self.names = names
        self.concept = concept

    def write(self, pen: Pen) -> None:
        distribution = self.distribution(pen.scope)
        value = distribution.draw(pen.random)
        pen.log_probability += math.log(distribution.probability(value))
        pen.scope.values[self.name] = value
        names, start = self.names(pen.scope), pen.length
        pen.put(names.say(value))
        if self.concept:
            pen.marks.append(Span(*names.core(value, start), self.concept(value)))

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        names = self.names(at.scope)
        distribution = self.distribution(at.scope)
        readings = []
        for value, end in names.heard(page.text, at.end):
            probability = distribution.probability(value)
            if probability == 0 and not page.lenient:
                continue
            marks = (Span(*names.core(value, at.end), self.concept(value)),) if self.concept else ()
            price = math.log(probability) if probability else -math.inf
            readings.append(at.moved(end, price).binding(self.name, value).noting(marks))
        if not readings and page.partial and names.begun(page.text, at.end):
            readings.append(at.moved(len(page.text), cut=True))
        return readings


class Recalled(Node):
    """A value already bound to `of`, said again and annotated."""

    def __init__(self, of: str, names: Names, concept: Callable[[Any], str]) -> None:
        self.of = of
        self.names = names
        self.concept = concept

    def _mark(self, start: int, value: Any) -> Span:
        return Span(*self.names.core(value, start), self.concept(value))

    def write(self, pen: Pen) -> None:
        value, start = pen.scope[self.of], pen.length
        pen.put(self.names.say(value))
        pen.marks.append(self._mark(start, value))

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        value = at.scope[self.of]
        return [
            reading if reading.cut else reading.noting((self._mark(at.end, value),))
            for reading in matched(self.names.say(value), page, at)
        ]


class Told(Node):
    """A value that the text claims of a subject: the world's own, unless `distribution` says otherwise (a liar's).

    `truth(scope)` is the world's value, `subject(scope)` and `concept(value)` concept ids. On a lenient page any value
    that has a name is accepted, and the claim is judged. `misnamed(scope)` are names that would fit if a false claim
    were true (a profession in the feminine, of a man), with that claim; a lenient page accepts them and notes it.
    """

    def __init__(
        self,
        attribute: str,
        subject: Callable[[Scope], str],
        truth: Callable[[Scope], Hashable],
        names: Callable[[Scope], Names],
        concept: Callable[[Any], str],
        *,
        name: str | None = None,
        denied: bool = False,
        distribution: Callable[[Scope], Distribution] | None = None,
        marked: bool = True,
        misnamed: Callable[[Scope], tuple[Names, Claim]] | None = None,
    ) -> None:
        self.attribute = attribute
        self.subject = subject
        self.truth = truth
        self.names = names
        self.concept = concept
        self.name = name or attribute
        self.denied = denied
        self.distribution = distribution
        self.marked = marked
        self.misnamed = misnamed

    def _claim(self, scope: Scope, value: Any) -> Claim:
        true = (value == self.truth(scope)) != self.denied
        return Claim(self.subject(scope), self.attribute, self.concept(value), self.denied, true)

    def _marks(self, names: Names, start: int, value: Any) -> tuple[Span, ...]:
        if not self.marked:
            return ()
        begin, end = names.core(value, start)
        return (Span(begin, end, self.concept(value)), Span(begin, end, f"attribute.{self.attribute}"))

    def write(self, pen: Pen) -> None:
        value: Any = self.truth(pen.scope)
        if self.distribution:
            distribution = self.distribution(pen.scope)
            value = distribution.draw(pen.random)
            pen.log_probability += math.log(distribution.probability(value))
        names, start = self.names(pen.scope), pen.length
        pen.put(names.say(value))
        pen.marks.extend(self._marks(names, start, value))
        pen.claims.append(self._claim(pen.scope, value))
        pen.scope.values[self.name] = value

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        names = self.names(at.scope)
        distribution = self.distribution(at.scope) if self.distribution else None
        truth = self.truth(at.scope)
        readings = []
        for value, end in names.heard(page.text, at.end):
            probability = distribution.probability(value) if distribution else float(value == truth)
            if probability == 0 and not page.lenient:
                continue
            price = math.log(probability) if probability else -math.inf
            reading = at.moved(end, price).noting(self._marks(names, at.end, value), (self._claim(at.scope, value),))
            readings.append(reading.binding(self.name, value))
        if page.lenient and self.misnamed:
            readings.extend(self._misread(*self.misnamed(at.scope), page, at, {reading.end for reading in readings}))
        if not readings and page.partial and names.begun(page.text, at.end):
            readings.append(at.moved(len(page.text), cut=True))
        return readings

    def _misread(self, names: Names, slip: Claim, page: Page, at: Reading, known: Container[int]) -> Iterable[Reading]:
        """Values under names that do not fit, unless the same words can be read as they should be."""
        for value, end in names.heard(page.text, at.end):
            if end not in known:
                claims = (self._claim(at.scope, value), slip)
                reading = at.moved(end, -math.inf).noting(self._marks(names, at.end, value), claims)
                yield reading.binding(self.name, value)


class Implied(Node):
    """A part that claims something by being there at all. Only a false claim is noted: the others go without saying."""

    def __init__(self, claim: Callable[[Scope], Claim], part: Node) -> None:
        self._claim = claim
        self.part = part

    def write(self, pen: Pen) -> None:
        self.part.write(pen)

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        claim = self._claim(at.scope)
        readings = self.part.read(page, at)
        return readings if claim.true else [reading.noting(claims=(claim,)) for reading in readings]

    def variants(self) -> int:
        return self.part.variants()


class Marked(Node):
    """A part whose words are annotated with concepts; these may depend on what is bound at the part's end."""

    def __init__(self, concepts: str | Callable[[Scope], Sequence[str]], part: Node) -> None:
        self._concepts = (lambda scope: (concepts,)) if isinstance(concepts, str) else concepts
        self.part = part

    def write(self, pen: Pen) -> None:
        start = pen.length
        self.part.write(pen)
        pen.marks.extend(Span(start, pen.length, concept) for concept in self._concepts(pen.scope))

    def read(self, page: Page, at: Reading) -> Sequence[Reading]:
        return [
            # A part that was cut may lack the bindings on which its concepts depend.
            reading
            if reading.cut
            else reading.noting(tuple(Span(at.end, reading.end, concept) for concept in self._concepts(reading.scope)))
            for reading in self.part.read(page, at)
        ]

    def variants(self) -> int:
        return self.part.variants()
