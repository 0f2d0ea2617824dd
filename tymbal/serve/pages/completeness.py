"""The page on completeness: what share of the annotated concepts has a feature, against how often text has them."""

from collections.abc import Mapping
from typing import Any

from tymbal.atlas import CompletenessBin, ConceptRow, completeness_bins
from tymbal.serve import chart
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked

COUNTED = {"by_mention": "by mention", "by_token": "by token"}
BARS = {"0.5": "fairly told (F1 of 0.5 or more)", "0.8": "well told (F1 of 0.8 or more)"}
MOST_MISSING = 40


def concept_rows(evaluation: Mapping[str, Any], counted: str) -> list[ConceptRow]:
    """The concepts of an evaluation, recall counted by mention or by token; empty where there are none."""
    concepts = evaluation.get("concepts")
    match = concepts.get(counted) if isinstance(concepts, Mapping) else None
    rows = match.get("concepts", []) if isinstance(match, Mapping) else []
    return [
        ConceptRow(
            str(row["concept"]),
            int(row["count"]),
            int(row["feature"]),
            float(row["f1"]["value"]),
            float(row["random"]),
            float(row["shifted"]),
        )
        for row in rows
        if "count" in row
    ]


def has_concepts(exhibit: Exhibit) -> bool:
    """Whether the corpus is annotated and its concepts were measured."""
    return bool(concept_rows(exhibit.evaluation, "by_mention"))


def bins_of(evaluation: Mapping[str, Any], query: Mapping[str, str]) -> list[CompletenessBin]:
    """The bins in the way that an address asks for."""
    counted, bar = _asked(query)
    return completeness_bins(concept_rows(evaluation, counted), least_f1=float(bar))


def _asked(query: Mapping[str, str]) -> tuple[str, str]:
    counted, bar = query.get("counted", ""), query.get("bar", "")
    return counted if counted in COUNTED else "by_mention", bar if bar in BARS else "0.5"


def fill_completeness(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The shares, their picture, and the commonest concepts without a feature."""
    counted, bar = _asked(asked.query)
    rows = concept_rows(exhibit.evaluation, counted)
    bins = bins_of(exhibit.evaluation, asked.query)
    missing = sorted((row for row in rows if row.f1 < float(bar)), key=lambda row: (-row.count, row.concept))
    return {
        "counted": counted,
        "bar": bar,
        "ways": COUNTED,
        "bars": BARS,
        "bins": bins,
        "picture": _picture(bins),
        "rows": len(rows),
        "told": len(rows) - len(missing),
        "missing": missing[:MOST_MISSING],
        "missing_others": max(0, len(missing) - MOST_MISSING),
        "too_rare": exhibit.evaluation.get("concepts", {}).get("too_rare"),
        "features": len(exhibit.atlas),
        "kinds": _by_kind(rows, float(bar)),
    }


def _picture(bins: list[CompletenessBin]) -> Any:
    points = [
        chart.Point(f"{one.least:,}", one.share, *one.interval, (one.random / one.concepts, one.shifted / one.concepts))
        for one in bins
    ]
    return chart.shares(points, describe="Share of concepts with a feature, by how often text has them")


def _by_kind(rows: list[ConceptRow], bar: float) -> list[tuple[str, int, int]]:
    """How many concepts of each kind (the part of the name before the first dot) have a feature, and of how many."""
    kinds: dict[str, list[bool]] = {}
    for row in rows:
        kinds.setdefault(row.concept.split(".")[0], []).append(row.f1 >= bar)
    return [(kind, sum(found), len(found)) for kind, found in sorted(kinds.items(), key=lambda item: -len(item[1]))]
