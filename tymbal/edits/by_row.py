"""Another edit for each row of a batch, so that texts steered in different ways are generated side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.models import LanguageModel, PlacedEdit, TokenPlaces


@final
@dataclass(frozen=True, eq=False)
class ByRow:
    """Changes row i of each batch by edit i; None leaves its row as it is. All edits are at one site."""

    edits: Sequence[PlacedEdit | None]

    def __post_init__(self) -> None:
        sites = {edit.site for edit in self.edits if edit is not None}
        if len(sites) != 1:
            raise ValueError(f"expected edits at one site; got {sorted(sites)}")

    @property
    def site(self) -> str:
        """That of its edits."""
        return next(edit.site for edit in self.edits if edit is not None)

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model that one of the edits does not fit."""
        for edit in self.edits:
            if edit is not None:
                edit.require(model)

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """Each row as its edit makes it; raises `ValueError` for a batch of another size."""
        if len(activation) != len(self.edits):
            raise ValueError(f"expected a batch of {len(self.edits)} rows, one an edit; got {len(activation)}")
        # An edit sees the whole batch, since places are those of the whole batch; the other rows are thrown away.
        rows = [
            row if edit is None else edit.at(activation, places)[number].to(row.dtype)
            for number, (edit, row) in enumerate(zip(self.edits, activation, strict=True))
        ]
        return torch.stack(rows)
