"""The nodes that say values and claim things of the world, with annotations."""

import math
from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from typing import Any

from tymbal.corpora.documents import Span
from tymbal.corpora.world.grammar.derivation import Claim, Page, Pen, Reading, Scope
from tymbal.corpora.world.grammar.structure import Node, matched
from tymbal.corpora.world.grammar.values import Distribution, Names


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
