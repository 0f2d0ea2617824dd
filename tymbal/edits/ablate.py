"""Ablation: put something that says nothing in place of activations.

Zero, the mean, activations of other texts (resample ablation: Chan et al. 2022, "Causal scrubbing"), or the same
activation without some directions (directional ablation: Arditi et al. 2024).
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.edits.requirements import require_width
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.models import LanguageModel, TokenPlaces

Replacement = Callable[[Tensor, TokenPlaces], Tensor]


@final
@dataclass(frozen=True, eq=False)
class Ablate:
    """Make one with `zero`, `mean`, `resample` or `directions`."""

    replacement: Replacement
    _: KW_ONLY
    site: str
    width: int | None
    """of what is put in place; None fits every model"""
    where: Where = EVERYWHERE

    @staticmethod
    def zero(*, site: str, where: Where = EVERYWHERE) -> "Ablate":
        """Zeros in place of activations."""
        return Ablate(lambda activation, _: torch.zeros_like(activation), site=site, width=None, where=where)

    @staticmethod
    def mean(mean: Float[Tensor, " width"], *, site: str, where: Where = EVERYWHERE) -> "Ablate":
        """One mean activation in place of each."""
        return Ablate(
            lambda activation, _: mean.to(activation).expand_as(activation), site=site, width=len(mean), where=where
        )

    @staticmethod
    def resample(rows: Float[Tensor, "row width"], *, site: str, seed: int = 0, where: Where = EVERYWHERE) -> "Ablate":
        """A random one of `rows` in place of each activation: always the same for a seed, row and position."""
        if len(rows) == 0:
            raise ValueError("expected at least one row to draw from; got none")

        def drawn(activation: Tensor, places: TokenPlaces) -> Tensor:
            return rows.to(activation)[_draws(places.positions, len(rows), seed)]

        return Ablate(drawn, site=site, width=rows.shape[1], where=where)

    @staticmethod
    def directions(directions: Float[Tensor, "rank width"], *, site: str, where: Where = EVERYWHERE) -> "Ablate":
        """The activation without its part along these directions."""
        basis = orthonormal(directions)
        single = basis.float()

        def without(activation: Tensor, _: TokenPlaces) -> Tensor:
            own = (basis if activation.dtype == torch.float64 else single).to(activation)
            return activation - (activation @ own) @ own.mT

        return Ablate(without, site=site, width=directions.shape[1], where=where)

    def require(self, model: LanguageModel) -> None:
        """Raise `ModelError` for a model of another width."""
        if self.width is not None:
            require_width(model, self.site, self.width, "an ablation")

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations with the replacement in place."""
        return self.where.put(activation, self.replacement(activation, places), places)


def orthonormal(directions: Float[Tensor, "rank width"]) -> Float[Tensor, "width rank"]:
    """A basis of the directions' span; raises `ValueError` where they are zero or not finite."""
    if directions.ndim != 2 or not bool(torch.isfinite(directions).all()) or not bool(directions.any()):
        shape = tuple(directions.shape)
        raise ValueError(f"expected finite directions (rank, width) that are not all zero; got some of shape {shape}")
    exact = directions.double()
    lengths = exact.norm(dim=1, keepdim=True)
    basis, sizes, _ = torch.linalg.svd((exact / lengths.clamp(min=1e-300)).mT, full_matrices=False)
    return basis[:, sizes > 1e-9 * sizes[0]]


def _draws(positions: Int[Tensor, "batch token"], count: int, seed: int) -> Int[Tensor, "batch token"]:
    """A hash of seed, row and position (the finaliser of splitmix64), so that no draw depends on the batch's shape."""
    rows = torch.arange(len(positions), device=positions.device).unsqueeze(1)
    mixed = positions * 0x5851F42D4C957F2D + rows * 0x14057B7EF767814F + seed * 0x2545F4914F6CDD1D
    for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15), (31, 1)):
        mixed = (mixed ^ (mixed >> shift)) * factor
    return mixed.remainder(count)
