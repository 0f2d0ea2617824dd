"""Descriptions that run: each says of every token of a text whether it holds, and reads as a phrase.

    ["token", " der"]                          the token “der”
    ["token", " der", " die"]                  one of the tokens “der”, “die”
    ["and", ["token", " der"], ["after", "lives in"]]     the token “der” after “lives in”

An expression is JSON: a kind with one value or several, or two of these joined by "and". Kinds are listed in
`tymbal.explain.kinds`.
"""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from tymbal.explain.kinds import KINDS, Kind, Words
from tymbal.explain.text import Text
from tymbal.explain.wording import MIXED

AND = "and"


class Predicate(ABC):
    """A description of tokens that can be carried out."""

    @abstractmethod
    def rows(self, text: Text) -> Int[ndarray, " row"]:
        """The rows of a text for which it holds, rising."""

    @abstractmethod
    def to_json(self) -> list[Any]:
        """As an expression."""

    @abstractmethod
    def words(self) -> str:
        """As a phrase."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The name of its kind, or `both`."""

    @property
    @abstractmethod
    def complexity(self) -> int:
        """How many values it names."""

    def mask(self, text: Text) -> Bool[ndarray, " row"]:
        """For each row whether it holds."""
        holds = np.zeros(len(text), dtype=bool)
        holds[self.rows(text)] = True
        return holds

    def expression(self) -> str:
        """As a string that `parse_predicate` reads."""
        return json.dumps(self.to_json(), ensure_ascii=False)


@final
@dataclass(frozen=True)
class Simple(Predicate):
    """One of some values of one kind."""

    of: Kind
    values: tuple[str, ...]

    def rows(self, text: Text) -> Int[ndarray, " row"]:
        """Rows with one of the values."""
        column = text.made(self.of.name, self.of.column)
        found = [column.rows_of(value) for value in self.values]
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))

    def to_json(self) -> list[Any]:
        """The kind's name, then the values."""
        return [self.of.name, *self.values]

    def words(self) -> str:
        """The kind's own words."""
        return _phrase(self.of.words(self.values), None)

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.of.name

    @property
    def complexity(self) -> int:
        """One a value."""
        return len(self.values)


@final
@dataclass(frozen=True)
class Both(Predicate):
    """Two descriptions that hold at once."""

    first: Simple
    second: Simple

    def rows(self, text: Text) -> Int[ndarray, " row"]:
        """Rows of both."""
        return np.intersect1d(self.first.rows(text), self.second.rows(text), assume_unique=True)

    def to_json(self) -> list[Any]:
        """`and` before the two."""
        return [AND, self.first.to_json(), self.second.to_json()]

    def words(self) -> str:
        """The one that names the token, then what the other says of it."""
        one, other = sorted((self.first, self.second), key=lambda part: part.of.order)
        return _phrase(one.of.words(one.values), other.of.words(other.values))

    @property
    def kind(self) -> str:
        """`both`, whatever the two are."""
        return "both"

    @property
    def complexity(self) -> int:
        """Of the two together."""
        return self.first.complexity + self.second.complexity


def _phrase(one: Words, other: Words | None) -> str:
    head = one.noun or f"a token {one.modifier}"
    if other is None:
        return head
    if head.startswith(MIXED):
        return f"{head}, each {other.modifier}"
    if " that " in head and other.modifier.startswith("that "):
        return f"{head}, and {other.modifier}"
    return f"{head} {other.modifier}"


def parse_predicate(expression: str) -> Predicate:
    """Read what `Predicate.expression` wrote; raises `ValueError` for anything else."""
    try:
        return _parsed(json.loads(expression))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{expression!r} is no predicate: {error}") from error


def _parsed(value: Any) -> Predicate:
    if isinstance(value, list) and len(value) == 3 and value[0] == AND:
        first, second = _parsed(value[1]), _parsed(value[2])
        if isinstance(first, Simple) and isinstance(second, Simple):
            return Both(first, second)
    elif isinstance(value, list) and len(value) > 1 and all(isinstance(part, str) for part in value):
        if value[0] in KINDS:
            return Simple(KINDS[value[0]], tuple(value[1:]))
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {value[0]!r}")
    raise ValueError(f"{value!r} is no predicate: a kind and its values, or two of these joined by {AND!r}")
