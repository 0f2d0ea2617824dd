"""What a dictionary is set against: one that learned nothing, and the best linear subspace of as many dimensions."""

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import AUTOENCODER
from tymbal.dictionaries.initial import initialise
from tymbal.dictionaries.topk import TopK


@torch.no_grad()
def usual_l0(dictionary: Dictionary, rows: Float[Tensor, "row width"]) -> int:
    """How many features a dictionary uses a row: its k, or what it uses on these rows where it has none."""
    if dictionary.k is not None:
        return dictionary.k
    return min(dictionary.features, max(1, round(float(dictionary.encode(rows).l0().double().mean()))))


def random_dictionary(like: Dictionary, rows: Float[Tensor, "row column"], seed: int) -> TopK:
    """A TopK of the same shape and L0: random directions, encoder = decoder times the number that suits `rows` best.

    It is where training starts, so what separates a dictionary from it was learned. Where a transcoder's rows hold
    input and target side by side it is a transcoder too; from its input alone, an autoencoder of that.
    """
    ends = like.ends if rows.shape[1] > like.width else AUTOENCODER
    random = TopK(like.width, like.features, usual_l0(like, rows[:, : like.width]), site=like.site, ends=ends)
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
