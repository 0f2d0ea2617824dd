"""Rows in memory as a source for training, in an order that a peer in an environment of its own can be given too."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from tymbal.activations.permutation import Permutation
from tymbal.activations.rows import pieces
from tymbal.dictionaries import Dictionary

PER_FEATURE, AT_ONCE = 100, 4096
"""A feature is called dead on at least so many tokens a feature, encoded so many at once."""


class Rows:
    """Rows in a new order each epoch."""

    def __init__(self, rows: Float[Tensor, "row width"]) -> None:
        self.rows, self.width, self.rows_per_epoch = rows, rows.shape[1], len(rows)

    def batch(self, step: int, size: int) -> Float32[Tensor, "row width"]:
        """The rows of one step."""
        return self.rows[self.places(step, size)].float()

    def places(self, step: int, size: int) -> Int[Tensor, " row"]:
        """Where these rows lie."""
        parts = [
            Permutation(self.rows_per_epoch, 0, piece.epoch)(np.arange(piece.start, piece.stop))
            for piece in pieces(step, size, self.rows_per_epoch)
        ]
        return torch.from_numpy(np.concatenate(parts))


def unexplained(made: Float[Tensor, "row width"], rows: Float[Tensor, "row width"]) -> float:
    """Fraction of variance unexplained of reconstructions of rows, fp64, pooled; 0 is perfect."""
    exact = rows.double()
    return float((exact - made.double()).square().sum() / (exact - exact.mean(0)).square().sum())


def enough(
    held_out: Float[Tensor, "row width"], seen: Float[Tensor, "more width"], features: int
) -> Iterator[Float[Tensor, "some width"]]:
    """The held-out rows, and as many of those trained on as it takes to have `PER_FEATURE` a feature."""
    yield from held_out.split(AT_ONCE)
    yield from seen[: max(0, PER_FEATURE * features - len(held_out))].split(AT_ONCE)


def silent(dictionary: Dictionary, parts: Iterable[Float[Tensor, "some width"]]) -> float:
    """Share of the features that never fire on any of these rows."""
    fires = torch.zeros(dictionary.features, dtype=torch.bool)
    for rows in parts:
        codes = dictionary.encode(rows.float())
        fires[codes.indices[codes.values > 0]] = True
    return 1 - float(fires.double().mean())
