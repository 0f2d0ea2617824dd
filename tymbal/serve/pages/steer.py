"""The steer lab's page: prompt, moves and strengths; `steer.js` fills its three columns from `/api/steer`.

Its whole state stands in the address, so that an experiment can be shown to somebody else.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tymbal.atlas import FeatureRow
from tymbal.errors import TymbalError
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.lab import COLUMNS, MOST_TOKENS, VECTORS, Experiment, Move, Way, read_moves, saved_vectors
from tymbal.serve.page import Asked
from tymbal.serve.pages.address import whole
from tymbal.serve.pages.prompt import suggested

USUAL = 1.0
"""how many times its strongest activation a feature is clamped to, where nothing is said"""
FURTHEST = 10
"""the end of the slider, in a feature's strongest activation or a vector's own length"""
WORDS = {
    "plain": ("As it is", "the model without any edit"),
    "steered": ("Steered", "with the moves above"),
    "control": ("Random control", "moved as far at each token, in a random direction"),
}


class Shown(NamedTuple):
    """A move as a line of the form."""

    move: Move
    row: FeatureRow | None
    unit: float
    """what one step of the slider's scale stands for: the feature's strongest activation, or 1"""


def fill_steer(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The form as the address has it, and the three empty columns."""
    moves, wrong = _moves(asked.query)
    feature = whole(asked.query.get("feature", ""))
    features = len(exhibit.atlas)
    known = [move for move in moves if move.way is Way.VECTOR or move.feature < features]
    wanted = {move.feature for move in known if move.way is not Way.VECTOR}
    rows = exhibit.atlas.rows(wanted | ({feature} if feature is not None and feature < features else set()))
    if feature in rows and feature not in wanted:
        known.append(Move(way=Way.CLAMP, feature=feature, strength=round(USUAL * (rows[feature].maximum or 1.0), 2)))
    assert exhibit.folder is not None
    return {
        "moves": [_shown(move, rows) for move in known],
        "wrong": wrong,
        "query": dict(asked.query),
        "prompt": asked.query.get("prompt", opening(exhibit)),
        "columns": [(name, *WORDS[name]) for name in COLUMNS],
        "most_tokens": MOST_TOKENS,
        "furthest": FURTHEST,
        "features": features,
        "vectors": [(name, vector.site) for name, some in saved_vectors(exhibit.folder).items() for vector in some],
        "folder": VECTORS,
        "strongest": exhibit.atlas.features(order="maximum", descending=True, limit=1)[0],
    }


def opening(exhibit: Exhibit) -> str:
    """A prompt to begin with: how a text of the world begins, where the model knows the world, else of the corpus."""
    return exhibit.judge.opening() or suggested(exhibit)[:80]


def _moves(query: Mapping[str, str]) -> tuple[list[Move], str]:
    """The moves of the address, or why they cannot be read."""
    try:
        Experiment.asked(query)
        return read_moves(query.get("moves", "")), ""
    except TymbalError as error:
        return [], str(error)


def _shown(move: Move, rows: Mapping[int, FeatureRow]) -> Shown:
    row = rows.get(move.feature) if move.way is not Way.VECTOR else None
    return Shown(move, row, row.maximum if row is not None and row.maximum > 0 else 1.0)
