"""Held-out passages as batches for a model, and what each token of them is for.

At most so many tokens are taken: a seeded uniform sample of the passages, so that memory and time are bounded whatever
the corpus. Passages of like length share a batch.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tymbal.corpora import Passage
from tymbal.errors import CorpusError
from tymbal.models import Tokens


class HeldOutBatch(NamedTuple):
    """A few passages as one rectangle."""

    numbers: Int[Tensor, " batch"]
    """Which passages of the sample these are."""
    tokens: Tokens
    spared: Bool[Tensor, "batch token"]
    """Special tokens and padding: neither measured nor edited."""


def sample(passages: Iterable[Passage], tokens: int, seed: int) -> list[Passage]:
    """A uniform sample of passages with at most about `tokens` tokens, in the order given; one pass, bounded memory.

    Passages without an ordinary token are left out. Raises `CorpusError` where none remains.
    """
    generator = np.random.default_rng(seed)
    kept: list[tuple[float, int, Passage]] = []
    held = 0
    for number, passage in enumerate(passages):
        draw = generator.random()
        if passage.special.all():
            continue
        heapq.heappush(kept, (-draw, number, passage))
        held += len(passage.tokens)
        while held > tokens and len(kept) > 1:
            held -= len(heapq.heappop(kept)[2].tokens)
    if not kept:
        raise CorpusError(
            expected="held-out passages with ordinary tokens", got="none", do="give more text or a larger heldout share"
        )
    return [passage for _, _, passage in sorted(kept, key=lambda item: item[1])]


def batches(passages: Sequence[Passage], tokens: int) -> Iterator[HeldOutBatch]:
    """All passages, longest first, at most `tokens` a batch with padding (but always one passage)."""
    order = sorted(range(len(passages)), key=lambda number: (-len(passages[number].tokens), number))
    start = 0
    while start < len(order):
        size = max(1, tokens // len(passages[order[start]].tokens))
        numbers = order[start : start + size]
        start += size
        rows = Tokens.from_rows([passages[number].tokens.tolist() for number in numbers])
        spared = torch.ones_like(rows.mask)
        for row, number in enumerate(numbers):
            special = passages[number].special
            spared[row, : len(special)] = torch.from_numpy(np.ascontiguousarray(special))
        yield HeldOutBatch(torch.tensor(numbers), rows, spared)
