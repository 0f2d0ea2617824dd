"""Rows in memory as a source for training, in an order that a peer in an environment of its own can be given too."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from tymbal.activations.permutation import Permutation
from tymbal.activations.rows import pieces


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
