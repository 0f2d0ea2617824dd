"""Steering: add a vector to activations (Turner et al. 2023, "Activation addition").

The strength multiplies the vector, or it is a share of each activation's own length: the token that begins a text often
has an activation ten times as long as the others', which a vector of their length does not move. With a half-life the
strength halves every so many positions, counted from the first that is changed.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
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
    """Adds `strength` times `vector` at a site; if `relative`, times what makes it as long as the activation."""

    vector: Float[Tensor, " width"]
    _: KW_ONLY
    site: str
    strength: float = 1.0
    relative: bool = False
    """whether the strength is a share of each activation's length, whatever the vector's"""
    half_life: float | None = None
    """positions in which the strength halves; None keeps it constant"""
    where: Where = EVERYWHERE
    model: Mapping[str, Any] = field(default_factory=dict)
    """identity of the model that the vector is for; empty if unknown"""

    def __post_init__(self) -> None:
        if not isfinite(self.strength) or not bool(torch.isfinite(self.vector).all()):
            raise ValueError(f"expected a finite vector and strength; got strength {self.strength}")
        if self.relative and not bool(self.vector.any()):
            raise ValueError("expected a vector that points somewhere; got zeros")
        if self.half_life is not None and not self.half_life > 0:
            raise ValueError(f"expected a half-life above 0 positions; got {self.half_life}")

    @cached_property
    def _change(self) -> Float[Tensor, " width"]:
        """What is added, or if relative what is added for each unit of an activation's length."""
        # Kept for good: made in a reading, it could not be used where gradients are wanted.
        with torch.inference_mode(mode=False):
            scale = 1 / self.vector.norm() if self.relative else 1.0
            return self.vector * scale * self.strength

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model of another width or identity."""
        require_width(model, self.site, len(self.vector), "a vector")
        require_same_model(model, self.model, "a vector")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with the vector added."""
        change = self._change.to(activation)
        if self.relative:
            change = activation.norm(dim=-1, keepdim=True) * change
        if self.half_life is None:
            return self.where.put(activation, activation + change, places)
        age = (places.positions - self.where.start).clamp(min=0)
        decay = torch.exp2(-age.to(activation.dtype) / self.half_life)
        return self.where.put(activation, activation + decay.unsqueeze(-1) * change, places)
