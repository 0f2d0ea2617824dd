"""The health of a study's dictionary on its held-out passages: what `evaluation.json` holds.

The numbers of `tymbal.dictionaries.evaluate` stand under `findings`, beside their settings and sample sizes. Where the
corpus is annotated, `concepts` says how well the best feature of each concept tells it, or why that cannot be said.
"""

from collections.abc import Mapping
from typing import Any

from tymbal.corpora import HELD_OUT, PassageStore
from tymbal.dictionaries import (
    ConceptConfig,
    Dictionary,
    EvaluationConfig,
    evaluate,
    evaluate_concepts,
)
from tymbal.dictionaries.concepts import GOOD
from tymbal.errors import CorpusError
from tymbal.explain import Told
from tymbal.models import LanguageModel
from tymbal.study.journal import Progress


def measured_health(
    dictionary: Dictionary, model: LanguageModel, store: PassageStore, seed: int, progress: Progress
) -> dict[str, Any]:
    """All numbers on the held-out passages of a store, as JSON values.

    Raises `CorpusError` where nothing was held out.
    """
    assert dictionary.site is not None
    config = EvaluationConfig(seed=seed)
    evaluation = evaluate(dictionary, model, dictionary.site, store.passages(HELD_OUT), config, progress)
    health = evaluation.to_json()
    if store.concepts:
        health["concepts"] = _concepts(dictionary, model, store, seed, progress)
    return health


def _concepts(
    dictionary: Dictionary, model: LanguageModel, store: PassageStore, seed: int, progress: Progress
) -> dict[str, Any]:
    assert dictionary.site is not None

    def told(done: int, total: int, unit: str) -> None:
        progress(done, total, f"{unit} for concepts")

    config = ConceptConfig(seed=seed)
    try:
        return evaluate_concepts(dictionary, model, dictionary.site, store, HELD_OUT, config, told).to_json()
    except CorpusError as error:
        # Too few annotated tokens say nothing about concepts, but do not make the rest of the study worthless.
        return {"not_measured": str(error)}


def told_concepts(health: Mapping[str, Any]) -> list[Told]:
    """Concepts that have a feature of F1 of at least 0.8, counting by mention and by token; none where unmeasured."""
    found = health.get("concepts") or {}
    return [
        Told(score["concept"], score["feature"], unit, score["f1"]["value"])
        for unit in ("mention", "token")
        for score in found.get(f"by_{unit}", {}).get("concepts", ())
        if score["f1"]["value"] >= GOOD
    ]
