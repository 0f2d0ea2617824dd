"""The page for a text of one's own: the features on each token, and what made the model say what it says next.

All state stands in the address: `text`, the chosen `token`, the `feature` that tints the text, the `target` token whose
logit is shared out, and `method`. So each view is a link, and works without a script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tymbal.atlas import FeatureRow, PromptReading
from tymbal.edits import Attribution, AttributionConfig, OutputToken
from tymbal.serve import chart
from tymbal.serve.exhibit import Exhibit, told
from tymbal.serve.page import Asked
from tymbal.serve.pages.address import whole
from tymbal.serve.prompting import LONGEST_TEXT, Candidate
from tymbal.serve.text import direction, shade

AT_TOKEN, IN_TEXT, CANDIDATES, SHARES = 12, 16, 8, 14
REMOVED = SHARES
"""features whose removal is measured: those shown"""


@dataclass(frozen=True, kw_only=True)
class State:
    """What the reader asked for; unusable values are dropped."""

    text: str = ""
    token: int | None = None
    feature: int | None = None
    target: int | None = None
    method: str = "integrated"

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "State":
        """Read the address."""
        return cls(
            text=query.get("text", "").encode("utf-8", "replace").decode().replace("\r\n", "\n"),
            token=whole(query.get("token", "")),
            feature=whole(query.get("feature", "")),
            target=whole(query.get("target", "")),
            method="gradient" if query.get("method") == "gradient" else "integrated",
        )

    def query(self, **changes: Any) -> dict[str, Any]:
        """The address of this state with some of it changed; what is usual is left out."""
        full = {
            "text": self.text,
            "token": self.token,
            "feature": self.feature,
            "target": self.target,
            "method": "" if self.method == "integrated" else self.method,
        }
        return full | changes


class Token(NamedTuple):
    """One token of the text."""

    place: int
    text: str
    shade: int
    value: float
    special: bool


class Active(NamedTuple):
    """A feature that is active, and where it stands among what it can do."""

    row: FeatureRow
    value: float
    of_maximum: float
    """share of the strongest activation seen when the atlas was made; may exceed 1"""
    position: int
    tokens: int


def fill_prompt(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The features on the text in the address; the bare form where there is none."""
    state = State.asked(asked.query)
    filled: dict[str, Any] = {"state": state, "longest": LONGEST_TEXT, "reading": None, "suggested": suggested(exhibit)}
    if not state.text.strip():
        return filled
    reading = exhibit.prompting.reading(state.text)
    token = _chosen(state.token, reading)
    found = active_features(exhibit, reading)
    at_token = _at_token(exhibit, reading, token)
    feature = state.feature if state.feature is not None and state.feature < len(exhibit.atlas) else None
    tint = feature if feature is not None else at_token[0].row.feature if at_token else None
    tint_row = exhibit.atlas.rows([tint])[tint] if tint is not None else None
    candidates = exhibit.prompting.candidates(reading, token, CANDIDATES)
    return filled | {
        "reading": reading,
        "token": token,
        "tokens": _tokens(exhibit, reading, tint_row),
        "way": direction(reading.texts),
        "tint": tint_row,
        "at_token": at_token,
        "in_text": found[:IN_TEXT],
        "others": max(0, len(found) - IN_TEXT),
        "candidates": candidates,
        "attribution": _attributed(exhibit, state, reading, token, candidates),
    }


def has_model(exhibit: Exhibit) -> bool:
    """Whether there is a model to read with."""
    return exhibit.subject.known


def suggested(exhibit: Exhibit) -> str:
    """A text to begin with: the strongest example of the feature on the overview, as running text."""
    rows = exhibit.atlas.features(order="maximum", descending=True, limit=1)
    examples = exhibit.atlas.examples(rows[0].feature) if rows else []
    return "".join(exhibit.joiner.joined(examples[0].tokens)).strip()[:400] if examples else ""


def _chosen(token: int | None, reading: PromptReading) -> int:
    """The token asked for, else the last one that is text."""
    if token is not None and token < len(reading.ids):
        return token
    plain = [place for place, special in enumerate(reading.special) if not special]
    return plain[-1] if plain else len(reading.ids) - 1


def _tokens(exhibit: Exhibit, reading: PromptReading, tint: FeatureRow | None) -> list[Token]:
    values = reading.values(tint.feature) if tint is not None else [0.0] * len(reading.ids)
    strongest = max(tint.maximum if tint is not None else 0.0, *values, 0.0)
    texts = exhibit.joiner.joined(reading.texts)
    return [
        Token(place, text, shade(value, strongest), value, special)
        for place, (text, value, special) in enumerate(zip(texts, values, reading.special, strict=True))
    ]


def _at_token(exhibit: Exhibit, reading: PromptReading, token: int) -> list[Active]:
    pairs = reading.active[token][:AT_TOKEN]
    rows = exhibit.atlas.rows(feature for feature, _ in pairs)
    return [_placed(rows[feature], value, token, 1) for feature, value in pairs]


def active_features(exhibit: Exhibit, reading: PromptReading) -> list[Active]:
    """Features by how near they come to the strongest that was ever seen of them."""
    found = reading.strongest()
    rows = exhibit.atlas.rows(one.feature for one in found)
    placed = [_placed(rows[one.feature], one.value, one.position, one.tokens) for one in found]
    return sorted(placed, key=lambda one: (-one.of_maximum, one.row.feature))


def _placed(row: FeatureRow, value: float, position: int, tokens: int) -> Active:
    return Active(row, value, value / row.maximum if row.maximum > 0 else 0.0, position, tokens)


class Line(NamedTuple):
    """One line of the table that shares out a logit."""

    words: str
    feature: FeatureRow | None
    position: int | None
    value: float | None
    share: float
    removed: float | None
    bar: Any


def _attributed(
    exhibit: Exhibit, state: State, reading: PromptReading, token: int, candidates: list[Candidate]
) -> dict[str, Any] | None:
    if state.target is None or not candidates:
        return None
    text = exhibit.prompting.token_text(state.target)
    config = AttributionConfig(method="gradient" if state.method == "gradient" else "integrated", removed=REMOVED)
    found = exhibit.prompting.attributed(reading, OutputToken(token, state.target), config)
    return {"found": found, "text": text, "lines": lines(exhibit, found)}


def lines(exhibit: Exhibit, found: Attribution) -> list[Line]:
    """The largest shares, the sum of the others, and the error term."""
    shown, others = found.features[:SHARES], found.features[SHARES:]
    rows = exhibit.atlas.rows(share.feature for share in shown)
    rest = sum(share.share for share in others)
    errors = sum(found.errors)
    most = max([abs(share.share) for share in shown] + [abs(rest), abs(errors), 1e-12])
    made = [
        Line(
            told(rows[share.feature]),
            rows[share.feature],
            share.position,
            share.value,
            share.share,
            share.removed,
            chart.signed(share.share, most),
        )
        for share in shown
    ]
    if others:
        made.append(Line(f"{len(others):,} others", None, None, None, rest, None, chart.signed(rest, most)))
    made.append(Line("what no feature explains (error)", None, None, None, errors, None, chart.signed(errors, most)))
    return made
