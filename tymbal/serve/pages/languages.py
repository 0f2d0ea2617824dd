"""The page that shows one passage in several languages, lit by one feature: one section a concept."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked
from tymbal.serve.text import direction, tinted

NAMES = {"de": "German", "en": "English", "es": "Spanish", "fr": "French"}


class Lit(NamedTuple):
    """A passage in one language, ready to be looked at."""

    language: str
    text: Markup
    direction: str
    strongest: float
    """the feature's strongest activation in it; 0 where it is silent"""


def has_passages(exhibit: Exhibit) -> bool:
    """Whether the analysis of languages left passages."""
    return bool(exhibit.passages)


def fill_languages(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """Every concept that has passages, best first."""
    del asked
    shown = [one for one in exhibit.passages if 0 <= int(one["feature"]) < len(exhibit.atlas)]
    rows = exhibit.atlas.rows(int(one["feature"]) for one in shown)
    return {"concepts": [_concept(exhibit, one, rows[int(one["feature"])]) for one in shown]}


def _concept(exhibit: Exhibit, one: Mapping[str, Any], row: Any) -> dict[str, Any]:
    passages = [_lit(exhibit, passage, row.maximum) for passage in one["passages"]]
    return {
        "concept": str(one["concept"]),
        "row": row,
        "explained": exhibit.explained.get(row.feature),
        "f1": one.get("f1"),
        "token": one.get("best token"),
        "passages": passages,
        "speaks": sum(passage.strongest > 0 for passage in passages),
    }


def _lit(exhibit: Exhibit, passage: Mapping[str, Any], strongest: float) -> Lit:
    tokens, activations = list(passage["tokens"]), list(passage["activations"])
    own = max(activations, default=0.0)
    peak = activations.index(own) if own > 0 else None
    text = tinted(exhibit.joiner.joined(tokens), activations, strongest=max(strongest, own), peak=peak)
    code = str(passage["language"])
    return Lit(NAMES.get(code, code), text, direction(tokens), own)
