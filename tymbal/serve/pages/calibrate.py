"""Blind scoring: a reader says how well words foretell where a feature fires, before any scorer's number is shown.

1. Fifty features are drawn, the same for everybody, spread over all that have something to be scored.
2. One after the other shows its words and examples, strong and weak ones in random order, without activations.
3. When all are scored, the reader's scores stand beside each scorer's: rank correlation with a 95 % interval.
"""

import random
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import spearmanr

from tymbal.atlas import Example, FeatureFilter, FeatureRow
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked
from tymbal.serve.pages.feature import Shown, shown_example
from tymbal.serve.text import titled

SCORED = 50
EXAMPLES = 8
RESAMPLES = 1000
SCALE = {
    "4": "names it exactly",
    "3": "fits, with few exceptions",
    "2": "fits about half",
    "1": "fits a few",
    "0": "does not fit",
}
OWN = "F1 of its concept"
"""the score that stands in where nothing was explained"""


class Agreement(NamedTuple):
    """A reader beside a scorer."""

    scorer: str
    n: int
    correlation: float | None
    """Spearman's; None for fewer than three features, or scores that are all the same"""
    low: float | None
    high: float | None


def drawn(exhibit: Exhibit) -> list[int]:
    """The features to be scored, the same each time: explained ones, or where none is, those with a label."""
    if exhibit.explained:
        known = sorted(
            feature
            for feature, one in exhibit.explained.items()
            if one.text and not one.unclear and feature < len(exhibit.atlas)
        )
    else:
        rows = exhibit.atlas.features(FeatureFilter(dead=False), limit=len(exhibit.atlas))
        known = [row.feature for row in rows if titled(row.label)]
    return random.Random(0).sample(known, min(SCORED, len(known)))


def words_of(exhibit: Exhibit, row: FeatureRow) -> str:
    """What is said of a feature: its explanation, or its label."""
    told = exhibit.explained.get(row.feature)
    return told.text if told else titled(row.label)


def fill_calibrate(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The next feature that this reader has not scored; after the last one, how scorers agree."""
    features = drawn(exhibit)
    held = exhibit.notes.of(features)
    mine = {feature: notes.scores[asked.reader] for feature, notes in held.items() if asked.reader in notes.scores}
    left = [feature for feature in features if feature not in mine]
    filled = {"all": len(features), "done": len(mine), "scale": SCALE, "explained": bool(exhibit.explained)}
    if not left or asked.query.get("show") == "agreement":
        readers = _by_reader(features, held)
        return filled | {
            "row": None,
            "agreements": agreements(mine, scores_of(exhibit, features)),
            "readers": len(readers),
            "among": [
                _agreement(f"reader {number}", mine, other)
                for number, other in enumerate(
                    (scores for name, scores in sorted(readers.items()) if name != asked.reader), 1
                )
            ],
        }
    row = exhibit.atlas.rows(left[:1])[left[0]]
    return filled | {"row": row, "words": words_of(exhibit, row), "examples": _examples(exhibit, row)}


def _by_reader(features: list[int], held: Mapping[int, Any]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for feature in features:
        for reader, score in (held[feature].scores if feature in held else {}).items():
            found.setdefault(reader, {})[feature] = score
    return found


def _examples(exhibit: Exhibit, row: FeatureRow) -> list[Shown]:
    """Strong and weak examples in random order, the firing tokens tinted all alike."""
    examples = exhibit.atlas.examples(row.feature)
    draw = random.Random(row.feature)
    top = [example for example in examples if example.kind == "top"]
    weak = [example for example in examples if example.kind != "top"]
    some = draw.sample(top, min(EXAMPLES // 2, len(top)))
    some += draw.sample(weak, min(EXAMPLES - len(some), len(weak)))
    draw.shuffle(some)
    return [shown_example(_levelled(example), 2.0, exhibit.joiner) for example in some]


def _levelled(example: Example) -> Example:
    """The example with every activation alike: how strong it is would tell too much."""
    return example._replace(activations=[float(value > 0) for value in example.activations])


def scores_of(exhibit: Exhibit, features: list[int]) -> dict[str, dict[int, float]]:
    """What each scorer gave these features."""
    found: dict[str, dict[int, float]] = {}
    for feature in features:
        for scorer, score in (exhibit.explained[feature].scores if feature in exhibit.explained else {}).items():
            found.setdefault(scorer, {})[feature] = score
    if not found:
        rows = exhibit.atlas.rows(features)
        own = {feature: row.concept_f1 for feature, row in rows.items() if row.concept_f1 is not None}
        return {OWN: own} if own else {}
    return found


def agreements(mine: Mapping[int, float], scorers: Mapping[str, Mapping[int, float]]) -> list[Agreement]:
    """A reader beside each scorer, on the features that both have scored."""
    return [_agreement(name, mine, theirs) for name, theirs in sorted(scorers.items())]


def _agreement(name: str, mine: Mapping[int, float], theirs: Mapping[int, float]) -> Agreement:
    both = sorted(set(mine) & set(theirs))
    pairs = np.array([(mine[feature], theirs[feature]) for feature in both]).reshape(-1, 2)
    if len(both) < 3 or not (np.ptp(pairs, axis=0) > 0).all():
        return Agreement(name, len(both), None, None, None)
    generator = np.random.default_rng(0)
    draws = (pairs[generator.integers(len(pairs), size=len(pairs))] for _ in range(RESAMPLES))
    # A draw in which one side says the same of all has no correlation.
    found = [_spearman(draw) for draw in draws if (np.ptp(draw, axis=0) > 0).all()]
    low, high = np.quantile(found, [0.025, 0.975])
    return Agreement(name, len(both), _spearman(pairs), float(low), float(high))


def _spearman(pairs: np.ndarray) -> float:
    return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)
