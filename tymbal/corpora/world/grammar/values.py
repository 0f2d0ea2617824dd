"""Values that a text may hold: how probable each is, and how it is said."""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Any


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
