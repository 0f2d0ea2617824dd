"""Codes of the features that pass a test of their own, any number of them in a row."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.dictionaries.batch_topk import packed
from tymbal.dictionaries.dictionary import Codes
from tymbal.dictionaries.scores import Kept


def passing(values: Float[Tensor, "row feature"], passes: Bool[Tensor, "row feature"]) -> Codes:
    """The values that pass, as codes with as many slots as the fullest row needs."""
    positions = passes.flatten().nonzero().squeeze(-1)
    return packed(Kept(positions, values.flatten()[positions]), *values.shape)


def exceeded(scores: Float[Tensor, "row feature"], share: float) -> Float[Tensor, " feature"]:
    """For each feature, what about `share` of its scores exceed."""
    count = min(len(scores), max(1, round(share * len(scores))))
    return torch.topk(scores, count, dim=0, sorted=False).values.amin(0)
