"""Whether explanations name the concepts that features are known to tell."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scipy.stats import binomtest

CONCEPT_KINDS = ("concept", "concept beginning", "concept end")


class Told(NamedTuple):
    """A concept that a feature tells well, as measured on the annotations."""

    concept: str
    feature: int
    unit: str
    """what recall counts: `mention` or `token`"""
    f1: float


def names_concept(predicate: str | None, concept: str) -> bool:
    """Whether an expression, or one side of it, is this concept and no other; its first or last token counts too."""
    if predicate is None:
        return False
    expression = json.loads(predicate)
    parts = expression[1:] if expression[0] == "and" else [expression]
    return any(part[0] in CONCEPT_KINDS and part[1:] == [concept] for part in parts)


def naming(told: Iterable[Told], explanations: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """By unit: how many of the concepts are named by the explanation of their feature, and those that are not."""
    found: dict[str, Any] = {}
    by_unit: dict[str, list[Told]] = {}
    for one in told:
        if one.feature in explanations:
            by_unit.setdefault(one.unit, []).append(one)
    for unit, some in by_unit.items():
        missed = [one for one in some if not names_concept(explanations[one.feature]["predicate"], one.concept)]
        found[unit] = {
            "concepts": len(some),
            "named": len(some) - len(missed),
            **share(len(some) - len(missed), len(some)),
            "missed": [
                {"concept": one.concept, "feature": one.feature, "text": explanations[one.feature]["text"]}
                for one in missed
            ],
        }
    return found


def share(part: int, whole: int) -> dict[str, float]:
    """A share with its 95 % interval.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    interval = binomtest(part, whole).proportion_ci(method="wilson")
    return {"value": part / whole, "low": float(interval.low), "high": float(interval.high)}
