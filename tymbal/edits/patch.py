"""Patching: put activations of another run in place, at some positions, heads or the whole site.

A position of this run gets the activation of the same position of the other one, or of the position named for it.
Positions that the other run does not have stay as they are, and so do later tokens in generation.

Source: Vig et al. 2020; Meng et al. 2022, "Locating and editing factual associations", section 2 (causal tracing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.edits.requirements import require_width
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, TokenPlaces


@final
@dataclass(frozen=True, eq=False)
class Patch:
    """Puts activations of another run, as `model.read` gives them, in place of this run's."""

    source: Float[Tensor, "batch token width"]
    """One row, for all rows of this run, or as many; not padded on the left."""
    _: KW_ONLY
    site: str
    positions: Sequence[int] | Mapping[int, int] | None = None
    """positions to patch, or {position here: position there}; None for all that the source has"""
    units: Sequence[int] | None = None
    """coordinates to patch, such as `head_units` gives; None for all"""

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model of another width."""
        require_width(model, self.site, self.source.shape[2], "a patch")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with those of the other run in place."""
        batch, _, width = activation.shape
        if len(self.source) not in (1, batch) or self.source.shape[2] != width:
            raise ModelError(
                expected=f"a patch of 1 or {batch} rows and width {width}",
                got=f"{len(self.source)} rows and width {self.source.shape[2]}",
                do="read the other run at this site, one row or as many as here",
            )
        there = self._there(int(places.positions.max()) + 1).to(activation.device)[places.positions]
        source = self.source.to(activation).expand(batch, -1, -1)
        other = source.gather(1, there.clamp(min=0).unsqueeze(-1).expand(-1, -1, width))
        chosen = ((there >= 0) & places.real).unsqueeze(-1)
        if self.units is not None:
            of_unit = torch.zeros(width, dtype=torch.bool, device=activation.device)
            of_unit[list(self.units)] = True
            chosen = chosen & of_unit
        return activation.where(~chosen, other)

    def _there(self, longest: int) -> Tensor:
        """For each position here the one there, -1 for none."""
        held = self.source.shape[1]
        there = torch.full((longest,), -1)
        if self.positions is None:
            there[:held] = torch.arange(min(held, longest))
            return there
        pairs = self.positions if isinstance(self.positions, Mapping) else {place: place for place in self.positions}
        for here, place in pairs.items():
            if not 0 <= place < held or here < 0:
                raise ModelError(
                    expected=f"positions from 0 to {held - 1}", got=f"{place}", do="name positions that the source has"
                )
            if here < longest:
                there[here] = place
        return there


def head_units(model: LanguageModel, heads: Sequence[int]) -> list[int]:
    """The coordinates of these heads at a site `heads.L`; raises `ModelError` for a head that the model lacks."""
    size, count = model.head_size, model.heads
    for head in heads:
        if not 0 <= head < count:
            raise ModelError(expected=f"a head from 0 to {count - 1} of {model.name}", got=f"{head}", do="name one")
    return [unit for head in heads for unit in range(head * size, (head + 1) * size)]
