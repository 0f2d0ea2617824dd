"""What an eraser was fitted on, for its certificate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Int64
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class FitRecord:
    """Rows, classes, and by which fingerprints the rows are known again."""

    rows: int
    width: int
    classes: int | None
    """None for a real-valued concept"""
    class_rows: tuple[int, ...] | None
    shrinkage: float
    """0 for none; 1 when correlations were given up altogether"""
    fingerprints: Int64[Tensor, " row"] = field(repr=False)
    """of the fitted rows, sorted"""
    site: str | None = None
    """where the rows were read; None if unknown"""
    model: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """identity of the model they were read from; empty if unknown"""
