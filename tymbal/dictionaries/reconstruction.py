"""A training batch's active features with gradients, and the pieces that losses are made of.

Everything here costs entries × width (`active.py`); no dense codes are made. Sums over entries of a feature run in the
order of the rows, so that they do not depend on how threads share the work.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.dictionaries.active import Active, ByFeature, active_values, by_feature, decoded
from tymbal.dictionaries.dictionary import Dictionary


class Rows(NamedTuple):
    """What a dictionary reads, and what it should write."""

    x: Float[Tensor, "row width"]
    target: Float[Tensor, "row target"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a batch's loss is made of besides the batch."""

    variance: float
    """Mean squared distance of a target row from the mean target row."""
    dead: Bool[Tensor, " feature"]
    """Features for AuxK."""
    aux: float
    """Weight of AuxK."""
    sparsity: float = 0.0
    """Coefficient of the penalty on active features."""
    multi_topk: bool = False
    penalty: Literal["l0", "tanh"] = "l0"
    """Of JumpReLU: the number of active features, or the tanh of their values."""
    bandwidth: float = 1.0
    """Of JumpReLU: scores nearer than half of it to the threshold teach the threshold."""


class Penalised(NamedTuple):
    """The error of a reconstruction, and what the kind adds to the loss."""

    error: Float[Tensor, "row target"]
    terms: Float[Tensor, ""]
    active: Active


class Entries(NamedTuple):
    """Entries of a batch with their values, which carry gradients to the encoder, its bias and the decoder bias."""

    active: Active
    order: ByFeature
    values: Float[Tensor, " entry"]

    def gathered(self, parameter: Float[Tensor, " feature"]) -> Float[Tensor, " entry"]:
        """Each entry's own number of a parameter that has one a feature."""
        return _Gathered.apply(parameter, self.active.features, self.order)


def entries(dictionary: Dictionary, x: Float[Tensor, "row width"], active: Active) -> Entries:
    """The entries of `active`, whose values are scores; in the dictionary's precision."""
    active, order = active._replace(values=active.values.to(x)), by_feature(active, dictionary.features)
    values = active_values(x, dictionary.encoder, dictionary.encoder_bias, dictionary.centre(), active, order)
    return Entries(active, order, values)


def written(
    dictionary: Dictionary, found: Entries, values: Float[Tensor, " entry"] | None = None
) -> Float[Tensor, "row target"]:
    """Σ value · direction for each row, without what it is added to; `values` stand in for those of the entries."""
    chosen = found.values if values is None else values
    active = found.active._replace(values=chosen.detach())
    return dictionary.ranks.over_features(decoded(chosen, dictionary.decoder, active, found.order))


def base(dictionary: Dictionary, x: Float[Tensor, "row width"]) -> Float[Tensor, "*row target"]:
    """What the features are added to: the decoder bias, and a skip transcoder's linear map of the input."""
    if dictionary.skip is None:
        return dictionary.decoder_bias
    return torch.addmm(dictionary.decoder_bias, x, dictionary.skip.T)


class _Gathered(torch.autograd.Function):
    """`parameter[features]`, with a gradient that is summed in a fixed order."""

    @staticmethod
    def forward(ctx: Any, parameter, features, order: ByFeature):
        ctx.order = order
        return parameter[features]

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        return ctx.order.totals(grad_outputs[0]), None, None
