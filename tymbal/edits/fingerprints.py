"""Fingerprints of rows: 64 bits by which the same row is known again in another batch.

At most 32 coordinates, evenly spread, are read as the bits of their fp32 values and mixed by multilinear hashing (each
times a fixed odd number, summed modulo 2^64). The same activation in fp16, bf16 and fp32 has the same fingerprint. For
two different rows to share one is a matter of 2^-63, unless they agree in all coordinates that are read.

Source: Carter and Wegman 1979, "Universal classes of hash functions".
"""

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

COORDINATES = 32
_MULTIPLIERS = torch.randint(-(2**62), 2**62, (COORDINATES,), generator=torch.Generator().manual_seed(20230606)) * 2 + 1


def fingerprints(rows: Float[Tensor, "row width"]) -> Int64[Tensor, " row"]:
    """One fingerprint a row."""
    step = max(1, -(-rows.shape[1] // COORDINATES))
    # Adding zero turns -0 into 0, which is the same number in other bits.
    bits = (rows[:, ::step].float() + 0.0).contiguous().view(torch.int32).long()
    return (bits * _MULTIPLIERS[: bits.shape[1]].to(bits.device)).sum(1).cpu()


def shared(rows: Float[Tensor, "row width"], known: Int64[Tensor, " known"]) -> Shaped[Tensor, " row"]:
    """Which rows have a fingerprint among the sorted `known` ones."""
    if len(known) == 0:
        return torch.zeros(len(rows), dtype=torch.bool)
    own = fingerprints(rows)
    place = torch.searchsorted(known, own).clamp(max=len(known) - 1)
    return known[place] == own
