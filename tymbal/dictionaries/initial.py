"""Where training starts: units, bias and directions, from the first rows of the source.

1. Scale: rows are multiplied by one number so that their mean squared norm is the width.
2. Decoder bias: the geometric median of the rows (Weiszfeld's iteration), which outliers do not drag along.
3. Decoder: random directions of unit norm. Encoder: the same directions, times the one number that makes the first
   reconstruction of these rows best in least squares.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", appendix A.1; Bricken et al. 2023 for the median.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.dictionary import Dictionary
from tymbal.errors import TrainingError

MEDIAN_STEPS = 100
FIRST_ROWS = 16384
"""Rows that scale and bias are taken from."""


class Units(NamedTuple):
    """How activations become training rows."""

    scale: float
    """Training row = activation · scale."""
    variance: float
    """Mean squared distance of a training row from the mean row."""


def units(rows: Float[Tensor, "row width"]) -> Units:
    """The scale and variance of these activations; raises `TrainingError` where they are not finite or all equal."""
    exact = rows.double()
    norm = exact.square().sum(1).mean()
    variance = (exact - exact.mean(0)).square().sum(1).mean()
    if not torch.isfinite(norm):
        raise TrainingError(
            expected="finite activations", got="NaN or infinity among the first rows", do="harvest them again"
        )
    if variance <= 1e-12 * norm or norm == 0:
        raise TrainingError(expected="activations that differ", got="the same row throughout", do="harvest more text")
    factor = float((rows.shape[1] / norm).sqrt())
    return Units(factor, float(variance) * factor**2)


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
def initialise(dictionary: Dictionary, rows: Float[Tensor, "row width"], seed: int) -> None:
    """Fill a dictionary for training rows (already scaled) like these."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(dictionary.features, dictionary.width, generator=generator)
    directions /= directions.norm(dim=1, keepdim=True)
    dictionary.decoder.copy_(directions)
    dictionary.encoder.copy_(directions)
    dictionary.encoder_bias.zero_()
    dictionary.decoder_bias.copy_(geometric_median(rows))
    sample = rows[: min(len(rows), 4096)].to(dictionary.decoder)
    centred = sample - dictionary.decoder_bias
    active = dictionary.select_in_training(dictionary.scores(sample))
    reconstruction = dictionary.decode_active(active)
    fit = (centred * reconstruction).sum() / reconstruction.square().sum().clamp_min(1e-12)
    dictionary.encoder.mul_(fit)
