"""Is a crosscoder's feature really of one site alone? Latent scaling tests features whose directions say so.

A sparsity penalty can set a feature's direction at site A to zero although A needs it: A then leaves it in its error,
or writes it with other features. For each feature with value f and direction d at site B, two numbers say how much of
f·d is to be found at a site:

    in what the features leave over once this one is taken out    β(y) with y = x - x̂ + f · (its direction at the site)
    in the whole reconstruction                                    β(y) with y = x̂
    β(y) = argmin Σ|β f d - y|² = Σ f d · y / (Σ f² |d|²)

The ratio of β at A to β at B is near 0 for a feature of B alone, and near 1 where A has it as much as B. Both ratios
must be small before a feature may be called one of B alone.

Source: Minder, Dumas, et al. 2025, "Overcoming Sparsity Artifacts in Crosscoders to Interpret Chat-Tuning", section 2.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active, by_feature
from tymbal.dictionaries.dictionary import Dictionary


class Scaling(NamedTuple):
    """How much of each feature of site B is to be found at site A, as shares of what is found at B."""

    left_over: Float[Tensor, " feature"]
    """In what the other features leave over; NaN for a feature that never fired."""
    reconstructed: Float[Tensor, " feature"]
    """In the reconstruction."""
    norm_share: Float[Tensor, " feature"]
    """Norm at B as a share of the norms at A and B; 1 is what looks like a feature of B alone."""


class LatentScaling:
    """Sums over rows of a crosscoder; `a` and `b` are numbers of its parts."""

    def __init__(self, dictionary: Dictionary, *, a: int = 0, b: int = 1) -> None:
        """Raises `ValueError` where the two parts are not there, or differ in width."""
        parts = dictionary.ends.parts
        if not (0 <= a < len(parts) and 0 <= b < len(parts) and parts[a].width == parts[b].width):
            raise ValueError(
                f"expected two parts of one width of a crosscoder; got parts {a} and {b} of "
                f"{[part.width for part in parts]}; name others"
            )
        self._dictionary = dictionary
        columns = dictionary.ends.columns(dictionary.width)
        self._columns = columns[a], columns[b]
        sums = torch.zeros(dictionary.features, parts[b].width, dtype=torch.float64)
        self._left, self._made = (sums.clone(), sums.clone()), (sums.clone(), sums.clone())
        self._squares = torch.zeros(dictionary.features, dtype=torch.float64)

    @torch.no_grad()
    def update(self, rows: Float[Tensor, "row width"]) -> None:
        """Add these rows, all sites side by side, in the models' own units."""
        codes = self._dictionary.encode(rows)
        row, slot = (codes.values != 0).nonzero(as_tuple=True)
        values = codes.values[row, slot].double()
        counts = torch.bincount(row, minlength=len(rows))
        active = Active(codes.indices[row, slot], values, counts.cumsum(0) - counts)
        order = by_feature(active, self._dictionary.features)
        made = self._dictionary.decode(codes).double()
        left = rows.double() - made
        for site, columns in enumerate(self._columns):
            self._left[site].add_(order.sums(values, left[:, columns].contiguous()))
            self._made[site].add_(order.sums(values, made[:, columns].contiguous()))
        self._squares += order.totals(values.square())

    def fitted(self) -> Scaling:
        """The ratios of all rows seen."""
        decoder = self._dictionary.decoder.detach().double()
        directions = [decoder[:, columns] for columns in self._columns]
        d = directions[1]
        left = [
            (d * (sums + self._squares.unsqueeze(1) * own)).sum(1)
            for sums, own in zip(self._left, directions, strict=True)
        ]
        made = [(d * sums).sum(1) for sums in self._made]
        norms = [direction.norm(dim=1) for direction in directions]
        return Scaling(left[0] / left[1], made[0] / made[1], norms[1] / (norms[0] + norms[1]))
