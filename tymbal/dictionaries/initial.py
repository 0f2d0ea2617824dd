"""Where training starts: bias, directions and thresholds, from the first rows of the source, already in training units.

1. Decoder bias: the geometric median of the rows (Weiszfeld's iteration), which outliers do not drag along.
2. Decoder: random directions of unit norm; a crosscoder's are the same at all sites of one width, so that what sites
   share starts out shared. Encoder: the same directions.
3. A transcoder's encoder is random and its decoder what the target is like where a feature is active, which is where a
   first step from zero would lead.
4. A kind that judges each feature by itself gets thresholds that let k features a row be active.
5. Values are multiplied by the one number that makes the first reconstruction of these rows best in least squares.

Random numbers are drawn in blocks of features, each with a seed of its own, so that a rank with some of the features
draws little more than those, and the same as a single process.

Sources: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", appendix A.1; Bricken et al. 2023 for the
median; Paulo et al. 2025 for transcoders that start from zero.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active, by_feature
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.scores import DenseScores

MEDIAN_STEPS = 100
SAMPLE = 4096
"""Rows that values are fitted on."""
BLOCK = 1 << 16
"""Features whose random numbers come from one seed."""


def geometric_median(rows: Float[Tensor, "row width"]) -> Float[Tensor, " width"]:
    """The point with the least summed distance to the rows, in fp64."""
    points = rows.double()
    median = points.mean(0)
    for _ in range(MEDIAN_STEPS):
        weights = 1 / (points - median).norm(dim=1).clamp_min(1e-9)
        moved = (weights @ points) / weights.sum()
        step = float((moved - median).norm())
        median = moved
        if step <= 1e-7 * float(median.norm()) + 1e-12:
            break
    return median


@torch.no_grad()
def initialise(dictionary: Dictionary, rows: Float[Tensor, "row column"], seed: int) -> None:
    """Fill a dictionary for training rows like these; a transcoder's hold its input and its target side by side."""
    x, target = dictionary.ends.split(rows, dictionary.width)
    ranks = dictionary.ranks.with_same_rows()
    blocks = _blocks(dictionary, seed)
    dictionary.encoder.copy_(_directions(dictionary, blocks))
    dictionary.encoder_bias.zero_()
    dictionary.decoder_bias.copy_(geometric_median(target))
    x, target = x[:SAMPLE].to(dictionary.encoder), target[:SAMPLE].to(dictionary.encoder)
    if dictionary.ends.target is None:
        dictionary.decoder.copy_(dictionary.encoder)
    if dictionary.k is not None:
        dictionary.start(dictionary.scores(x), dictionary.k / (dictionary.features * ranks.feature_parts))
    active = dictionary.select_in_training(ranks.scores(DenseScores(dictionary.scores(x))))
    wanted = target - dictionary.decoder_bias
    if dictionary.ends.target is not None:
        dictionary.decoder.copy_(_likely_targets(dictionary, active, wanted, blocks))
    dictionary.decoder.div_(dictionary.direction_norms().unsqueeze(1))
    reconstruction = ranks.over_features(dictionary.decode_active(active))
    fit = (wanted * reconstruction).sum() / reconstruction.square().sum().clamp_min(1e-12)
    dictionary.scale_values(fit.expand(dictionary.features))


class _Block(NamedTuple):
    """A run of features whose random numbers come from one generator, and which of them are one's own."""

    generator: torch.Generator
    size: int
    own: slice


def _blocks(dictionary: Dictionary, seed: int) -> list[_Block]:
    ranks, blocks = dictionary.ranks, []
    everything = dictionary.features * ranks.feature_parts
    first = dictionary.features * ranks.feature_part
    last = first + dictionary.features
    for number in range(first // BLOCK, -(-last // BLOCK)):
        start = number * BLOCK
        own = slice(max(first, start) - start, min(last, start + BLOCK) - start)
        # The first block's seed is the run's own; the others are far from those of other runs.
        generator = torch.Generator().manual_seed(seed + number * 0x9E3779B97F4A7C15 % (1 << 63))
        blocks.append(_Block(generator, min(BLOCK, everything - start), own))
    return blocks


def _drawn(blocks: Sequence[_Block], width: int) -> Float[Tensor, "feature width"]:
    return torch.cat([torch.randn(block.size, width, generator=block.generator)[block.own] for block in blocks])


def _directions(dictionary: Dictionary, blocks: Sequence[_Block]) -> Float[Tensor, "feature width"]:
    widths = [part.width for part in dictionary.ends.parts] or [dictionary.width]
    drawn = {width: _drawn(blocks, width) for width in dict.fromkeys(widths)}
    directions = torch.cat([drawn[width] for width in widths], dim=1)
    return directions / directions.norm(dim=1, keepdim=True)


def _likely_targets(
    dictionary: Dictionary, active: Active, wanted: Float[Tensor, "row target"], blocks: Sequence[_Block]
) -> Float[Tensor, "feature target"]:
    """The sum of the targets of each feature's rows, weighted by its values; random where it has none."""
    sums = by_feature(active, dictionary.features).sums(active.values, wanted)
    random = _drawn(blocks, sums.shape[1]).to(sums)
    return torch.where(sums.norm(dim=1, keepdim=True) > 0, sums, random)
