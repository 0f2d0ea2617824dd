"""The predicate explainer: of all descriptions that run, the simplest that agrees best with the feature.

No language model and no network: descriptions are values of columns of the text (`tymbal.explain.kinds`), sets of them,
and conjunctions of two; the search (`tymbal.explain.search`) sees the `explain` passages alone. What agrees less than
`PredicateConfig.least` is called unclear, and so is a feature that is active in a single passage. On annotated text the
concept that a feature marks is said beside it (`tymbal.explain.marks`).

Sources: description by executable predicates after Zhong et al. 2024, "Explaining Datasets in Words" (arXiv 2409.08466)
and Gurnee et al. 2023, "Finding Neurons in a Haystack" (arXiv 2305.01610); the search is ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, final

import numpy as np

from tymbal.explain.columns.concepts import common_kind
from tymbal.explain.concept_words import concept_words
from tymbal.explain.config import PredicateConfig
from tymbal.explain.evidence import Evidence
from tymbal.explain.explainer import Explainer
from tymbal.explain.explanation import Explanation, unclear
from tymbal.explain.inventory import Inventory
from tymbal.explain.marks import Mark, marks
from tymbal.explain.naming import names_concept
from tymbal.explain.predicate import Predicate, Simple
from tymbal.explain.search import Found, Search
from tymbal.explain.text import Text
from tymbal.explain.wording import MIXED

SPELLED = ("token", "spelling", "word")
"""kinds that name the token itself"""
_TOGETHER = 64
"""features whose meetings with all descriptions are held at once"""


@final
class PredicateExplainer(Explainer):
    """Searches for descriptions that run."""

    method: ClassVar[str] = "predicate"

    def __init__(self, config: PredicateConfig = PredicateConfig()) -> None:  # noqa: B008  (frozen)
        self.config = config
        self._held: tuple[Text, Search] | None = None

    def identity(self) -> dict[str, Any]:
        """The method and its settings."""
        return {"method": self.method, "config": asdict(self.config)}

    def explain(self, features: Sequence[int], evidence: Evidence) -> Iterator[Explanation]:
        """The best description of each feature, or `unclear`."""
        search = self._search(evidence)
        for begin in range(0, len(features), _TOGETHER):
            some = features[begin : begin + _TOGETHER]
            marked = marks(some, evidence.text, evidence.activity)
            weights = evidence.activity.matrix(np.array(some))
            counts = np.diff(weights.indptr)
            column = np.repeat(np.arange(len(some)), counts)
            means = np.bincount(column, weights.data, minlength=len(some)) / np.maximum(counts, 1)
            weights.data = weights.data / means[column]
            for number, (feature, met) in enumerate(
                zip(some, search.inventory.meetings(search.matrix, weights), strict=True)
            ):
                own = slice(weights.indptr[number], weights.indptr[number + 1])
                rows = weights.indices[own].astype(np.int64)
                found = search.best(rows, weights.data[own], met)
                yield self._explained(feature, rows, found, evidence, marked.get(feature))

    def _explained(
        self, feature: int, rows: np.ndarray, found: Found | None, evidence: Evidence, mark: Mark | None
    ) -> Explanation:
        concept, threshold = mark or ("", 0.0)
        predicate = found.predicate if found is not None and self._holds(rows, found, evidence) else None
        if predicate is None:
            if mark is None:
                return unclear(feature)
            return Explanation(
                feature=feature,
                text=f"tokens that are a sign of {concept_words(concept)}",
                kind="mark",
                concept=concept,
                threshold=threshold,
            )
        return Explanation(
            feature=feature,
            text=_said(predicate, evidence.text) + _also(predicate, concept),
            kind=predicate.kind,
            predicate=predicate.expression(),
            complexity=predicate.complexity,
            concept=concept,
            threshold=threshold,
        )

    def _holds(self, rows: np.ndarray, found: Found, evidence: Evidence) -> bool:
        """Whether a description agrees well enough, and in more than one passage."""
        inside = np.intersect1d(rows, found.rows, assume_unique=True)
        return found.value >= self.config.least and len(np.unique(evidence.text.passage[inside])) > 1

    def _search(self, evidence: Evidence) -> Search:
        """The search over an evidence's text; kept, since making it takes as long as some hundred features."""
        if self._held is None or self._held[0] is not evidence.text:
            self._held = evidence.text, Search(Inventory.of(evidence.text, self.config.support), self.config)
        return self._held[1]


def _said(predicate: Predicate, text: Text) -> str:
    """The description's words; tokens that have nothing else in common may all be names, or words for animals."""
    words = predicate.words()
    if not words.startswith(MIXED) or not isinstance(predicate, Simple) or predicate.of.name not in SPELLED:
        return words
    column = text.made(predicate.of.name, predicate.of.column)
    kind = common_kind([column.rows_of(value) for value in predicate.values], text)
    return words if kind is None else f"{words.replace(MIXED, 'one of the tokens', 1)}, each in {concept_words(kind)}"


def _also(predicate: Predicate, concept: str) -> str:
    """What is said of the concept that the feature marks, unless the description names it already."""
    named = not concept or names_concept(predicate.expression(), concept)
    return "" if named else f"; a sign of {concept_words(concept)}"
