"""Where training starts: bias, directions and thresholds, from the first rows of the source, already in training units.

1. Decoder bias: the geometric median of the rows (Weiszfeld's iteration), which outliers do not drag along.
2. Decoder: random directions of unit norm; a crosscoder's are the same at all sites of one width, so that what sites
   share starts out shared. Encoder: the same directions.
3. A transcoder's encoder is random and its decoder what the target is like where a feature is active, which is where a
   first step from zero would lead.
4. A kind that judges each feature by itself gets thresholds that let k features a row be active.
5. Values are multiplied by the one number that makes the first reconstruction of these rows best in least squares.

Sources: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", appendix A.1; Bricken et al. 2023 for the
median; Paulo et al. 2025 for transcoders that start from zero.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active, by_feature
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.scores import DenseScores

MEDIAN_STEPS = 100
SAMPLE = 4096
"""Rows that values are fitted on."""


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
    generator = torch.Generator().manual_seed(seed)
    dictionary.encoder.copy_(_directions(dictionary, generator))
    dictionary.encoder_bias.zero_()
    dictionary.decoder_bias.copy_(geometric_median(target))
    x, target = x[:SAMPLE].to(dictionary.encoder), target[:SAMPLE].to(dictionary.encoder)
    if dictionary.ends.target is None:
        dictionary.decoder.copy_(dictionary.encoder)
    if dictionary.k is not None:
        dictionary.start(dictionary.scores(x), dictionary.k / dictionary.features)
    active = dictionary.select_in_training(DenseScores(dictionary.scores(x)))
    wanted = target - dictionary.decoder_bias
    if dictionary.ends.target is not None:
        dictionary.decoder.copy_(_likely_targets(dictionary, active, wanted, generator))
    dictionary.decoder.div_(dictionary.direction_norms().unsqueeze(1))
    reconstruction = dictionary.decode_active(active)
    fit = (wanted * reconstruction).sum() / reconstruction.square().sum().clamp_min(1e-12)
    dictionary.scale_values(fit.expand(dictionary.features))


def _directions(dictionary: Dictionary, generator: torch.Generator) -> Float[Tensor, "feature width"]:
    widths = [part.width for part in dictionary.ends.parts] or [dictionary.width]
    drawn = {width: torch.randn(dictionary.features, width, generator=generator) for width in dict.fromkeys(widths)}
    directions = torch.cat([drawn[width] for width in widths], dim=1)
    return directions / directions.norm(dim=1, keepdim=True)


def _likely_targets(
    dictionary: Dictionary, active: Active, wanted: Float[Tensor, "row target"], generator: torch.Generator
) -> Float[Tensor, "feature target"]:
    """The sum of the targets of each feature's rows, weighted by its values; random where it has none."""
    sums = by_feature(active, dictionary.features).sums(active.values, wanted)
    random = torch.randn(sums.shape, generator=generator).to(sums)
    return torch.where(sums.norm(dim=1, keepdim=True) > 0, sums, random)
