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
    """[row, token + 1]"""
    choices: Tensor | None = None
    """[row, token, vocabulary], whether each token may come next, all of them equally likely; where they are not known,
    the token that did come"""


BatchSource = Callable[[int, int], Generator[Batch, None, None]]
"""Batches from a shard's batch of this number on, for ever; a function of these two alone."""
