"""The numbers about all features together, beside those of the baselines.

Each is a median over the features that are active on `score` passages, unclear ones included (they predict nothing: F1
and correlation 0, AUROC 0.5); its interval comes from resampled features.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tymbal.explain.explanation import UNCLEAR
from tymbal.explain.naming import share
from tymbal.explain.scores import RIVALS, TOKEN

SUMMED = ("f1", "auroc", "correlation", "hard_auroc")
DRAWS = 1000


class Scored(NamedTuple):
    """The rows of one system: what was said, and how well it held."""

    explanations: Sequence[Mapping[str, Any]]
    scores: Sequence[Mapping[str, Any]]


def summary_of(systems: Mapping[str, Scored], seed: int) -> dict[str, Any]:
    """For each system: how many features, of what kind, and how well."""
    return {name: _system(scored, seed) for name, scored in systems.items()}


def _system(scored: Scored, seed: int) -> dict[str, Any]:
    kinds = Counter(row["kind"] for row in scored.explanations)
    measured = [row for row in scored.scores if row["auroc"] is not None]
    found: dict[str, Any] = {
        "features": len(scored.explanations),
        "unclear": kinds[UNCLEAR],
        "silent": len(scored.scores) - len(measured),
        "failures": sum(row["failures"] for row in scored.explanations),
        "kinds": dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))),
        "medians": {
            name: {
                who or "explanation": median([row[f"{who}_{name}" if who else name] for row in measured], seed)
                for who in ("", *RIVALS)
            }
            for name in SUMMED
        },
    }
    if measured:
        ahead = sum(row["auroc"] > row[f"{TOKEN}_auroc"] for row in measured)
        behind = sum(row["auroc"] < row[f"{TOKEN}_auroc"] for row in measured)
        found["beats_token"] = share(ahead, len(measured))
        found["loses_to_token"] = share(behind, len(measured))
    return found


def median(values: Sequence[float | None], seed: int) -> dict[str, Any]:
    """A median with its 95 % interval and how many values it is of; those that are None are left out."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if not len(known):
        return {"value": None, "low": None, "high": None, "count": 0}
    low, high = np.quantile(_drawn_medians(known, seed), (0.025, 0.975))
    return {"value": float(np.median(known)), "low": float(low), "high": float(high), "count": len(known)}


def _drawn_medians(values: Float[ndarray, " value"], seed: int) -> Float[ndarray, " draw"]:
    generator = np.random.default_rng(seed)
    return np.array([np.median(values[generator.integers(len(values), size=len(values))]) for _ in range(DRAWS)])
