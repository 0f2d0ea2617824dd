"""Sums of gathered lines and gathered dot products, the three things a step does besides its one dense product.

    weighted_sums          a bag of entries a program, one block of columns at a time       decode: bags are rows
    uneven_weighted_sums   the same for bags of very different sizes                        weight gradients: bags are features
    gathered_dots          a row a program, entry after entry                               gradients of values, exact scores

A few features are active in a large share of all rows. So long bags are cut into pieces of `PIECE` entries, each summed by
a program of its own, and the pieces of a bag are then added up in order: no program waits for the longest bag, and as
nothing is added atomically, the same input gives the same bits. The number of pieces has a bound that needs no look at
the data, so that nothing waits for the device.

Sums are taken in fp32 (fp64 for fp64), whatever the format of the table.
"""

import torch
import triton
import triton.language as tl
from jaxtyping import Float, Int
from torch import Tensor

PIECE = 128
"""Entries summed by one program at most, where bags are uneven."""
WIDEST = 1024
"""Columns that a program holds at once."""


@triton.jit
def _sum_bags(gathered, weights, first, last, table, out, width, WEIGHTED: tl.constexpr, BLOCK: tl.constexpr):  # noqa: N803
    bag = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < width
    total = tl.zeros([BLOCK], dtype=out.dtype.element_ty)
    start = tl.load(first + bag)
    stop = tl.load(last + bag)
    for entry in range(start, stop):
        if WEIGHTED:
            line = tl.load(gathered + entry).to(tl.int64)
            weight = tl.load(weights + entry).to(total.dtype)
            total += weight * tl.load(table + line * width + columns, mask=inside, other=0.0).to(total.dtype)
        else:
            line = tl.cast(entry, tl.int64)
            total += tl.load(table + line * width + columns, mask=inside, other=0.0).to(total.dtype)
    tl.store(out + bag * width + columns, total, mask=inside)


@triton.jit
def _dot_entries(rows, table, gathered, first, last, out, width, BLOCK: tl.constexpr):  # noqa: N803
    row = tl.program_id(0).to(tl.int64)
    start = tl.load(first + row)
    stop = tl.load(last + row)
    for entry in range(start, stop):
        line = tl.load(gathered + entry).to(tl.int64)
        total = tl.zeros([BLOCK], dtype=out.dtype.element_ty)
        for begin in range(0, width, BLOCK):
            columns = begin + tl.arange(0, BLOCK)
            inside = columns < width
            own = tl.load(rows + row * width + columns, mask=inside, other=0.0).to(total.dtype)
            other = tl.load(table + line * width + columns, mask=inside, other=0.0).to(total.dtype)
            total += own * other
        tl.store(out + entry, tl.sum(total, axis=0))


def weighted_sums(
    gathered: Int[Tensor, " entry"],
    weights: Float[Tensor, " entry"],
    offsets: Int[Tensor, " bag"],
    table: Float[Tensor, "line width"],
) -> Float[Tensor, "bag width"]:
    """For each bag of entries, the sum of `weight · table[gathered]`; for bags of similar sizes."""
    return _summed(offsets, _stops(offsets, len(gathered)), table, gathered, weights)


def uneven_weighted_sums(
    gathered: Int[Tensor, " entry"],
    weights: Float[Tensor, " entry"],
    offsets: Int[Tensor, " bag"],
    table: Float[Tensor, "line width"],
) -> Float[Tensor, "bag width"]:
    """The same for bags of which a few are very long."""
    stops = _stops(offsets, len(gathered))
    pieces = (stops - offsets + PIECE - 1) // PIECE
    ends = pieces.cumsum(0)
    begins = ends - pieces
    number = torch.arange(len(gathered) // PIECE + len(offsets), device=offsets.device)
    bag = torch.searchsorted(ends, number, right=True)
    used = bag < len(offsets)
    bag = bag.clamp_max(len(offsets) - 1)
    first = offsets[bag] + (number - begins[bag]) * PIECE
    last = torch.minimum(first + PIECE, stops[bag])
    parts = _summed(torch.where(used, first, 0), torch.where(used, last, 0), table, gathered, weights)
    return _summed(begins, ends, parts)


def gathered_dots(
    rows: Float[Tensor, "row width"],
    table: Float[Tensor, "line width"],
    gathered: Int[Tensor, " entry"],
    offsets: Int[Tensor, " row"],
) -> Float[Tensor, " entry"]:
    """For each entry `rows[row] · table[gathered]`; entries stand row after row, from `offsets` on."""
    out = torch.empty(len(gathered), dtype=_accumulated(table), device=table.device)
    if len(offsets):
        _dot_entries[(len(offsets),)](
            rows.contiguous(),
            table.contiguous(),
            gathered,
            offsets,
            _stops(offsets, len(gathered)),
            out,
            table.shape[1],
            BLOCK=_block(table.shape[1]),
        )
    return out


def _summed(
    first: Int[Tensor, " bag"],
    last: Int[Tensor, " bag"],
    table: Float[Tensor, "line width"],
    gathered: Int[Tensor, " entry"] | None = None,
    weights: Float[Tensor, " entry"] | None = None,
) -> Float[Tensor, "bag width"]:
    """Σ weight · table[gathered] over each bag's entries; without weights the sum of the lines themselves."""
    width = table.shape[1]
    out = torch.empty(len(first), width, dtype=_accumulated(table), device=table.device)
    if out.numel():
        block = _block(width)
        _sum_bags[(len(first), triton.cdiv(width, block))](
            first if gathered is None else gathered,
            first if weights is None else weights,
            first,
            last,
            table.contiguous(),
            out,
            width,
            WEIGHTED=weights is not None,
            BLOCK=block,
        )
    return out


def _stops(offsets: Int[Tensor, " bag"], entries: int) -> Int[Tensor, " bag"]:
    return torch.cat([offsets[1:], offsets.new_tensor([entries])])


def _block(width: int) -> int:
    return min(WIDEST, triton.next_power_of_2(width))


def _accumulated(table: Tensor) -> torch.dtype:
    return torch.float64 if table.dtype == torch.float64 else torch.float32
