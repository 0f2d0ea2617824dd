"""What is known of features in words, beside the atlas: the one place where pages read explanations from.

`explanations` gives each explained feature's text and scores. A feature without one is called by its label, which is
made of the tokens that make it fire; so pages, search, the blind scoring and the exports need not know the difference.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Explained(NamedTuple):
    """One feature in words."""

    text: str
    scores: Mapping[str, float]
    """by the name of the scorer; higher is better"""


def explanations(folder: Path) -> dict[int, Explained]:  # noqa: ARG001
    """The explanations that a study's folder holds; empty where it has none."""
    return {}
