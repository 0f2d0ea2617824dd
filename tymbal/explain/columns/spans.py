"""A column of stretches of text that have a form of their own: quotations, and lines of code.

Both are told by their marks. A quotation that began before the passage, and code without any of the marks looked for,
go unseen.
"""

import re
from itertools import pairwise

import numpy as np
from numpy import ndarray

from tymbal.explain.text import Column, Text

PAIRS = {"„": "“”", "“": "”", "«": "»", "»": "«", '"': '"', "「": "」", "『": "』"}
"""what opens a quotation, and what closes it"""
_CODE = re.compile(
    r"^\s*(?:\w+\s+)?\w[\w.\[\]]*\s*(?:[-+*/|&]|:)?=\s*\S"  # an assignment
    r"|[{};]\s*$|^\s*[})\]]+[,;]?\s*$|=>|->|::|\+\+|==|!=|&&|\|\|"
    r"|^\s*(?:def|class|function|return|import|from \S+ import|for|while|if|elif|else|try|except)\b.*[:{(;]\s*$"
    r"|^\s*#(?:include|define|!)|^\s*//|^\s*/\*|\w\([^()]*\)\s*;?\s*$"
)
_FENCE = "```"


def span(text: Text) -> Column:
    """Tokens within quotation marks, the marks included, and tokens of lines that read like code."""
    first = np.flatnonzero(np.diff(text.passage, prepend=-1))
    quoted, coded = np.zeros(len(text), dtype=bool), np.zeros(len(text), dtype=bool)
    for begin, end in pairwise(np.append(first, len(text)).tolist()):
        tokens = [text.vocabulary[number] for number in text.token[begin:end].tolist()]
        quoted[begin:end] = _quoted(tokens)
        coded[begin:end] = _coded(tokens)
    return Column.of_rows({"quotation": np.flatnonzero(quoted), "code": np.flatnonzero(coded)})


def _quoted(tokens: list[str]) -> ndarray:
    """Which tokens stand within a quotation; an empty line ends one that was not closed."""
    inside = np.zeros(len(tokens), dtype=bool)
    closing = ""
    for place, token in enumerate(tokens):
        if "\n\n" in token:
            closing = ""
        within = bool(closing)
        for sign in token:
            if closing and sign in closing:
                closing = ""
            elif not closing and sign in PAIRS:
                closing, within = PAIRS[sign], True
        inside[place] = within
    return inside


def _coded(tokens: list[str]) -> ndarray:
    """Which tokens stand on lines of code, or between fences."""
    inside = np.zeros(len(tokens), dtype=bool)
    bounds = [0] + [place + 1 for place, token in enumerate(tokens) if "\n" in token]
    if bounds[-1] < len(tokens):
        bounds.append(len(tokens))
    fenced = False
    for begin, end in pairwise(bounds):
        line = "".join(tokens[begin:end]).strip("\n")
        fence = line.strip().startswith(_FENCE)
        inside[begin:end] = fenced or fence or bool(_CODE.search(line))
        fenced ^= fence
    return inside
