"""The quadratic eraser: class means and covariances become equal, so that quadratic probes fail too.

Each class, taken as a Gaussian, is moved by the optimal transport map onto the Wasserstein barycentre of all classes:
x -> mean + T_c (x - mean_c), T_c = Σ_c^-½ (Σ_c^½ S Σ_c^½)^½ Σ_c^-½, where the barycentre's covariance S is the fixed
point of S = Σ_c p_c (S^½ Σ_c S^½)^½ (Álvarez-Esteban et al. 2016, "A fixed-point approach to barycenters in Wasserstein
space"). For Gaussian classes this is the least change that hides the class from every probe; of other distributions
it equalises the first two moments. Labels are needed at use.
"""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from tymbal.edits.record import FitRecord

STEPS = 200
ENOUGH = 1e-12
"""The fixed point is reached when a step moves S by less than this share of its size."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class QuadraticEraser:
    """Made by `EraserFitter.fit_quadratic`."""

    means: Float64[Tensor, "target width"]
    maps: Float64[Tensor, "target width width"]
    mean: Float64[Tensor, " width"]
    record: FitRecord

    def __call__(self, x: Float[Tensor, "row width"], labels: Int[Tensor, " row"]) -> Float[Tensor, "row width"]:
        """Rows moved class by class, in their own type; computed in fp64."""
        moved = torch.empty_like(x)
        for label in labels.unique().tolist():
            chosen = labels == label
            mean, centre = self.mean.to(x.device), self.means[label].to(x.device)
            moved[chosen] = (mean + (x[chosen].double() - centre) @ self.maps[label].to(x.device)).to(x.dtype)
        return moved


def class_maps(
    covariances: Float64[Tensor, "target width width"], shares: Float64[Tensor, " target"]
) -> Float64[Tensor, "target width width"]:
    """Each class's transport map onto the barycentre; symmetric."""
    centre = (covariances * shares[:, None, None]).sum(0)
    for _ in range(STEPS):
        root, inverse = _roots(centre)
        mixed = (_roots(root @ covariances @ root)[0] * shares[:, None, None]).sum(0)
        # The fixed-point step S^-½ (Σ p (S^½ Σ_c S^½)^½)² S^-½, which keeps S's own optimality condition.
        following = inverse @ mixed @ mixed @ inverse
        moved = (following - centre).norm() / centre.norm()
        centre = (following + following.mT) / 2
        if moved < ENOUGH:
            break
    roots, inverses = _roots(covariances)
    return inverses @ _roots(roots @ centre @ roots)[0] @ inverses


def _roots(matrix: Float64[Tensor, "*class width width"]) -> tuple[Tensor, Tensor]:
    """Square root and inverse square root of symmetric matrices; eigenvalues below rounding count as rounding."""
    values, vectors = torch.linalg.eigh(matrix)
    values = values.clamp(min=values.amax(-1, keepdim=True) * torch.finfo(torch.float64).eps * matrix.shape[-1])
    root = values.sqrt().unsqueeze(-2)
    return (vectors * root) @ vectors.mT, (vectors / root) @ vectors.mT
