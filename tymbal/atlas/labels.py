"""Short labels for features, from what their top examples peak on; they stand until there are explanations.

The words as far as the peaks name the feature when three of them make up half of the examples: "walked" for a peak on
"ed", "walk…" for one on "walk" when the word goes on. Otherwise the most frequent peak tokens do: "…ed".
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

MARK = "▸"
SEPARATOR = " · "
UNKNOWN = "—"
"""the label of a feature that has no examples"""
_SHOWN = 3
_LONGEST = 24
"""characters of a word before it is cut"""
_VISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})


class Window(NamedTuple):
    """The tokens of an example, and the index of its peak."""

    tokens: Sequence[str]
    peak: int


class Label(NamedTuple):
    """A label, and the most frequent peak tokens, most frequent first."""

    label: str
    top_tokens: list[str]


def label_of(windows: Sequence[Window], *, pieces: bool) -> Label:
    """Label a feature by its examples.

    `pieces`: a token within a word is marked by "##" (WordPiece) instead of lacking a space before it.
    """
    if not windows:
        return Label(UNKNOWN, [])
    tokens = Counter(window.tokens[window.peak] for window in windows)
    top = [token for token, _ in tokens.most_common(5)]
    words = Counter(_word(window, pieces) for window in windows).most_common(_SHOWN)
    if 2 * sum(times for _, times in words) >= len(windows):
        shown = [word for word, _ in words]
    else:
        shown = [_token(token, pieces) for token in top[:_SHOWN]]
    return Label(f"{MARK} " + SEPARATOR.join(dict.fromkeys(shown)), top)


def has_pieces(tokens: Sequence[str]) -> bool:
    """Whether these tokens of a model are WordPieces."""
    return any(token.startswith("##") for token in tokens) and not any(token.startswith(" ") for token in tokens)


def _word(window: Window, pieces: bool) -> str:
    """The word that ends in the peak, as far as the peak."""
    parts: list[str] = []
    for token in reversed(window.tokens[: window.peak + 1]):
        part = token.removeprefix("##") if pieces else token
        # An empty token is the rest of a character that stands at a token before it.
        lettered = not part or (part.strip().isalnum() and part == part.rstrip())
        if parts and not lettered:
            break
        parts.append(part)
        begins = not token.startswith("##") if pieces else token[:1].isspace()
        if begins or not lettered:
            break
    word = "".join(reversed(parts))
    following = window.tokens[window.peak + 1 : window.peak + 2]
    goes_on = any(token.startswith("##") if pieces else token[:1].isalpha() for token in following)
    return _visible(word) + ("…" if goes_on and word[-1:].isalpha() else "")


def _token(token: str, pieces: bool) -> str:
    if not token:
        return "…"
    inside = token.startswith("##") if pieces else token[:1].isalnum()
    return ("…" if inside else "") + _visible(token.removeprefix("##") if pieces else token)


def _visible(text: str) -> str:
    stripped = text.strip(" ").translate(_VISIBLE) or "␣"
    return stripped if len(stripped) <= _LONGEST else stripped[: _LONGEST - 1] + "…"
