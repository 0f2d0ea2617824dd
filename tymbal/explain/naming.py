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
    """By unit: for how many of the concepts the explanation of their feature names them, and those that it does not.

    It names a concept where it says that the feature fires on it, or that it marks it; how many of the former there are
    stands apart, under `fires_on`.
    """
    found: dict[str, Any] = {}
    by_unit: dict[str, list[Told]] = {}
    for one in told:
        if one.feature in explanations:
            by_unit.setdefault(one.unit, []).append(one)
    for unit, some in by_unit.items():
        rows = [(one, explanations[one.feature]) for one in some]
        fires = [names_concept(row["predicate"], one.concept) for one, row in rows]
        named = [on or row["concept"] == one.concept for on, (one, row) in zip(fires, rows, strict=True)]
        missed = [pair for pair, right in zip(rows, named, strict=True) if not right]
        found[unit] = {
            "concepts": len(some),
            "named": sum(named),
            "fires_on": sum(fires),
            **share(sum(named), len(some)),
            "missed": [{"concept": one.concept, "feature": one.feature, "text": row["text"]} for one, row in missed],
        }
    return found


def share(part: int, whole: int) -> dict[str, float]:
    """A share with its 95 % interval.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    interval = binomtest(part, whole).proportion_ci(method="wilson")
    return {"value": part / whole, "low": float(interval.low), "high": float(interval.high)}
