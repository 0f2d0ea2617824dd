"""Steering: add a vector to activations (Turner et al. 2023, "Activation addition").

The strength multiplies the vector; with a half-life it halves every so many positions, counted from the first that is
changed.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from math import isfinite
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.edits.requirements import require_same_model, require_width
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import LanguageModel, TokenPlaces


@final
@dataclass(frozen=True, eq=False)
class Steer:
    """Adds `strength` times `vector` at a site."""

    vector: Float[Tensor, " width"]
    _: KW_ONLY
    site: str
    strength: float = 1.0
    half_life: float | None = None
    """positions in which the strength halves; None keeps it constant"""
    where: Where = EVERYWHERE
    model: Mapping[str, Any] = field(default_factory=dict)
    """identity of the model that the vector is for; empty if unknown"""

    def __post_init__(self) -> None:
        if not isfinite(self.strength) or not bool(torch.isfinite(self.vector).all()):
            raise ValueError(f"expected a finite vector and strength; got strength {self.strength}")
        if self.half_life is not None and not self.half_life > 0:
            raise ValueError(f"expected a half-life above 0 positions; got {self.half_life}")

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model of another width or identity."""
        require_width(model, self.site, len(self.vector), "a vector")
        require_same_model(model, self.model, "a vector")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with the vector added."""
        vector = self.vector.to(activation) * self.strength
        if self.half_life is None:
            return self.where.put(activation, activation + vector, places)
        age = (places.positions - self.where.start).clamp(min=0)
        decay = torch.exp2(-age.to(activation.dtype) / self.half_life)
        return self.where.put(activation, activation + decay.unsqueeze(-1) * vector, places)
