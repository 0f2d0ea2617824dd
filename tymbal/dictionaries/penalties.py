"""The losses of kinds that judge each feature by itself: a penalty keeps most features at zero.

    relu      λ Σ value · norm / √variance                          norm of the feature's direction, summed over sites
    gated     λ Σ relu(gate) / √variance  +  |x - x̃|² / variance    x̃ from relu(gate) through a decoder held fixed
    jumprelu  λ Σ 1[z > θ]
      tanh    λ Σ tanh(4 · value)  +  3e-6 Σ relu(θ - z)

each as the mean over rows. λ is `sparsity`. With variance and its root as units, λ means the same for every model.

The jump at a threshold has no gradient for the threshold. Its pseudo-derivative is the gradient of the mean loss when
scores are smoothed by a rectangular kernel of width ε (`bandwidth`):

    d value / dθ = -(θ / ε) · 1[|z - θ| < ε / 2]        d 1[z > θ] / dθ = -(1 / ε) · 1[|z - θ| < ε / 2]

Sources: Anthropic, April 2024, "Update on how we train SAEs" (relu); Rajamanoharan et al. 2024, "Improving Dictionary
Learning with Gated Sparse Autoencoders", equation 8; Rajamanoharan et al. 2024, "Jumping Ahead", equations 9 to 12;
Anthropic, January 2025, "Dictionary Learning Optimization Techniques" (tanh; here the threshold is learned itself, not
its logarithm, and directions have norm 1).
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.active import decoded
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU
from tymbal.dictionaries.reconstruction import Penalised, Rows, Terms, base, entries, written
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.scores import Scores

TANH_SCALE = 4.0
PREACTIVATION = 3e-6
"""Of the tanh penalty: its scale, and the weight of what pulls scores up to their thresholds (Anthropic)."""


def relu_terms(dictionary: ReLU, rows: Rows, scores: Scores, terms: Terms) -> Penalised:
    """L1 of the values, each times the norm of its direction."""
    active = dictionary.select_in_training(scores)
    found = entries(dictionary, rows.x, active)
    ranks = dictionary.ranks
    lengths = ranks.over_features((found.values * found.gathered(dictionary.direction_norms())).sum())
    error = rows.target - (written(dictionary, found) + base(dictionary, rows.x))
    return Penalised(error, terms.sparsity * lengths / (ranks.rows(len(rows.x)) * terms.variance**0.5), active)


def gated_terms(dictionary: Gated, rows: Rows, scores: Scores, terms: Terms) -> Penalised:
    """L1 of the open gates, and how well they alone reconstruct through a decoder held fixed."""
    open_gates = scores.above(torch.zeros_like(dictionary.encoder_bias))
    found = entries(dictionary, rows.x, open_gates)
    centred = found.values - found.gathered(dictionary.encoder_bias)
    values = (found.gathered(dictionary.log_gain).exp() * centred + found.gathered(dictionary.gain_bias)).relu()
    error = rows.target - (written(dictionary, found, values) + base(dictionary, rows.x))
    ranks = dictionary.ranks
    through_gates = ranks.over_features(decoded(found.values, dictionary.decoder.detach(), open_gates, found.order))
    missed = rows.target - (through_gates + base(dictionary, rows.x).detach())
    lengths = ranks.over_features(found.values.sum())
    more = terms.sparsity * lengths / terms.variance**0.5 + missed.square().sum() / terms.variance
    return Penalised(error, more / ranks.rows(len(rows.x)), open_gates._replace(values=values.detach()))


def jumprelu_terms(dictionary: JumpReLU, rows: Rows, scores: Scores, terms: Terms) -> Penalised:
    """The number of active features or the tanh of their values; entries near a threshold count too, as zeros."""
    threshold, width = dictionary.threshold, terms.bandwidth
    near = scores.above(threshold.detach() - width / 2)
    found = entries(dictionary, rows.x, near)
    thresholds = found.gathered(threshold)
    values = _Jump.apply(found.values, thresholds, width)
    error = rows.target - (written(dictionary, found, values) + base(dictionary, rows.x))
    if terms.penalty == "tanh":
        everything = torch.arange(dictionary.features, device=rows.x.device)
        below = pulled_up(dictionary, rows.x, everything, scores.dense())
        sizes = (TANH_SCALE * values).tanh().sum()
    else:
        below, sizes = 0.0, _Step.apply(found.values, thresholds, width).sum()
    ranks = dictionary.ranks
    more = terms.sparsity * ranks.over_features(sizes) / ranks.rows(len(rows.x)) + below
    return Penalised(error, more, near._replace(values=values.detach()))


def pulled_up(
    dictionary: JumpReLU,
    x: Float[Tensor, "row width"],
    which: Int[Tensor, " chosen"],
    scores: Float[Tensor, "row chosen"],
) -> Float[Tensor, ""]:
    """What pulls scores of these features up to their thresholds, and the thresholds down: 3e-6 Σ relu(θ - z)."""
    below = _Below.apply(
        dictionary.encoder[which],
        dictionary.encoder_bias[which],
        dictionary.centre(),
        dictionary.threshold[which],
        dictionary.centred(x).detach(),
        scores,
    )
    return PREACTIVATION * dictionary.ranks.over_features(below) / dictionary.ranks.rows(len(x))


class _Jump(torch.autograd.Function):
    """z where it exceeds its threshold, else 0; see the head of this file for the threshold's gradient."""

    @staticmethod
    def forward(ctx: Any, scores, thresholds, bandwidth: float):
        ctx.save_for_backward(scores, thresholds)
        ctx.bandwidth = bandwidth
        return scores * (scores > thresholds)

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        scores, thresholds = ctx.saved_tensors
        near = (scores - thresholds).abs() < ctx.bandwidth / 2
        to_threshold = grad_outputs[0] * near * thresholds / -ctx.bandwidth
        return grad_outputs[0] * (scores > thresholds), to_threshold, None


class _Step(torch.autograd.Function):
    """1 where z exceeds its threshold, else 0; only the threshold has a gradient."""

    @staticmethod
    def forward(ctx: Any, scores, thresholds, bandwidth: float):
        ctx.save_for_backward(scores, thresholds)
        ctx.bandwidth = bandwidth
        return (scores > thresholds).to(scores.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        scores, thresholds = ctx.saved_tensors
        near = (scores - thresholds).abs() < ctx.bandwidth / 2
        return None, grad_outputs[0] * near / -ctx.bandwidth, None


class _Below(torch.autograd.Function):
    """Σ relu(θ - z) over all scores; nearly all are below, so that its gradient is a dense product."""

    @staticmethod
    def forward(ctx: Any, encoder, encoder_bias, centre, threshold, centred, scores):  # noqa: ARG004
        ctx.save_for_backward(scores < threshold, encoder, centred)
        return (threshold - scores).relu().sum()

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        below, encoder, centred = ctx.saved_tensors
        weights = below.to(centred.dtype).mul_(grad_outputs[0])
        counts = weights.sum(0)
        return -(weights.T @ centred), -counts, counts @ encoder, counts, None, None
