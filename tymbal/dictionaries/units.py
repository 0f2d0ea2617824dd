"""The units in which a dictionary is trained, and the way back from them to the model's own.

Rows of each site are multiplied by one number so that their mean squared norm is the width. A transcoder's input is
centred first, since its encoder subtracts nothing. `fold` puts all of this into the parameters, so that the saved
dictionary takes activations as the model makes them and its directions have norm 1 in the model's units.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.jumprelu import as_jumprelu
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.errors import TrainingError

FIRST_ROWS = 16384
"""Rows that units are taken from."""


class Units(NamedTuple):
    """How a source's rows become training rows, column by column: (row - shift) · scale."""

    scale: Float[Tensor, " column"]
    shift: Float[Tensor, " column"]
    """Not zero for a transcoder's input alone."""
    variance: float
    """Mean squared distance of what is reconstructed from its mean, in training units."""

    def applied(self, rows: Float[Tensor, "row column"]) -> Float[Tensor, "row column"]:
        """Training rows."""
        centred = rows - self.shift.to(rows) if bool(self.shift.any()) else rows
        return centred * self.scale.to(rows)


def units(rows: Float[Tensor, "row column"], ends: Ends = AUTOENCODER) -> Units:
    """The units for these activations; raises `TrainingError` where they are not finite or all equal."""
    exact = rows.double()
    read = exact.shape[1] - (ends.target.width if ends.target else 0)
    scale, shift, variances = torch.ones(exact.shape[1]).double(), torch.zeros(exact.shape[1]).double(), []
    for columns in ends.columns(exact.shape[1]):
        part = exact[:, columns]
        norm, mean = part.square().sum(1).mean(), part.mean(0)
        variance = (part - mean).square().sum(1).mean()
        _require_usable(norm, variance)
        centred = ends.target is not None and columns.stop <= read
        factor = (part.shape[1] / (variance if centred else norm)).sqrt()
        scale[columns] = factor
        if centred:
            shift[columns] = mean
        else:
            variances.append(float(variance) * float(factor) ** 2)
    return Units(scale, shift, sum(variances))


def _require_usable(norm: Tensor, variance: Tensor) -> None:
    if not torch.isfinite(norm):
        raise TrainingError(
            expected="finite activations", got="NaN or infinity among the first rows", do="harvest them again"
        )
    if variance <= 1e-12 * norm or norm == 0:
        raise TrainingError(expected="activations that differ", got="the same row throughout", do="harvest more text")


@torch.no_grad()
def fold(dictionary: Dictionary, units: Units) -> Dictionary:
    """A dictionary for the model's own units from one for training units; the argument is used up.

    A crosscoder whose features compete comes back as JumpReLU, which it is in use: each feature's values grow by a
    factor of its own, and so its threshold does.
    """
    if dictionary.ends == AUTOENCODER:
        dictionary.rescale(1 / float(units.scale[0]))
        dictionary.fold_norms()
        return dictionary
    if dictionary.ends.parts and isinstance(dictionary, BatchTopK | Matryoshka):
        dictionary = as_jumprelu(dictionary)
    read, written = (part.to(dictionary.encoder) for part in dictionary.ends.split(units.scale, dictionary.width))
    shift = units.shift[: dictionary.width].to(dictionary.encoder)
    dictionary.encoder.mul_(read)
    dictionary.move_origin(shift)
    dictionary.decoder.div_(written)
    dictionary.decoder_bias.div_(written)
    if dictionary.skip is not None:
        dictionary.skip.mul_(read).div_(written.unsqueeze(1))
        dictionary.decoder_bias.sub_(dictionary.skip @ shift)
    dictionary.fold_norms()
    return dictionary
