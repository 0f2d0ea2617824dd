"""The page on what readers wrote down: every feature that has a label, a remark, a vote or a bookmark."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tymbal.atlas import FeatureRow
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.notes import LONGEST, FeatureNotes
from tymbal.serve.page import Asked

SHOWN = {"all": "all", "bookmarks": "bookmarks", "labels": "labels", "votes": "votes", "remarks": "remarks"}


class Noted(NamedTuple):
    """A feature with what holds of it."""

    row: FeatureRow
    notes: FeatureNotes


def fill_notes(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """Features with notes, bookmarked ones first."""
    show = asked.query.get("show", "all")
    show = show if show in SHOWN else "all"
    held = {
        feature: notes
        for feature, notes in exhibit.notes.all().items()
        if feature < len(exhibit.atlas) and _holds(notes, show)
    }
    rows = exhibit.atlas.rows(held)
    noted = [Noted(rows[feature], notes) for feature, notes in held.items()]
    noted.sort(key=lambda one: (not one.notes.bookmarked, one.row.feature))
    return {"noted": noted, "show": show, "shown": SHOWN, "where": exhibit.notes.path, "longest": LONGEST}


def _holds(notes: FeatureNotes, show: str) -> bool:
    has: Mapping[str, bool] = {
        "bookmarks": notes.bookmarked,
        "labels": bool(notes.label),
        "votes": notes.up + notes.down > 0,
        "remarks": bool(notes.remarks),
    }
    return any(has.values()) if show == "all" else has[show]
