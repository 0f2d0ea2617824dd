"""The control of any edit: a change of the same length at each token, in one random direction.

What an edit brings about and this does not is owed to the edit's direction and not to its size.
"""

from dataclasses import KW_ONLY, dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.models import LanguageModel, PlacedEdit, TokenPlaces


@final
@dataclass(frozen=True, eq=False)
class RandomControl:
    """Moves each token as far as `edit` would, in a random direction that is the same for all tokens."""

    edit: PlacedEdit
    _: KW_ONLY
    seed: int = 0

    @property
    def site(self) -> str:
        """That of the edit."""
        return self.edit.site

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model that the edit does not fit."""
        self.edit.require(model)

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations, moved."""
        change = self.edit.at(activation, places).to(activation.dtype) - activation
        drawn = torch.Generator().manual_seed(self.seed)
        direction = torch.randn(activation.shape[-1], generator=drawn, dtype=torch.float64)
        return activation + change.norm(dim=-1, keepdim=True) * (direction / direction.norm()).to(activation)
