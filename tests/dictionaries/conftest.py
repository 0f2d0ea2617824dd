"""Planted activations, whose true features are known."""

from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Planted:
    """Rows that are sparse sums of known directions; a row source for training."""

    directions: Float[Tensor, "feature width"]
    rows: Float[Tensor, "row width"]

    @property
    def width(self) -> int:
        return self.rows.shape[1]

    @property
    def rows_per_epoch(self) -> int:
        return len(self.rows)

    def batch(self, step: int, size: int) -> Float[Tensor, "row width"]:
        generator = torch.Generator().manual_seed(1000 + step)
        return self.rows[torch.randint(len(self.rows), (size,), generator=generator)]

    def recovery(self, decoder: Float[Tensor, "feature width"]) -> float:
        """Mean over true features of the highest cosine to a learned one; 1 is perfect."""
        return float((self.directions @ decoder.T).max(1).values.mean())


def plant(*, width: int, features: int, active: int, rows: int, offset: float = 1.0, rows_seed: int = 0) -> Planted:
    """Each row is `offset` plus `active` random directions of strength 0.5 to 1.5, times 3."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(features, width, generator=generator), dim=1)
    if rows_seed:
        generator.manual_seed(rows_seed)
    which = torch.rand(rows, features, generator=generator).topk(active).indices
    strength = 3 * (torch.rand(rows, active, generator=generator) + 0.5)
    made = torch.nn.functional.embedding_bag(which, directions, per_sample_weights=strength, mode="sum")
    return Planted(directions, made + offset)


@pytest.fixture(scope="session")
def planted_unseen() -> Planted:
    """Other rows of the same 48 features."""
    return plant(width=24, features=48, active=3, rows=20_000, rows_seed=9)


@pytest.fixture(scope="session")
def planted() -> Planted:
    """48 features in 24 dimensions, 3 active at a time, 12,000 rows."""
    return plant(width=24, features=48, active=3, rows=12_000)
