"""What a feature marks: the annotated concept of whose mentions it is a sign, wherever in them it fires.

A feature that fires on dashes fires on dashes; where only dialogues have dashes, it also marks dialogues. So beside
what it fires on there is the concept that it tells best mention by mention: its precision is the share of active tokens
within mentions, its recall the share of mentions in which it is active at least once, above a threshold of its own (as
in `tymbal.dictionaries.concepts`). Both are chosen on the `explain` passages; F1 is measured on `score`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.dictionaries.concept_counts import Choice, Unit, best_concepts, outcome, thresholds
from tymbal.dictionaries.concept_labels import Entries, Labels
from tymbal.dictionaries.concepts import FAIR
from tymbal.explain.activity import Activity
from tymbal.explain.text import Text

LEAST = 20
"""concepts on fewer tokens than this are left out"""


class Mark(NamedTuple):
    """A concept that a feature tells by mention, where it is active above a threshold."""

    concept: str
    threshold: float


def marks(features: Sequence[int], text: Text, activity: Activity) -> dict[int, Mark]:
    """The concept that each of these features marks on this text, with F1 of at least 0.5; others have none."""
    if not text.concepts or not len(features):
        return {}
    labels = text.made("labels", _labels)
    carried = text.made("carried", lambda _: torch.bincount(labels.concept.long(), minlength=len(text.concepts)))
    kept = (carried >= LEAST).nonzero().squeeze(1)
    if not len(kept):
        return {}
    entries = _entries(features, activity)
    best = best_concepts(entries, labels, kept, len(text.concepts), thresholds(entries))[Unit.MENTION]
    return {
        feature: Mark(text.concepts[int(best.concept[place])], float(best.threshold[place]))
        for place, feature in enumerate(features)
        if best.f1[place] >= FAIR
    }


def mark_scores(
    marked: dict[int, Mark], text: Text, activity: Activity, bootstrap: Bootstrap
) -> dict[int, dict[str, Any]]:
    """F1 by mention of these features for what they mark, on another text, with its interval."""
    numbers = {name: number for number, name in enumerate(text.concepts)}
    features = [feature for feature, mark in marked.items() if mark.concept in numbers]
    if not features:
        return {}
    choice = Choice(torch.arange(len(features)), torch.tensor([marked[feature].threshold for feature in features]))
    concepts = torch.tensor([numbers[marked[feature].concept] for feature in features])
    found = outcome(
        choice, _entries(features, activity), text.made("labels", _labels), concepts, bootstrap, Unit.MENTION
    )
    rows = {}
    for place, feature in enumerate(features):
        number = found.number(place)
        rows[feature] = {"mark_f1": number.value, "mark_f1_low": number.low, "mark_f1_high": number.high}
    return rows


def _labels(text: Text) -> Labels:
    rows, concepts = text.concept_pairs or (np.zeros(0, dtype=np.int64),) * 2
    order = np.lexsort((concepts, rows))
    return Labels(
        passage=torch.from_numpy(text.passage.astype(np.int64)),
        token=torch.from_numpy(rows[order].astype(np.int64)),
        concept=torch.from_numpy(concepts[order].astype(np.int64)),
    )


def _entries(features: Sequence[int], activity: Activity) -> Entries:
    """Where these features are active, by token; they are numbered anew."""
    active = activity.matrix(np.array(features)).tocsr()
    token = np.repeat(np.arange(activity.tokens), np.diff(active.indptr))
    return Entries(
        tokens=activity.tokens,
        features=len(features),
        token=torch.from_numpy(token.astype(np.int32)),
        feature=torch.from_numpy(active.indices.astype(np.int32)),
        value=torch.from_numpy(active.data),
    )
