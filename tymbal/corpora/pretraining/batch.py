"""What training reads: batches of token ids that know where they stand in the run."""

from collections.abc import Callable, Generator
from typing import NamedTuple

from torch import Tensor

PADDING = -1


class Batch(NamedTuple):
    """Token ids, padded on the right with -1, and where they stand in the run."""

    shard: int
    number: int
    tokens: Tensor


BatchSource = Callable[[int, int], Generator[Batch, None, None]]
"""Batches from a shard's batch of this number on, for ever; a function of these two alone."""
