"""What training minimises: the squared error of the reconstruction, and AuxK for features that died.

    loss = Σ|x - x̂|² / (rows · variance)  +  aux · Σ|e - ê|² / Σ|e|²

`e = x - x̂` is held fixed in the second term and ê is its reconstruction from the highest-scoring dead features alone
(without the decoder bias), so that a dead feature learns what the live ones leave over. Its gradient reaches the
encoder, both biases and the decoder like that of any other value.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", section 2.4 and appendix A.2.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.dictionaries.active import Active, active_values, by_feature, decoded
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.topk import highest_in_each_row


class Loss(NamedTuple):
    """One batch's loss and what it was made from."""

    total: Float[Tensor, ""]
    squared_error: Float[Tensor, ""]
    """Σ|x - x̂|², without gradient, in squared units of x."""
    active: Active


def batch_loss(
    dictionary: Dictionary,
    x: Float[Tensor, "row width"],
    *,
    variance: float,
    dead: Bool[Tensor, " feature"],
    aux: float,
    buffer: Float[Tensor, "row feature"] | None = None,
) -> Loss:
    """The loss of one batch.

    `variance` is the mean squared distance of a row from the mean row; `dead` marks features for AuxK, whose weight
    is `aux`. `buffer` is room for the scores: a fresh one each step costs as much as a fifth of the product.
    """
    with torch.no_grad():
        scores = dictionary.scores(x, out=buffer)
        active = dictionary.select_in_training(scores)
    reconstruction = _reconstructed(dictionary, x, active) + dictionary.decoder_bias
    error = x - reconstruction
    squared_error = error.square().sum()
    total = squared_error / (len(x) * variance)
    if aux > 0 and bool(dead.any()):
        total = total + aux * _aux_loss(dictionary, x, error.detach(), scores, dead)
    return Loss(total, squared_error.detach(), active)


def _reconstructed(dictionary: Dictionary, x: Tensor, active: Active) -> Float[Tensor, "row width"]:
    order = by_feature(active, dictionary.features)
    values = active_values(x, dictionary.encoder, dictionary.encoder_bias, dictionary.decoder_bias, active, order)
    return decoded(values, dictionary.decoder, active, order)


def _aux_loss(dictionary: Dictionary, x: Tensor, error: Tensor, scores: Tensor, dead: Tensor) -> Float[Tensor, ""]:
    which = dead.nonzero().squeeze(-1)
    count = min(len(which), max(1, dictionary.width // 2))  # Gao et al.: about half the width
    chosen = highest_in_each_row(scores[:, which], count)
    chosen = chosen._replace(features=which[chosen.features])
    missed = error - _reconstructed(dictionary, x, chosen)
    return missed.square().sum() / error.square().sum().clamp_min(torch.finfo(error.dtype).tiny)
