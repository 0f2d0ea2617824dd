"""A safety board and analyses of hostile text, as a finished study holds them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.safety import STEPS


def _number(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


def _finding(value: float, unit: str = "share of features") -> dict[str, Any]:
    return {**_number(value), "unit": unit, "better": "higher", "baselines": {"<b>moved</b>": _number(0.1)}}


def ladder(concept: str, sentence: str, level: int, texts: Sequence[str]) -> dict[str, Any]:
    """A ladder of which so many steps hold."""
    found = {
        **_finding(0.9, "AUROC by text"),
        "baselines": {"shuffled labels": _number(0.5), "random directions": _number(0.7)},
    }
    doses = [{"dose": dose, **_number(dose / 3)} for dose in (-1.0, -0.5, 0.5, 1.0)]
    details = {"probe": _number(0.95), "feature": _number(0.9), "doses": doses}
    steps = [
        {
            "name": name,
            "holds": place < level if level or not place else None,
            "why": "" if level or not place else "the concept was not found",
            "finding": found if level or not place else None,
            "p_value": 0.01,
            "sample": {"texts": 40},
            "details": details if name == "causal" else {key: details[key] for key in ("probe", "feature")},
        }
        for place, name in enumerate(STEPS)
    ]
    return {
        "concept": concept,
        "sentence": sentence,
        "feature": 3,
        "label": concept,
        "level": level,
        "stands": STEPS[level - 1] if level else "not found",
        "steps": steps,
        "shown": {"with": list(texts), "without": list(texts)},
    }


def analyses(texts: Sequence[str], other: Path) -> dict[str, dict[str, Any]]:
    """One of each kind, with these texts for names; `other` is the study that was compared with."""
    one, two, three = texts[:3]
    share = _finding(0.4)
    made: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[str], list[Any]]] = {
        "universality": (
            "universality",
            {"correlation with the counterpart": share, "found again (r >= 0.5)": share},
            {"tokens": 100, "features": 9, "too rare": 1},
            ["feature", "name", "counterpart", "its name", "correlation"],
            [[number, one, number + 1, two, 1 - number / 10] for number in range(9)],
        ),
        "splitting": (
            "splitting",
            {"small features with at least two children": share},
            {"tokens": 100, "parents": 9, "children": 12},
            ["parent", "name", "covered", "children"],
            [[2, one, 0.7, [[5, two, 0.8], [6, three, 0.6]]]],
        ),
        "automata": (
            "automata",
            {"how often an edge is taken": share},
            {"tokens": 100, "edges": 9, "edges in moved text": 0, "chains of three and more": 1},
            ["chain"],
            [[[[1, one, 1.0], [2, two, 0.5], [3, three, 0.4]]], [[[9999, one, 1.0]]]],
        ),
        "languages": (
            "across-languages",
            {"concepts with one feature in every language": share},
            {"concepts": 9, "languages": 2, "with a feature": 5},
            ["concept", "feature", "name", "F1", "recall: de, <i>en</i>", "best token", "its F1", "its recall"],
            [[one, 4, two, 0.8, [0.9, None], three, 0.3, [0.0, 1.0]]],
        ),
        "geometry-month": (
            "month",
            {"rank correlation": share},
            {"concepts": 3},
            ["concept", "feature", "across", "up", "true place"],
            [[f"month.{text}", 4, place, -place, None] for place, text in enumerate(texts[:3])],
        ),
        "of-another-version": ("universality", {one: share}, {two: 3}, ["what"], [[three], [1.5]]),
    }
    return {
        name: {
            "name": kind,
            "question": f"What of {one}?",
            "findings": findings,
            "sample": sample,
            "columns": columns,
            "rows": rows,
            "about": {"other": {"study": str(other)}},
        }
        for name, (kind, findings, sample, columns, rows) in made.items()
    }


def write_findings(folder: Path, texts: Sequence[str]) -> None:
    """Put a board, analyses and passages into a study's folder."""
    ladders = [ladder(texts[0], texts[1], 4, texts[:4]), ladder("absent", texts[2], 0, texts[:1])]
    artifact.write_json(folder / "safety" / "board.json", {"ladders": ladders})
    artifact.seal(folder / "safety", "safety board", {}, ["board.json"])
    for name, value in analyses(texts, folder).items():
        place = folder / "analyses" / name
        place.mkdir(parents=True)
        (place / "analysis.json").write_text(json.dumps(value))
    lit = {"language": texts[0], "tokens": list(texts), "activations": [float(place) for place in range(len(texts))]}
    silent = {"language": "de", "tokens": ["ja"], "activations": [0.0]}
    passages = [{"concept": texts[1], "feature": 4, "f1": 0.8, "best token": texts[2], "passages": [lit, silent]}]
    (folder / "analyses" / "languages" / "passages.json").write_text(json.dumps(passages))
