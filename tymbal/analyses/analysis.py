"""What every analysis hands in: findings with their baselines, and a table that they can be checked by."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal import artifact
from tymbal.dictionaries import Finding, Number
from tymbal.dictionaries.bootstrap import Bootstrap

DRAWS = 1000
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One question asked of a dictionary."""

    name: str
    question: str
    """one sentence for a reader who knows no statistics"""
    findings: Mapping[str, Finding]
    sample: Mapping[str, int]
    """what was counted, and what was left out"""
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    """JSON values, best first"""

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "name": self.name,
            "question": self.question,
            "findings": {name: asdict(finding) for name, finding in self.findings.items()},
            "sample": dict(self.sample),
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
        }


def save_analysis(analysis: Analysis, folder: Path, about: Mapping[str, Any]) -> None:
    """Write `analysis.json`; `about` says which studies and settings it rests on."""
    artifact.write_json(
        folder / "analysis.json", {**analysis.as_json(), "about": dict(about), "provenance": artifact.provenance()}
    )


def mean_with_interval(values: Float[Tensor, " case"]) -> Number:
    """The mean of the cases, and the interval that drawing cases gives."""
    values = values.double()
    if not len(values):
        return Number(value=float("nan"), low=float("nan"), high=float("nan"))
    resampled = Bootstrap(len(values), draws=DRAWS, seed=SEED).over({"sum": values, "cases": torch.ones_like(values)})
    return resampled.number(lambda sums: sums["sum"] / sums["cases"])


@dataclass
class Measured:
    """Collects findings that are means over cases."""

    found: dict[str, Finding] = field(default_factory=dict)

    def mean(
        self,
        name: str,
        cases: Float[Tensor, " case"],
        *,
        unit: str,
        better: str = "higher",
        **baselines: Float[Tensor, " other"],
    ) -> None:
        """Add the mean of `cases` beside that of each baseline's; an underscore in a name stands for a space."""
        told = mean_with_interval(cases)
        self.found[name] = Finding(
            value=told.value,
            low=told.low,
            high=told.high,
            unit=unit,
            better=better,
            baselines={key.replace("_", " "): mean_with_interval(values) for key, values in baselines.items()},
        )
