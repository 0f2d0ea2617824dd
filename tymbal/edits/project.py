"""Edits that are linear maps: erase a concept, or keep only a subspace."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.edits.ablate import orthonormal
from tymbal.edits.eraser import Eraser
from tymbal.edits.requirements import require_same_model, require_same_site, require_width
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import LanguageModel, TokenPlaces


@final
@dataclass(frozen=True, eq=False)
class Erase:
    """Takes a concept out with an eraser that was fitted on this site."""

    eraser: Eraser
    _: KW_ONLY
    site: str
    where: Where = EVERYWHERE

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` where this eraser was fitted on another site or model, as far as it records them."""
        require_same_model(model, self.eraser.record.model, "an eraser")
        require_same_site(self.site, self.eraser.record.site, "the eraser")
        require_width(model, self.site, self.eraser.width, "an eraser")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations without the concept."""
        return self.where.put(activation, self.eraser(activation), places)


@final
@dataclass(frozen=True, eq=False)
class Project:
    """Keeps of each activation only its part in a subspace through `centre`."""

    directions: Float[Tensor, "rank width"]
    """They span the subspace; they need not be orthogonal."""
    _: KW_ONLY
    site: str
    centre: Float[Tensor, " width"] | None = None
    """None for the origin"""
    where: Where = EVERYWHERE

    @cached_property
    def basis(self) -> Float[Tensor, "width rank"]:
        """Orthonormal."""
        return orthonormal(self.directions)

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model of another width."""
        require_width(model, self.site, self.basis.shape[0], "a subspace")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations' projections."""
        basis = self.basis.to(activation)
        centre = torch.zeros_like(basis[:, 0]) if self.centre is None else self.centre.to(activation)
        return self.where.put(activation, centre + ((activation - centre) @ basis) @ basis.mT, places)
