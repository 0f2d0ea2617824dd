"""What is known of features in words, beside the atlas: the one place where pages read explanations from.

`explanations` gives each explained feature's text and scores. A feature without one is called by its label, which is
made of the tokens that make it fire; so pages, search, the blind scoring and the exports need not know the difference.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tymbal import artifact
from tymbal.explain import UNCLEAR, open_explanations

EXPLANATIONS = "explanations"
EXACT = "exact"
SCORES = ("auroc", "f1", "correlation")


class Explained(NamedTuple):
    """One feature in words."""

    text: str
    scores: Mapping[str, float]
    """by the name of the scorer; higher is better"""
    kind: str = ""
    """of what sort the explanation is; `unclear` where nothing was found"""
    concept: str = ""
    """the annotated concept that the feature marks; empty where it marks none"""
    measured: Mapping[str, Any] = {}
    """the row of the exact scorer: measures, intervals, the best single token's; empty where there is none"""

    @property
    def unclear(self) -> bool:
        """Whether nothing was found."""
        return self.kind == UNCLEAR


def explanations(folder: Path) -> dict[int, Explained]:
    """The explanations that a study's folder holds; empty where it has none, or has not finished them."""
    place = folder / EXPLANATIONS
    if not artifact.is_sealed(place):
        return {}
    held = open_explanations(place)
    measured = held.by_feature(EXACT)
    found = {}
    for feature, row in held.by_feature().items():
        own = measured.get(feature, {})
        scores = {name: own[name] for name in SCORES if own.get(name) is not None}
        found[feature] = Explained(row["text"], scores, row["kind"], row["concept"], own)
    return found
