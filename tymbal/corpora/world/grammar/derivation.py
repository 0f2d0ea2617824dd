"""What a derivation knows while a text is written or read: bindings, claims, annotations, probability."""

from collections.abc import Hashable
from random import Random
from typing import Any, NamedTuple

from tymbal.corpora.documents import Span

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
