"""What judges said of explanations (`tymbal explain --judge`): each feature's lay sentence, and its scores."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tymbal import artifact
from tymbal.errors import ArtifactError
from tymbal.explain import Explanations, open_explanations

JUDGED = "judged"
"""the folder of a study where `tymbal explain` puts explanations with their judges' scores, one folder a pair"""


class Line(NamedTuple):
    """One number of one scorer."""

    scorer: str
    measure: str
    value: float | None
    chance: float | None
    median: float | None
    """of all features judged"""
    failures: int
    """questions that were not answered in a way that can be read"""


class Judged(NamedTuple):
    """One feature, as one explainer put it and one judge scored it."""

    name: str
    explainer: str
    text: str
    lay: str
    """for a reader who knows nothing of models; the text where the explainer gave none"""
    lines: list[Line]


def judged_scores(folder: Path) -> dict[int, list[Judged]]:
    """By feature, from every finished folder; empty where nothing was judged."""
    found: dict[int, list[Judged]] = {}
    for place in sorted((folder / JUDGED).glob("*/")):
        if not artifact.is_sealed(place):
            continue
        try:
            made = open_explanations(place)
        except ArtifactError:
            continue  # damaged: the command that made it says so
        for feature, one in _of(made).items():
            found.setdefault(feature, []).append(one)
    return found


def _of(made: Explanations) -> dict[int, Judged]:
    summary: Mapping[str, Any] = made.summary.get("scorers", {})
    tables = {scorer: made.by_feature(scorer) for scorer in summary}
    explainer = made.config.get("explainer", {})
    speaks = str(explainer.get("name") or explainer.get("model") or "") if isinstance(explainer, Mapping) else ""
    return {
        feature: Judged(
            made.folder.name,
            speaks or made.folder.name,
            str(row["text"]),
            str(row.get("lay") or row["text"]),
            [
                line
                for scorer, rows in tables.items()
                if feature in rows
                for line in _lines(scorer, rows[feature], summary[scorer])
            ],
        )
        for feature, row in made.by_feature().items()
    }


def _lines(scorer: str, row: Mapping[str, Any], told: Mapping[str, Any]) -> list[Line]:
    lines = []
    for measure in told["measures"]:
        median = told["medians"][measure].get("features") or {}
        lines.append(
            Line(
                scorer,
                measure.replace("_", " "),
                row.get(measure),
                told["chance"].get(measure),
                median.get("value"),
                int(row.get("failures") or 0),
            )
        )
    return lines
