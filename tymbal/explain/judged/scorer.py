"""The abstract scorer: explanations and `score` passages in, measures with intervals out.

Each scorer is one final class in a file of its own. All draw their windows from `score` passages, which took no part in
explaining, and count what the judge did not answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from tymbal.dictionaries import Number
from tymbal.explain.chat import Usage
from tymbal.explain.windows import WindowReader


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """What judges are shown of a feature."""

    active: int = 12
    """windows in which the feature is active, drawn evenly from the intervals of its activations"""
    silent: int = 12
    """windows in which it is silent, drawn anywhere"""
    hard: int = 8
    """windows in which it is silent though a token stands there on which it fires elsewhere"""
    together: int = 5
    """windows asked about in one question"""
    before: int = 16
    """tokens of a window before its centre"""
    after: int = 8
    """tokens after it"""
    draws: int = 500
    """resamples of the passages for each interval"""
    seed: int = 0
    """of what is drawn"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, value in asdict(self).items():
            least = 1 if name in ("active", "silent", "together", "draws") else 0
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")


class Case(NamedTuple):
    """One feature and what is said of it."""

    feature: int
    words: str
    """the explanation"""
    windows: WindowReader
    """of the `score` passages"""
    fires_on: Sequence[str]
    """tokens on which the feature is active in the `explain` passages"""
    highest: float
    """its highest activation there"""


@dataclass(frozen=True)
class Verdict:
    """How well an explanation held in one scorer's eyes."""

    feature: int
    values: Mapping[str, Number | None]
    asked: int = 0
    """questions"""
    failures: int = 0
    """attempts that gave no usable answer"""
    reason: str = ""
    """why the last of them failed, or why there are no values"""

    def to_row(self) -> dict[str, Any]:
        """One row of the scorer's table."""
        row: dict[str, Any] = {"feature": self.feature}
        for name, number in self.values.items():
            ends = {"": None, "_low": None, "_high": None} if number is None else _ends(number)
            row |= {name + end: value for end, value in ends.items()}
        return row | {"asked": self.asked, "failures": self.failures, "reason": self.reason}


def _ends(number: Number) -> dict[str, float]:
    return {"": number.value, "_low": number.low, "_high": number.high}


class Scorer(ABC):
    """One way to score explanations."""

    name: ClassVar[str]
    """its table in the folder, and its name on the command line"""
    measures: ClassVar[Mapping[str, float | None]]
    """what it measures, the main one first, and what it comes to by chance; None where chance has no number"""
    config: ScoreConfig
    usage: Usage
    """what was asked of its judge"""
    reads_words: ClassVar[bool] = True
    """False for a scorer of features themselves, to which explanations make no difference"""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All on which the verdicts depend, as JSON values."""

    @abstractmethod
    def score(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        """One verdict a case, in their order; raises `EndpointError` when the judge is out of order."""

    def schema(self) -> pa.Schema:
        """The columns of its table."""
        columns = [(name + end, pa.float64()) for name in self.measures for end in ("", "_low", "_high")]
        counts = [("asked", pa.int32()), ("failures", pa.int32()), ("reason", pa.string())]
        return pa.schema([("feature", pa.int32()), *columns, *counts])

    def nothing(self, case: Case, reason: str, *, asked: int = 0, failures: int = 0) -> Verdict:
        """No values, and why."""
        return Verdict(case.feature, dict.fromkeys(self.measures), asked, failures, reason)
