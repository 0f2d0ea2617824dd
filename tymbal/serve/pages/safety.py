"""The safety board's page: for each concept the evidence ladder, in plain words on top and in numbers beneath."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.safety import STEPS
from tymbal.safety.words import ASKED, said, stands
from tymbal.serve import chart
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked

UNITS_OF_ONE = ("AUROC by text", "share of the texts on which it fires")
"""findings that lie between 0 and 1, and so can be drawn on a line"""


class Rung(NamedTuple):
    """One step, ready to be looked at."""

    name: str
    asked: str
    said: str
    holds: bool | None
    finding: Mapping[str, Any] | None
    p_value: float | None
    sample: Mapping[str, int]
    picture: Markup | None
    doses: Markup | None


def has_board(exhibit: Exhibit) -> bool:
    """Whether a board was made for this study."""
    return bool(exhibit.board)


def fill_safety(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """All ladders, those that reach highest first."""
    del asked
    ladders = sorted(exhibit.board.get("ladders", []), key=lambda ladder: -ladder["level"])
    return {
        "steps": STEPS,
        "asked": ASKED,
        "ladders": [
            ladder | {"stands": stands(ladder), "rungs": [_rung(step) for step in ladder["steps"]]}
            for ladder in ladders
        ],
        "reached": [sum(ladder["level"] > place for ladder in ladders) for place in range(len(STEPS))],
        "features": len(exhibit.atlas),
    }


def _rung(step: Mapping[str, Any]) -> Rung:
    finding = step.get("finding")
    doses = step.get("details", {}).get("doses")
    return Rung(
        name=step["name"],
        asked=ASKED[step["name"]],
        said=said(step),
        holds=step["holds"],
        finding=finding,
        p_value=step.get("p_value"),
        sample=step.get("sample", {}),
        picture=_line(finding) if finding and finding["unit"] in UNITS_OF_ONE else None,
        doses=_doses(doses) if doses else None,
    )


def _line(finding: Mapping[str, Any]) -> Markup:
    baselines = [one["value"] for one in finding["baselines"].values()]
    describe = f"{finding['value']:.2f}, interval {finding['low']:.2f} to {finding['high']:.2f}, on a line from 0 to 1"
    return chart.interval(finding["value"], finding["low"], finding["high"], baselines, describe=describe)


def _doses(doses: list[Mapping[str, Any]]) -> Markup:
    points = [
        chart.Point(f"{one['dose']:g}".replace("-", "−"), one["value"], one["low"], one["high"], ()) for one in doses
    ]
    return chart.changes(
        points,
        describe="How much likelier texts with it become than texts without, by how far the feature is clamped",
        axis="clamped to, in its strongest activation",
    )
