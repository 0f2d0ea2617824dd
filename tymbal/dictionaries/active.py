"""Active features of a training batch, and gradients that touch only them.

`Active` is a list of entries (row, feature, value), row after row. With it a step needs one dense product, that of the
scores; everything else costs entries × width:

    decode                 x̂[row] = Σ value · decoder[feature]             a weighted sum of gathered rows
    gradient of a value    grad x̂[row] · decoder[feature]                  a gathered dot product
    gradient of decoder    Σ value · grad x̂[row] over the feature's rows   a weighted sum of gathered rows
    gradient of encoder    Σ grad value · (x - decoder_bias)[row]          the same

The last two need the entries sorted by feature (`ByFeature`), once a step. On the CPU all four run in torch's
embedding-bag kernel, which sums each bag in order, so that the result does not depend on how threads share the work; on
CUDA devices in kernels of our own (`kernels/`), which keep an order too.

The gradient of the decoder bias through the encoder is `-Σ grad value · encoder[feature]` over all entries, which is
a vector times a matrix: the bias gradient of the encoder times the encoder.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries import kernels

_INT16 = 1 << 15
"""Features up to this many have numbers that fit into 16 bits."""


class Active(NamedTuple):
    """Active features of a batch, row after row; row r owns the entries from `offsets[r]` to `offsets[r + 1]`."""

    features: Int[Tensor, " entry"]
    values: Float[Tensor, " entry"]
    offsets: Int[Tensor, " row"]


class ByFeature(NamedTuple):
    """The same entries sorted by feature: which entry, of which row, and where each feature's entries begin."""

    entry: Int[Tensor, " entry"]
    row: Int[Tensor, " entry"]
    offsets: Int[Tensor, " feature"]
    counts: Int[Tensor, " feature"]
    unsorted_row: Int[Tensor, " entry"]
    """The row of each entry in the order of `Active`."""

    def sums(
        self, weights: Float[Tensor, " entry"], rows: Float[Tensor, "row width"]
    ) -> Float[Tensor, "feature width"]:
        """For each feature, the sum of its entries' rows, each times its weight."""
        if kernels.serves(rows):
            from tymbal.dictionaries.kernels import sums

            return sums.uneven_weighted_sums(self.row, weights[self.entry], self.offsets, rows)
        return weighted_sums(self.row, weights[self.entry], self.offsets, rows)

    def totals(self, weights: Float[Tensor, " entry"]) -> Float[Tensor, " feature"]:
        """For each feature, the sum of its entries' weights."""
        return torch.segment_reduce(weights[self.entry], "sum", lengths=self.counts, unsafe=True)


def by_feature(active: Active, features: int) -> ByFeature:
    """Sort entries by feature; ties stay in order of rows, so that sums always run in the same order."""
    narrow = torch.int16 if features <= _INT16 else torch.int32  # a sort of few bytes takes few passes
    entry = torch.sort(active.features.to(narrow), stable=True).indices
    counts = torch.bincount(active.features, minlength=features)
    lengths = torch.diff(active.offsets, append=active.offsets.new_tensor([active.features.numel()]))
    rows = torch.arange(len(active.offsets), device=active.offsets.device)
    row = torch.repeat_interleave(rows, lengths, output_size=active.features.numel())
    return ByFeature(entry, row[entry], counts.cumsum(0) - counts, counts, row)


def weighted_sums(
    gathered: Int[Tensor, " entry"],
    weights: Float[Tensor, " entry"],
    offsets: Int[Tensor, " bag"],
    table: Float[Tensor, "line width"],
) -> Float[Tensor, "bag width"]:
    """For each bag of entries, the sum of `weight · table[gathered]`; zero for an empty bag."""
    if kernels.serves(table):
        from tymbal.dictionaries.kernels import sums

        return sums.weighted_sums(gathered, weights, offsets, table)
    return F.embedding_bag(gathered, table, offsets, mode="sum", per_sample_weights=weights)


def gathered_dots(
    rows: Float[Tensor, "row width"],
    table: Float[Tensor, "line width"],
    gathered: Int[Tensor, " entry"],
    offsets: Int[Tensor, " row"],
    row: Int[Tensor, " entry"],
) -> Float[Tensor, " entry"]:
    """For each entry `rows[row] · table[gathered]`; entries stand row after row, from `offsets` on."""
    if kernels.serves(table):
        from tymbal.dictionaries.kernels import sums

        return sums.gathered_dots(rows, table, gathered, offsets)
    # torch's derivative of a bag's sum in the weights of its entries is this very product.
    return torch.ops.aten._embedding_bag_per_sample_weights_backward(rows, table, gathered, offsets, row, mode=0)


class _Values(torch.autograd.Function):
    """The values of the entries as a function of the encoder and both biases; x itself has no gradient."""

    @staticmethod
    def forward(ctx: Any, encoder, encoder_bias, decoder_bias, x, active: Active, order: ByFeature):  # noqa: ARG004
        ctx.save_for_backward(encoder, x - decoder_bias, active.values > 0)
        ctx.order = order
        return active.values.view_as(active.values)

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        encoder, centred, positive = ctx.saved_tensors
        grad_values = grad_outputs[0] * positive
        grad_bias = ctx.order.totals(grad_values)
        return ctx.order.sums(grad_values, centred), grad_bias, -(grad_bias @ encoder), None, None, None


class _Decoded(torch.autograd.Function):
    """Σ value · decoder[feature] for each row, as a function of the values and the decoder."""

    @staticmethod
    def forward(ctx: Any, values, decoder, active: Active, order: ByFeature):
        ctx.save_for_backward(values, decoder)
        ctx.active, ctx.order = active, order
        return weighted_sums(active.features, values, active.offsets, decoder)

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        (values, decoder), active, order = ctx.saved_tensors, ctx.active, ctx.order
        grad_decoded = grad_outputs[0].contiguous()
        grad_values = gathered_dots(grad_decoded, decoder, active.features, active.offsets, order.unsorted_row)
        return grad_values, order.sums(values, grad_decoded), None, None


def active_values(
    x: Float[Tensor, "row width"],
    encoder: Float[Tensor, "feature width"],
    encoder_bias: Float[Tensor, " feature"],
    decoder_bias: Float[Tensor, " width"],
    active: Active,
    order: ByFeature,
) -> Float[Tensor, " entry"]:
    """`active.values`, with their gradient in the encoder, its bias and the decoder bias.

    The caller has computed the values from the same parameters; a value of 0 (cut off by ReLU) has no gradient.
    """
    return _Values.apply(encoder, encoder_bias, decoder_bias, x, active, order)


def decoded(
    values: Float[Tensor, " entry"], decoder: Float[Tensor, "feature width"], active: Active, order: ByFeature
) -> Float[Tensor, "row width"]:
    """Σ value · decoder[feature] for each row, with gradients in the values and the decoder; no bias is added."""
    return _Decoded.apply(values, decoder, active, order)
