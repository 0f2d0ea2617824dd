"""How well a description holds on passages that took no part in finding it: exact counts, no judge.

A description says of each token that the feature is active or silent. Against its activity there:

    precision     active tokens among those it holds for
    recall        tokens it holds for among the active
    F1            the harmonic mean of both
    AUROC         (1 + recall - false alarms among the silent) / 2, which for a yes or no is the area itself
    correlation   Pearson's, of the yes or no with the activation
    hard AUROC    the same area, with hard negatives for the silent tokens: those that are spelled like one on which the
                  feature fired in the `explain` passages, and on which it is silent here
    mark F1       by mention, of the concept that it marks (`tymbal.explain.marks`)

Each is a function of sums over passages; intervals come from resampled passages. What is unclear predicts nothing: its
F1 and correlation are 0, its AUROC is 0.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.explain.activity import Activity
from tymbal.explain.marks import Mark, mark_scores
from tymbal.explain.predicate import Predicate
from tymbal.explain.text import Text

EXACT = "exact"
"""the scorer's name"""
MEASURES = ("precision", "recall", "f1", "auroc", "correlation", "hard_auroc")
WITH_INTERVAL = ("f1", "auroc", "correlation", "hard_auroc")
TOKEN, SHUFFLED = "token", "shuffled"
RIVALS = (TOKEN, SHUFFLED)
"""the best single token, and the explanation of another feature"""
SCORES_SCHEMA = pa.schema(
    [
        ("feature", pa.int32()),
        ("tokens", pa.int64()),
        ("active", pa.int64()),
        ("predicted", pa.int64()),
        ("hard_negatives", pa.int64()),
        ("hard_alarms", pa.int64()),
        *((name, pa.float64()) for name in MEASURES),
        *((f"{name}_{end}", pa.float64()) for name in WITH_INTERVAL for end in ("low", "high")),
        *((name, pa.float64()) for name in ("mark_f1", "mark_f1_low", "mark_f1_high")),
        (f"{TOKEN}_text", pa.string()),
        *((f"{rival}_{name}", pa.float64()) for rival in RIVALS for name in MEASURES),
        *((f"{TOKEN}_auroc_{end}", pa.float64()) for end in ("low", "high")),
    ]
)


class Contender(NamedTuple):
    """What is to be scored for one feature; None predicts nothing."""

    feature: int
    explanation: Predicate | None
    token: Predicate | None
    shuffled: Predicate | None
    fired_on: Sequence[str]
    """texts of the tokens on which the feature is active in the `explain` passages"""
    mark: Mark | None = None


Sums = Mapping[str, Float[ndarray, " draw"]]


def measured(sums: Sums) -> dict[str, Float[ndarray, " draw"]]:
    """Each measure from its sums over the passages of each draw; NaN where it has none, as with no active token."""
    with np.errstate(divide="ignore", invalid="ignore"):
        met, predicted, active, tokens = (sums[name] for name in ("met", "predicted", "active", "tokens"))
        recall = met / active
        alarms = (predicted - met) / (tokens - active)
        mean, weight = predicted / tokens, sums["activation"] / tokens
        spread = mean * (1 - mean) * (sums["square"] / tokens - weight**2)
        covariance = sums["met_activation"] / tokens - mean * weight
        return {
            "precision": np.where(predicted > 0, met / predicted, 0.0),
            "recall": recall,
            "f1": 2 * met / (predicted + active),
            "auroc": (1 + recall - alarms) / 2,
            "correlation": np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1e-300)), 0.0),
            "hard_auroc": (1 + recall - sums["hard_alarms"] / sums["hard_negatives"]) / 2,
        }


@dataclass
class ExactScorer:
    """Scores descriptions on the `score` passages of one text."""

    text: Text
    activity: Activity
    bootstrap: Bootstrap

    def rows(self, contenders: Sequence[Contender]) -> list[dict[str, Any]]:
        """One row of the table a feature. Where the feature is silent all through, its measures are None."""
        marked = {contender.feature: contender.mark for contender in contenders if contender.mark is not None}
        found = mark_scores(marked, self.text, self.activity, self.bootstrap)
        return [self._row(contender) | found.get(contender.feature, {}) for contender in contenders]

    def _row(self, contender: Contender) -> dict[str, Any]:
        shared, hard = self._truth(contender)
        row: dict[str, Any] = {"feature": contender.feature}
        for name, predicate in (("", contender.explanation), (TOKEN, contender.token), (SHUFFLED, contender.shuffled)):
            sums = shared | self._predicted(contender.feature, predicate, hard)
            values = measured({key: column.sum(keepdims=True) for key, column in sums.items()})
            row |= {f"{name}_{key}" if name else key: _finite(value[0]) for key, value in values.items()}
            kept = {"": WITH_INTERVAL, TOKEN: ("auroc",)}.get(name, ())
            for key, (low, high) in self._intervals(sums, kept).items():
                place = f"{name}_{key}" if name else key
                row |= {f"{place}_low": low, f"{place}_high": high}
            if not name:
                counted = ("tokens", "active", "predicted", "hard_negatives", "hard_alarms")
                row |= {key: int(sums[key].sum()) for key in counted}
        if not row["active"]:
            row |= {key: None for key, value in row.items() if isinstance(value, float)}
        return row | {f"{TOKEN}_text": contender.token.words() if contender.token else None}

    def _by_passage(self, rows: Int[ndarray, " row"], weights: ndarray | None = None) -> Float[ndarray, " passage"]:
        found = np.bincount(self.text.passage[rows], weights, minlength=len(self.text.passage_ids))
        return found.astype(np.float64)

    def _truth(self, contender: Contender) -> tuple[dict[str, ndarray], ndarray]:
        """Sums of passages that no description changes, and which rows are hard negatives."""
        rows, values = self.activity.of_feature(contender.feature)
        numbers = self.text.made("numbers", lambda text: {own: n for n, own in enumerate(text.vocabulary)})
        alike = np.zeros(len(self.text.vocabulary), dtype=bool)
        alike[[numbers[own] for own in contender.fired_on if own in numbers]] = True
        hard = alike[self.text.token]
        hard[rows] = False
        return {
            "tokens": self.text.made("lengths", lambda text: np.bincount(text.passage).astype(np.float64)),
            "active": self._by_passage(rows),
            "activation": self._by_passage(rows, values),
            "square": self._by_passage(rows, values.astype(np.float64) ** 2),
            "hard_negatives": self._by_passage(np.flatnonzero(hard)),
        }, hard

    def _predicted(self, feature: int, predicate: Predicate | None, hard: ndarray) -> dict[str, ndarray]:
        rows, values = self.activity.of_feature(feature)
        held = predicate.rows(self.text) if predicate is not None else rows[:0]
        met, where, _ = np.intersect1d(rows, held, assume_unique=True, return_indices=True)
        return {
            "met": self._by_passage(met),
            "met_activation": self._by_passage(met, values[where]),
            "predicted": self._by_passage(held),
            "hard_alarms": self._by_passage(held[hard[held]]),
        }

    def _intervals(
        self, sums: Mapping[str, Float[ndarray, " passage"]], names: Sequence[str]
    ) -> dict[str, tuple[float | None, float | None]]:
        """The 95 % interval of each measure; draws in which it has no meaning are left out."""
        if not names:
            return {}
        columns = torch.from_numpy(np.stack(list(sums.values()), axis=1))
        drawn = (self.bootstrap.weights @ columns).numpy()
        values = measured({key: drawn[:, place] for place, key in enumerate(sums)})
        found = {}
        for name in names:
            some = values[name][np.isfinite(values[name])]
            low, high = np.quantile(some, (0.025, 0.975)) if len(some) else (np.nan, np.nan)
            found[name] = _finite(low), _finite(high)
        return found


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
