"""Active features of a training batch, and gradients that touch only them.

`Active` is a list of entries (row, feature, value), row after row. With it a step needs one dense product, that of the
scores; everything else costs entries × width:

    decode                 x̂[row] = Σ value · decoder[feature]             a weighted sum of gathered rows
    gradient of a value    grad x̂[row] · decoder[feature]                  a gathered dot product
    gradient of decoder    Σ value · grad x̂[row] over the feature's rows   a weighted sum of gathered rows
    gradient of encoder    Σ grad value · (x - decoder_bias)[row]          the same

The last two need the entries sorted by feature (`ByFeature`), once a step. All four run in torch's embedding-bag
kernel, which sums each bag in order, so that the result does not depend on how threads share the work.

The gradient of the decoder bias through the encoder is `-Σ grad value · encoder[feature]` over all entries, which is
a vector times a matrix: the bias gradient of the encoder times the encoder.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


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

    def sums(
        self, weights: Float[Tensor, " entry"], rows: Float[Tensor, "row width"]
    ) -> Float[Tensor, "feature width"]:
        """For each feature, the sum of its entries' rows, each times its weight."""
        return weighted_sums(self.row, weights[self.entry], self.offsets, rows)

    def totals(self, weights: Float[Tensor, " entry"]) -> Float[Tensor, " feature"]:
        """For each feature, the sum of its entries' weights."""
        return torch.segment_reduce(weights[self.entry], "sum", lengths=self.counts, unsafe=True)


def by_feature(active: Active, features: int) -> ByFeature:
    """Sort entries by feature; ties stay in order of rows, so that sums always run in the same order."""
    entry = torch.argsort(active.features, stable=True)
    counts = torch.bincount(active.features, minlength=features)
    lengths = torch.diff(active.offsets, append=active.offsets.new_tensor([active.features.numel()]))
    rows = torch.arange(len(active.offsets), device=active.offsets.device)
    row = torch.repeat_interleave(rows, lengths, output_size=active.features.numel())
    return ByFeature(entry, row[entry], counts.cumsum(0) - counts, counts)


def weighted_sums(
    gathered: Int[Tensor, " entry"],
    weights: Float[Tensor, " entry"],
    offsets: Int[Tensor, " bag"],
    table: Float[Tensor, "line width"],
) -> Float[Tensor, "bag width"]:
    """For each bag of entries, the sum of `weight · table[gathered]`; zero for an empty bag."""
    return F.embedding_bag(gathered, table, offsets, mode="sum", per_sample_weights=weights)


class _Values(torch.autograd.Function):
    """The values of the entries as a function of the encoder and both biases; x itself has no gradient."""

    @staticmethod
    def forward(ctx: Any, encoder, encoder_bias, decoder_bias, x, active: Active, order: ByFeature):  # noqa: ARG004
        ctx.save_for_backward(encoder, x - decoder_bias, active.values > 0)
        ctx.order = order
        return active.values.clone()

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
        with torch.enable_grad():  # torch's own backward of the values is the gathered dot product
            leaf = values.detach().requires_grad_()
            decoded = weighted_sums(active.features, leaf, active.offsets, decoder.detach())
        ctx.leaf, ctx.decoded, ctx.order = leaf, decoded, order
        return decoded.detach().clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        grad_decoded = grad_outputs[0].contiguous()
        (grad_values,) = torch.autograd.grad(ctx.decoded, ctx.leaf, grad_decoded)
        return grad_values, ctx.order.sums(ctx.leaf.detach(), grad_decoded), None, None


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
