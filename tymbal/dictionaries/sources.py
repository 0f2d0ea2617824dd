"""Rows of several sites side by side, for transcoders and crosscoders."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.activations import RowSource


class SideBySide:
    """Each row holds the same token's rows of several sources, one after the other.

    The sources must give the same tokens in the same order: stores of the same text (one harvest of several sites, or
    two models with the same tokens) read with one seed. Raises `ValueError` where their numbers of rows differ.
    """

    def __init__(self, sources: Sequence[RowSource]) -> None:
        counts = {source.rows_per_epoch for source in sources}
        if len(counts) != 1:
            raise ValueError(
                f"expected sources with the same tokens; got {sorted(counts)} rows an epoch; harvest the same text"
            )
        self._sources = tuple(sources)
        self._rows_per_epoch = counts.pop()

    @property
    def width(self) -> int:
        """Numbers in one row, of all sources together."""
        return sum(source.width for source in self._sources)

    @property
    def rows_per_epoch(self) -> int:
        """Rows in one epoch."""
        return self._rows_per_epoch

    def batch(self, step: int, size: int) -> Float[Tensor, "row column"]:
        """The rows of one step."""
        return torch.cat([source.batch(step, size) for source in self._sources], dim=1)
