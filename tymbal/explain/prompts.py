"""How windows of text are shown to a language model.

Everything from a corpus is untrusted: each text stands on one line of its own, as a JSON string, so that nothing in it
passes for a part of the prompt around it. Active tokens stand between << and >>.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from tymbal.explain.windows import Window

MARKS = ("<<", ">>")


def quoted(text: str) -> str:
    """As a JSON string on one line."""
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)


def marked(tokens: Sequence[str], chosen: Collection[int]) -> str:
    """The text, with runs of the chosen tokens between marks; the space before a run stays outside."""
    parts = []
    for within, run in groupby(range(len(tokens)), lambda place: place in chosen):
        text = "".join(tokens[place] for place in run)
        bare = text.lstrip(" ")
        parts.append(f"{text[: len(text) - len(bare)]}{MARKS[0]}{bare}{MARKS[1]}" if within else text)
    return "".join(parts).strip()


def active_tokens(window: Window) -> list[int]:
    """Places of the tokens on which the feature is active."""
    return [place for place, value in enumerate(window.activations) if value > 0]


def with_strengths(window: Window, highest: float) -> str:
    """A window with its active tokens marked, and how strongly the feature is active on each, from 1 to 9."""
    places = active_tokens(window)
    strengths = ", ".join(
        f"{quoted(window.tokens[place].strip())} {max(1, round(9 * window.activations[place] / highest))}"
        for place in places
    )
    return f"{quoted(marked(window.tokens, places))} ({strengths})"


def numbered(lines: Iterable[str]) -> str:
    """One a line, counted from 1."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))
