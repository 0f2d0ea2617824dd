"""The page that finds features three ways: by text, by a prompt they are active on, by two sets of prompts.

`by` says which; `q` holds the text or the prompt, `toward` and `away` the two sets, one prompt a line. Search by text
needs the atlas alone; the other two open the study's model.
"""

from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.atlas import Contrast, FeatureRow
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked
from tymbal.serve.pages.prompt import IN_TEXT, Active, active_features
from tymbal.serve.prompting import LONGEST_TEXT

WAYS = {"text": "By text", "prompt": "By prompt", "contrast": "By contrast"}
MOST_HITS = 50
MOST_PROMPTS = 100
MOST_CONTRASTED = 30
LONGEST = {"q": 200, "prompt": LONGEST_TEXT, "toward": LONGEST_TEXT, "away": LONGEST_TEXT}
WHERE = {
    "explanation": "its explanation",
    "label": "its label",
    "tokens": "the tokens that make it fire most",
    "concept": "its concept",
    "examples": "its examples",
}


class Found(NamedTuple):
    """A feature in which the text was found."""

    row: FeatureRow
    where: str
    snippet: Markup


class Told(NamedTuple):
    """A feature that tells two sets of prompts apart."""

    row: FeatureRow
    auc: float
    toward: float
    away: float
    beyond: bool
    """whether it is farther from 0.5 than the best of all features comes by chance"""


def prompts(text: str) -> list[str]:
    """The prompts of a set, one a line."""
    return [line for line in (line.strip() for line in text.splitlines()) if line]


def fill_search(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """What the address asks for, and what is found."""
    there = {key: word for key, word in WAYS.items() if key == "text" or exhibit.subject.known}
    by = asked.query.get("by", "text")
    by = by if by in there else "text"
    given = {key: asked.query.get(key, "").encode("utf-8", "replace").decode()[:most] for key, most in LONGEST.items()}
    filled: dict[str, Any] = {"by": by, "ways": there, "given": given, "longest": LONGEST}
    filled |= {"hits": None, "found": 0, "active": None, "others": 0, "contrast": None, "told": []}
    if by == "text" and given["q"].strip():
        return filled | _by_text(exhibit, given["q"])
    if by == "prompt" and given["prompt"].strip():
        return filled | _by_prompt(exhibit, given["prompt"])
    sets = prompts(given["toward"])[:MOST_PROMPTS], prompts(given["away"])[:MOST_PROMPTS]
    if by == "contrast" and all(sets):
        found = exhibit.prompting.contrasted(*sets)
        return filled | {"contrast": found, "told": _told(exhibit, found)}
    return filled


def _by_text(exhibit: Exhibit, text: str) -> dict[str, Any]:
    hits = exhibit.search.find(text, limit=MOST_HITS)
    rows = exhibit.atlas.rows(hit.feature for hit in hits)
    found = [Found(rows[hit.feature], WHERE[hit.where], hit.snippet) for hit in hits]
    return {"hits": found, "found": exhibit.search.count(text)}


def _by_prompt(exhibit: Exhibit, text: str) -> dict[str, Any]:
    active: list[Active] = active_features(exhibit, exhibit.prompting.reading(text))
    return {"active": active[: 2 * IN_TEXT], "others": max(0, len(active) - 2 * IN_TEXT)}


def _told(exhibit: Exhibit, found: Contrast) -> list[Told]:
    shown = found.features[:MOST_CONTRASTED]
    rows = exhibit.atlas.rows(one.feature for one in shown)
    return [Told(rows[one.feature], one.auc, one.toward, one.away, abs(one.auc - 0.5) > found.chance) for one in shown]
