"""The nodes that order a text: words, sequences, choices, repetitions."""

import math
from abc import ABC, abstractmethod
from bisect import bisect
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from tymbal.corpora.world.grammar.derivation import TRAIN, Page, Pen, Reading, Scope

HELD_OUT_FROM = 5
"""A choice of at least so many alternatives keeps its last one out of the training split."""


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
