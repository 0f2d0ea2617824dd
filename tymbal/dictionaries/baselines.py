"""What a dictionary is set against: one that learned nothing, and the best linear subspace of as many dimensions."""

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.initial import initialise
from tymbal.dictionaries.topk import TopK


def random_dictionary(like: Dictionary, rows: Float[Tensor, "row width"], seed: int) -> TopK:
    """A TopK of the same shape and k: random directions, encoder = decoder times the one number that suits `rows` best.

    It is where training starts, so what separates a dictionary from it was learned.
    """
    random = TopK(like.width, like.features, like.k, site=like.site)
    initialise(random, rows.float(), seed)
    return random.to(rows.device).requires_grad_(False)


class Subspace:
    """The principal subspace of given mean and covariance; the best linear reconstruction from `dimensions` numbers."""

    def __init__(
        self, mean: Float[Tensor, " width"], covariance: Float[Tensor, "width width"], dimensions: int
    ) -> None:
        self.mean = mean.double()
        vectors = torch.linalg.eigh(covariance.double()).eigenvectors
        self.basis: Float[Tensor, "width dimension"] = vectors[:, -min(dimensions, len(mean)) :]

    def squared_errors(self, rows: Float[Tensor, "row width"]) -> Float[Tensor, " row"]:
        """Squared distance of each row from the subspace, in fp64."""
        centred = rows.double() - self.mean
        return (centred - centred @ self.basis @ self.basis.T).square().sum(1)
