"""The dense product in bfloat16 with a bound on its error, so that only a few scores must be known exactly.

    1. Screen    s̃ = x̃ · w̃ + bias for every row and feature; x̃ and w̃ are x and w rounded to bfloat16.
    2. Collect   `candidates`: every feature whose exact score s may reach a floor, that is s̃ ≥ floor - error(row).
    3. Score     those again in fp32, by gathered dot products.

What to make of that is up to each kind: if enough exact scores reach the floor, no feature outside the candidates
can be among the highest, and the highest candidates are the exact selection.

The bound. The rounding errors dx = x̃ - x and dw = w̃ - w are known exactly, and

    s̃ - s = x̃ · dw + dx · w + what the sum loses
    |s̃ - s| ≤ |x̃| max|dw| + |dx| max|w| + (width + 4) 2⁻²⁴ (|x̃| max|w̃| + max|bias| + shift)      (Cauchy and Schwarz)

Matrix units (Intel AMX, AVX-512 BF16) multiply bfloat16 exactly and add in fp32; whatever the order, m additions lose
at most m 2⁻²⁴ of the terms' sizes. The first two terms are about 2⁻⁸·³ |x||w|, less than half of the general bound
2⁻⁷ |x||w|. The sum is rounded to bfloat16 once more: rounding keeps order, so the floor is rounded likewise.

Each row's scores are shifted up by its own bound, which makes all that may exceed zero positive. The bits of positive
bfloat16 numbers, read as integers, are in the order of the numbers, and 16-bit integers are the fastest to compare.
"""

from typing import NamedTuple

import torch
from jaxtyping import BFloat16, Bool, Float, Int, Int16
from torch import Tensor

from tymbal.dictionaries.active import gathered_dots

UNIT_ROUNDOFF = 2.0**-8
"""Largest relative error of rounding to bfloat16."""
LANES = 8
"""Scores in a group; only groups whose maximum passes are looked into."""
FEWEST_FEATURES = 1024
"""With fewer the product is too small a part of a step to be worth a screen."""
_MAXIMA = 8
"""The k-th highest score is judged from at least this many times k maxima."""
_EXTRA = 4
"""Columns of the product beside the width: the bias in two parts, the row's shift, and one that keeps the sum even."""
_SAFETY = 1.001
"""For the roundings in the bound itself."""
_TINY = 1e-30
"""Far below any score and above what matrix units flush to zero."""
_HUGE = 1e30
"""Below minus this lie the scores of features that only fill the last group."""
_BLOCK = 512
"""Lines rounded at once: their errors stay in the cache."""


def has_matrix_units() -> bool:
    """Whether this processor multiplies matrices of bfloat16 with sums in fp32, and torch makes use of that."""
    return torch.backends.mkldnn.is_available() and (
        torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    )


class Candidates(NamedTuple):
    """Features that may reach a floor, row after row, with what their exact scores are made of."""

    row: Int[Tensor, " entry"]
    feature: Int[Tensor, " entry"]
    product: Float[Tensor, " entry"]
    """`encoder · row` in fp32, without the bias."""
    counts: Int[Tensor, " row"]
    crowded: Bool[Tensor, " row"]
    """Rows with too many candidates to be worth it; they have none here."""


class Rounded(NamedTuple):
    """Lengths of lines rounded to bfloat16, and of their rounding errors."""

    norms: Float[Tensor, " line"]
    errors: Float[Tensor, " line"]


class Room:
    """Buffers for batches of at most `rows` rows, so that no step allocates them anew."""

    def __init__(self, rows: int, width: int, features: int) -> None:
        self.features = features
        self.groups = -(-features // (8 * LANES)) * 8  # a multiple of 8, so that masks can be read as words
        padded = self.groups * LANES
        self.x = torch.zeros(rows, width + _EXTRA, dtype=torch.bfloat16)
        self.encoder = torch.zeros(padded, width + _EXTRA, dtype=torch.bfloat16)
        self.scores = torch.empty(rows, padded, dtype=torch.bfloat16)
        self.encoder[features:, width] = -_HUGE


def room_for(rows: int, width: int, features: int) -> Room | None:
    """Room for a screen where it is worth while: with matrix units, and enough features."""
    return Room(rows, width, features) if has_matrix_units() and features >= FEWEST_FEATURES else None


class Screen:
    """Screened scores of one batch; valid until the next one is made in the same room.

    `x` are the rows as the encoder takes them (centred); fp32.
    """

    def __init__(
        self,
        x: Float[Tensor, "row width"],
        encoder: Float[Tensor, "feature width"],
        bias: Float[Tensor, " feature"],
        room: Room,
    ) -> None:
        self.x, self.encoder, self.room, self.groups = x, encoder, room, room.groups
        rows, width = x.shape
        bias_error = self._fill_bias(bias)
        codes = rounded(encoder, room.encoder[: len(encoder), :width])
        lines = rounded(x, room.x[:rows, :width])
        longest, worst = codes.norms.max(), codes.errors.max()
        loss = (width + _EXTRA) * 2.0**-24
        bound = lines.norms * worst + lines.errors * (longest + worst) + bias_error
        bound = _SAFETY * (bound + loss * (lines.norms * longest + bias.abs().max())) + _TINY
        room.x[:rows, width : width + 2] = 1
        room.x[:rows, width + 2] = bound * (1 + 2 * UNIT_ROUNDOFF)
        self.shift: Float[Tensor, " row"] = room.x[:rows, width + 2].float()
        """Added to the scores of each row in the screen."""
        self.error: Float[Tensor, " row"] = bound + _SAFETY * loss * self.shift
        """Most that a screened score is off before it is rounded."""
        torch.mm(room.x[:rows], room.encoder.T, out=room.scores[:rows])
        self.bits: Int16[Tensor, "row padded"] = room.scores[:rows].view(torch.int16)
        self.maxima: Int16[Tensor, "row group"] = self.bits.view(rows, LANES, self.groups).amax(1)

    def _fill_bias(self, bias: Tensor) -> Float[Tensor, ""]:
        """Write the bias into two columns; returns the largest error of their sum."""
        features, width = self.encoder.shape
        columns = self.room.encoder[:features, width : width + 2]
        columns[:, 0] = bias
        columns[:, 1] = bias - columns[:, 0]
        self.room.encoder[:features, width + 2] = 1
        return (bias - columns.float().sum(1)).abs().max()

    @property
    def finite(self) -> bool:
        """Whether the bound means anything; otherwise nothing may be concluded from the screen."""
        return bool(torch.isfinite(self.error).all())

    def kth_highest(self, k: int) -> Float[Tensor, " row"]:
        """About each row's k-th highest score: one that at least k screened scores reach, and not many more than k.

        It is the k-th highest among maxima of groups, each of which holds a different score.
        """
        rows, groups = self.maxima.shape
        together = 1
        while groups % (2 * together) == 0 and groups >= 2 * together * _MAXIMA * k:
            together *= 2
        maxima = self.maxima.view(rows, together, groups // together).amax(1).view(torch.bfloat16).float()
        return maxima.topk(k, dim=1, sorted=False).values.amin(1) * (1 - UNIT_ROUNDOFF) - self.shift

    def sample(self, stride: int) -> Float[Tensor, " score"]:
        """One screened score in `stride`, unshifted."""
        scores = self.room.scores[: len(self.x)]
        chosen = torch.arange(0, scores.numel(), stride)
        return scores.flatten()[chosen].float() - self.shift[chosen // scores.shape[1]]

    def candidates(self, floor: Float[Tensor, " row"], most: int) -> Candidates:
        """All features whose exact score may reach the row's floor, a number of at least 0.

        Rows in which more than `most` groups hold one are crowded and left out.
        """
        least = (floor + self.shift - self.error).bfloat16().view(torch.int16).unsqueeze(1)
        row, group = _places(self.maxima >= least)
        crowded = torch.bincount(row, minlength=len(floor)) > most
        if bool(crowded.any()):
            row, group = row[~crowded[row]], group[~crowded[row]]
        lanes = torch.arange(0, LANES * self.groups, self.groups)
        bits = self.bits.flatten()[(row * self.bits.shape[1] + group).unsqueeze(1) + lanes]
        place, lane = (bits >= least[row]).nonzero(as_tuple=True)
        row, feature = row[place], group[place] + lane * self.groups
        counts = torch.bincount(row, minlength=len(floor))
        products = gathered_dots(self.x, self.encoder, feature, counts.cumsum(0) - counts, row)
        return Candidates(row, feature, products, counts, crowded)


def rounded(lines: Float[Tensor, "line width"], out: BFloat16[Tensor, "line width"]) -> Rounded:
    """Write lines to `out` in bfloat16; returns their lengths there and those of what was lost."""
    norms, errors = lines.new_empty(len(lines)), lines.new_empty(len(lines))
    for start in range(0, len(lines), _BLOCK):
        block = slice(start, start + _BLOCK)
        out[block] = lines[block]
        exact = out[block].float()
        torch.linalg.vector_norm(exact, dim=1, out=norms[block])
        torch.linalg.vector_norm(exact.sub_(lines[block]), dim=1, out=errors[block])
    return Rounded(norms, errors)


def _places(mask: Bool[Tensor, "row column"]) -> tuple[Int[Tensor, " place"], Int[Tensor, " place"]]:
    """Rows and columns of what is true, in order; looks at eight columns at once, as most are false."""
    row, word = mask.view(torch.int64).nonzero(as_tuple=True)
    place, byte = mask.view(len(mask), -1, 8)[row, word].nonzero(as_tuple=True)
    return row[place], word[place] * 8 + byte
