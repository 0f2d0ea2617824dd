"""Which tokens an edit changes; padding is never among them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.models import TokenPlaces


@dataclass(frozen=True, kw_only=True)
class Where:
    """Tokens by position in their row (from 0, padding not counted) and by whether they were generated."""

    tokens: Literal["all", "prompt", "generated"] = "all"
    start: int = 0
    """the first position; 1 spares the token that begins the text"""
    stop: int | None = None
    """the position to stop before; None for none"""

    def __post_init__(self) -> None:
        if self.tokens not in ("all", "prompt", "generated"):
            raise ValueError(f"expected tokens all, prompt or generated; got {self.tokens!r}")
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise ValueError(f"expected 0 <= start < stop; got {self.start} and {self.stop}")

    @cached_property
    def _all(self) -> bool:
        return self.tokens == "all" and self.start == 0 and self.stop is None

    def chosen(self, places: TokenPlaces) -> Bool[Tensor, "batch token"] | None:
        """The tokens to change; None for all of them, which costs nothing to apply."""
        if self._all and not places.padded:
            return None
        chosen = places.real
        if self.tokens != "all":
            chosen = chosen & (places.generated if self.tokens == "generated" else ~places.generated)
        if self.start:
            chosen = chosen & (places.positions >= self.start)
        return chosen if self.stop is None else chosen & (places.positions < self.stop)

    def put(
        self,
        activation: Float[Tensor, "batch token width"],
        changed: Float[Tensor, "batch token width"],
        places: TokenPlaces,
    ) -> Float[Tensor, "batch token width"]:
        """The changed activations at chosen tokens, the others as they were."""
        chosen = self.chosen(places)
        return changed if chosen is None else activation.where(~chosen.unsqueeze(-1), changed.to(activation.dtype))


EVERYWHERE = Where()
AFTER_FIRST = Where(start=1)
