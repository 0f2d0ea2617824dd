"""Completeness: the share of concepts that have a feature, against how often text has them.

Templeton et al. 2024, "Scaling Monosemanticity" (section on feature completeness), saw that a dictionary has a feature
for a concept once the concept is frequent enough for the dictionary's size. Here concepts are those annotated in a
corpus, and a concept has a feature where the F1 of its best one reaches a bar. What a random dictionary of the same
shape and labels moved along the text reach by the same search stands beside.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy.stats import binomtest


class ConceptRow(NamedTuple):
    """A concept and how well its best feature tells it, as an evaluation of a dictionary has it."""

    concept: str
    count: int
    """tokens or mentions in the text that was measured on"""
    feature: int
    f1: float
    random: float
    """F1 of a random dictionary's best feature"""
    shifted: float
    """F1 of the best feature for labels moved along the text"""


@dataclass(frozen=True, kw_only=True)
class CompletenessBin:
    """Concepts of like frequency."""

    least: int
    """mentions or tokens, inclusive"""
    most: int
    concepts: int
    with_feature: int
    random: int
    """concepts for which the random dictionary has a feature"""
    shifted: int

    @property
    def share(self) -> float:
        """Of the concepts that have a feature."""
        return self.with_feature / self.concepts

    @property
    def interval(self) -> tuple[float, float]:
        """Of that share, 95 %, by Wilson's score (1927)."""
        found = binomtest(self.with_feature, self.concepts).proportion_ci(method="wilson")
        return float(found.low), float(found.high)


def completeness_bins(rows: Sequence[ConceptRow], *, least_f1: float, per_decade: int = 2) -> list[CompletenessBin]:
    """Concepts binned by frequency, on a logarithmic scale; empty bins are left out.

    A concept has a feature where its best one has an F1 of at least `least_f1`.
    """
    bins: dict[int, list[ConceptRow]] = {}
    for row in rows:
        if row.count > 0:
            bins.setdefault(_bin(row.count, per_decade), []).append(row)
    return [
        CompletenessBin(
            least=_edge(number, per_decade),
            most=_edge(number + 1, per_decade) - 1,
            concepts=len(inside),
            with_feature=sum(row.f1 >= least_f1 for row in inside),
            random=sum(row.random >= least_f1 for row in inside),
            shifted=sum(row.shifted >= least_f1 for row in inside),
        )
        for number, inside in sorted(bins.items())
    ]


def _edge(number: int, per_decade: int) -> int:
    """The least whole count of a bin."""
    return math.ceil(10 ** (number / per_decade) - 1e-9)


def _bin(count: int, per_decade: int) -> int:
    """The bin whose edges, whole numbers, hold the count."""
    number = math.floor(per_decade * math.log10(count))
    while _edge(number + 1, per_decade) <= count:
        number += 1
    while _edge(number, per_decade) > count:
        number -= 1
    return number
