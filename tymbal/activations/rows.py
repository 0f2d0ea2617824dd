"""Rows for training, in an order that is a pure function of seed and step: here from a store.

The order of an epoch is a permutation of the kept rows that is computed and not kept (`permutation.py`), so a resumed
training reads the same batches without replaying anything.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from tymbal.activations.permutation import Permutation
from tymbal.activations.store import ActivationStore
from tymbal.errors import ArtifactError


@runtime_checkable
class RowSource(Protocol):
    """Where training gets its rows: each epoch holds every row once, in a new order."""

    @property
    def width(self) -> int:
        """Numbers in one row."""
        ...

    @property
    def rows_per_epoch(self) -> int:
        """Rows in one epoch."""
        ...

    def batch(self, step: int, size: int) -> Float32[Tensor, "row width"]:
        """The rows of one step, a pure function of the source's seed, `step` (from 0) and `size`."""
        ...


class Piece(NamedTuple):
    """A contiguous part of one epoch."""

    epoch: int
    start: int
    stop: int


def pieces(step: int, size: int, rows_per_epoch: int) -> Iterator[Piece]:
    """The parts of epochs that step `step` of batches of `size` rows covers, in order."""
    if step < 0 or size < 1:
        raise ValueError(f"step must be at least 0 and size at least 1, not {step} and {size}")
    first, end = step * size, (step + 1) * size
    while first < end:
        epoch, start = divmod(first, rows_per_epoch)
        stop = min(rows_per_epoch, start + end - first)
        yield Piece(epoch, start, stop)
        first += stop - start


class StoredRows:
    """The rows of a store in a uniform order, a new one each epoch.

    `skip_special`, `sink` and `norm_multiple` leave rows out (see `ActivationStore.select`). Raises `ArtifactError`
    when no row is left or the site is not stored.
    """

    def __init__(
        self,
        store: ActivationStore,
        site: str,
        *,
        seed: int,
        skip_special: bool = True,
        sink: int = 0,
        norm_multiple: int | float | None = None,
    ) -> None:
        self._store, self._site, self._seed = store, store.require_site(site), seed
        self._kept = store.select(skip_special=skip_special, sink=sink, norm_multiple=norm_multiple, site=site)
        if not len(self._kept):
            raise ArtifactError(
                expected=f"at least one row to read in {store.folder}",
                got=f"none of {store.rows} after leaving out special tokens and sinks",
                do="keep more rows or harvest more text",
            )

    @property
    def width(self) -> int:
        """Numbers in one row."""
        return self._store.width

    @property
    def rows_per_epoch(self) -> int:
        """Rows that are left after filtering."""
        return len(self._kept)

    def batch(self, step: int, size: int) -> Float32[Tensor, "row width"]:
        """Rows step*size to (step+1)*size of the endless sequence of shuffled epochs."""
        places = [
            Permutation(self.rows_per_epoch, self._seed, piece.epoch)(np.arange(piece.start, piece.stop))
            for piece in pieces(step, size, self.rows_per_epoch)
        ]
        return self._store.rows_at(self._site, self._kept[np.concatenate(places)])
