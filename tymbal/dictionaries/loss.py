"""What training minimises: the squared error of the reconstruction, the kind's own terms, and AuxK for dead features.

    loss = Σ|x - x̂|² / (rows · variance)  +  the kind's terms  +  aux · Σ|e - ê|² / Σ|e|²

`e = x - x̂` is held fixed in the last term and ê is its reconstruction from the highest-scoring dead features alone
(without the decoder bias), so that a dead feature learns what the live ones leave over. Its gradient reaches the
encoder, both biases and the decoder like that of any other value. A jumprelu's dead features also have their scores
pulled up to their thresholds, and these down (`penalties.py`): nothing else teaches a threshold far above all scores.

    topk, batch_topk   nothing more; with `multi_topk` an eighth of the error with 4k features a row is added
    matryoshka         the mean of the errors of all prefixes' reconstructions instead of the last one's alone
    relu, gated, jumprelu   a penalty on active features (`penalties.py`)

A transcoder's x̂ stands for its target in place of x; a crosscoder's errors are summed over its sites.

Sources: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", section 2.4 and appendix A.2, and on Multi-TopK;
Bussmann et al. 2025, "Learning Multi-Level Features with Matryoshka Sparse Autoencoders", section 3.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active, decoded
from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.penalties import gated_terms, jumprelu_terms, pulled_up, relu_terms
from tymbal.dictionaries.reconstruction import Penalised, Rows, Terms, base, entries, written
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.scores import DenseScores, Scores
from tymbal.dictionaries.screened_scores import ScreenedScores
from tymbal.dictionaries.screening import Room
from tymbal.dictionaries.topk import TopK

DENSE_AUX = 8
"""Up to this many times as many dead features as AuxK keeps in a row, dense products are faster than sparse sums."""
MULTI, MULTI_WEIGHT = 4, 1 / 8
"""Multi-TopK adds the reconstruction from so many times k features, with this weight (Gao et al.)."""


class Loss(NamedTuple):
    """One batch's loss and what it was made from."""

    total: Float[Tensor, ""]
    squared_error: Float[Tensor, ""]
    """Σ|x - x̂|², without gradient, in squared units of x."""
    active: Active
    uncertified: int
    """Rows that a screen was not enough for; all of them where there is none."""


def batch_loss(
    dictionary: Dictionary,
    x: Float[Tensor, "row width"],
    terms: Terms,
    *,
    target: Float[Tensor, "row target"] | None = None,
    room: Room | None = None,
    exact: Dictionary | None = None,
) -> Loss:
    """The loss of one batch; `target` is what a transcoder should write. With `room` for it, scores are screened.

    Where `dictionary` is a rounded copy, `exact` is what it was rounded from: its scores choose the features.
    """
    rows = Rows(x.to(dictionary.encoder), x if target is None else target)
    with torch.no_grad():
        scores = _scores(dictionary if exact is None else exact, x, room)
    found = OBJECTIVES[type(dictionary)](dictionary, rows, scores, terms)
    squared_error = found.error.to(rows.target.dtype).square().sum()
    total = squared_error / (dictionary.ranks.rows(len(x)) * terms.variance) + found.terms
    if terms.aux > 0:
        which = terms.dead.nonzero().squeeze(-1)
        dead = int(dictionary.ranks.over_features(torch.tensor(len(which), device=x.device)))
        if dead:
            total = total + terms.aux * _aux_loss(dictionary, rows.x, found.error.detach(), scores, which, dead)
    return Loss(total, squared_error.detach(), found.active, scores.uncertified)


def _scores(dictionary: Dictionary, x: Tensor, room: Room | None) -> Scores:
    if room is None:
        own = DenseScores(dictionary.scores(x))
    else:
        bias = dictionary.encoder_bias.detach()
        own = ScreenedScores(dictionary.centred(x), dictionary.encoder.detach(), bias, room)
    return dictionary.ranks.scores(own)


def topk_terms(dictionary: TopK | BatchTopK, rows: Rows, scores: Scores, terms: Terms) -> Penalised:
    """Nothing more than the error; with Multi-TopK that of a wider selection."""
    active = dictionary.select_in_training(scores)
    error = _error(dictionary, rows, active)
    if not terms.multi_topk:
        return Penalised(error, error.new_zeros(()), active)
    ranks = dictionary.ranks
    wider = scores.highest_in_each_row(min(MULTI * dictionary.places, dictionary.features * ranks.feature_parts))
    more = MULTI_WEIGHT * _error(dictionary, rows, wider).square().sum() / (ranks.rows(len(rows.x)) * terms.variance)
    return Penalised(error, more, active)


def _error(dictionary: Dictionary, rows: Rows, active: Active) -> Float[Tensor, "row target"]:
    return rows.target - (written(dictionary, entries(dictionary, rows.x, active)) + base(dictionary, rows.x))


def matryoshka_terms(dictionary: Matryoshka, rows: Rows, scores: Scores, terms: Terms) -> Penalised:
    """The mean of all prefixes' errors in place of the last one's.

    Entries of a row stand in ascending order of features, so that those of each ring (a prefix less the one before it)
    lie together: rings are decoded as rows of their own, and summed up.
    """
    active = dictionary.select_in_training(scores)
    found = entries(dictionary, rows.x, active)
    count, rings = len(rows.x), len(dictionary.prefixes)
    ring = torch.bucketize(active.features, torch.tensor(dictionary.prefixes), right=True)
    lengths = torch.diff(active.offsets, append=active.offsets.new_tensor([len(ring)]))
    bag = torch.repeat_interleave(torch.arange(count), lengths) * rings + ring
    counts = torch.bincount(bag, minlength=count * rings)
    ringed = Active(active.features, found.values.detach(), counts.cumsum(0) - counts)
    parts = decoded(
        found.values, dictionary.decoder, ringed, found.order._replace(row=bag[found.order.entry], unsorted_row=bag)
    )
    smaller, error = _PrefixErrors.apply(rows.target - base(dictionary, rows.x), parts.view(count, rings, -1))
    # The caller adds the whole error once, so that this makes it the mean over all prefixes.
    more = smaller / rings - (1 - 1 / rings) * error.square().sum()
    return Penalised(error, more / (count * terms.variance), active)


class _PrefixErrors(torch.autograd.Function):
    """What is left of each row after one ring, two and so on: the summed squares of all but the last, and the last.

    The table of rows × rings × width is by far the largest in a step, so that it is gone through as rarely as can be.
    """

    @staticmethod
    def forward(ctx: Any, whole, parts):
        errors, left, smaller = torch.empty_like(parts), whole, whole.new_zeros(())
        for ring in range(parts.shape[1]):
            if ring:
                smaller += torch.linalg.vector_norm(left) ** 2
            left = torch.sub(left, parts[:, ring], out=errors[:, ring])
        ctx.save_for_backward(errors)
        return smaller, left.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        (errors,), (grad_smaller, grad_last) = ctx.saved_tensors, grad_outputs
        grads = torch.empty_like(errors)
        torch.neg(grad_last, out=grads[:, -1])
        for ring in range(errors.shape[1] - 2, -1, -1):
            torch.sub(grads[:, ring + 1], 2 * grad_smaller * errors[:, ring], out=grads[:, ring])
        return -grads[:, 0], grads


OBJECTIVES: dict[type[Dictionary], Callable[[Any, Rows, Scores, Terms], Penalised]] = {
    TopK: topk_terms,
    BatchTopK: topk_terms,
    Matryoshka: matryoshka_terms,
    JumpReLU: jumprelu_terms,
    Gated: gated_terms,
    ReLU: relu_terms,
}
"""Each kind's error and own terms."""


def _aux_loss(
    dictionary: Dictionary, x: Tensor, error: Tensor, scores: Scores, which: Tensor, dead: int
) -> Float[Tensor, ""]:
    """AuxK for one's own dead features (`which`) among all that are `dead`."""
    count = min(dead, max(1, dictionary.target_width // 2))  # Gao et al.: about half the width
    if dead <= DENSE_AUX * count:
        reconstruction = _densely_written(dictionary, x, which, count if count < dead else None)
    else:
        chosen = dictionary.ranks.scores(DenseScores(scores.of(which))).highest_in_each_row(count)
        chosen = chosen._replace(features=which[chosen.features])
        reconstruction = written(dictionary, entries(dictionary, x, chosen))
    whole = dictionary.ranks.over_rows(error.square().sum()).clamp_min(torch.finfo(error.dtype).tiny)
    loss = (error - reconstruction).square().sum() / whole
    if isinstance(dictionary, JumpReLU):
        loss = loss + pulled_up(dictionary, x, which, scores.of(which))
    return loss


def _densely_written(
    dictionary: Dictionary, x: Tensor, which: Tensor, count: int | None
) -> Float[Tensor, "row target"]:
    """Σ value · direction of the `count` highest among few features (None: of all), by dense products."""
    encoder, centre = dictionary.encoder[which], dictionary.centre()
    # The centre enters as a vector of zeros that has its gradient: a product with a vector in place of a matrix.
    shift = dictionary.encoder_bias[which] + encoder @ (centre.detach() - centre)
    scores = torch.addmm(shift, dictionary.centred(x).detach(), encoder.T)
    if count is not None:
        kept = dictionary.ranks.scores(DenseScores(scores.detach())).highest_in_each_row(count)
        lengths = torch.diff(kept.offsets, append=kept.offsets.new_tensor([kept.features.numel()]))
        row = torch.repeat_interleave(lengths, output_size=kept.features.numel())
        scores = scores * torch.zeros_like(scores).index_put_((row, kept.features), scores.new_ones(()))
    return dictionary.ranks.over_features(scores.relu() @ dictionary.decoder[which])
