"""A distribution, as weighted draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tymbal.theory.risk.draws import Estimate

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Draws in rows of one scramble each, with weights that sum to one over all of them."""

    draws: Float[np.ndarray, "scramble draw"]
    weights: Float[np.ndarray, " draw"]
    """of the draws of one scramble; they sum to one"""

    @classmethod
    def even(cls, draws: Float[np.ndarray, "scramble draw"]) -> "Spread":
        """Draws that weigh the same."""
        return cls(draws=draws, weights=np.full(draws.shape[1], 1 / draws.shape[1]))

    @classmethod
    def mixed(cls, parts: Sequence[tuple[float, "Spread"]]) -> "Spread":
        """One of several distributions, each with its probability."""
        return cls(
            draws=np.concatenate([part.draws for _, part in parts], axis=1),
            weights=np.concatenate([weight * part.weights for weight, part in parts]),
        )

    def mean(self) -> Estimate:
        """The mean, with the interval that the scrambles give."""
        return Estimate.of(self.draws @ self.weights)

    def variance(self) -> float:
        """The variance over all draws."""
        means = self.draws @ self.weights
        return float(((self.draws - means.mean()) ** 2 @ self.weights).mean())

    def quantile(self, level: float) -> Estimate:
        """A quantile, with the interval that the scrambles give."""
        return Estimate.of([_quantile(row, self.weights, level) for row in self.draws])

    def below(self, threshold: float) -> Estimate:
        """The share of the distribution below a threshold."""
        return Estimate.of((self.draws < threshold) @ self.weights)

    def histogram(self, edges: Float[np.ndarray, " edge"]) -> Float[np.ndarray, " bin"]:
        """The share of the distribution in each bin."""
        weights = np.broadcast_to(self.weights / len(self.draws), self.draws.shape)
        return np.histogram(self.draws.ravel(), edges, weights=weights.ravel())[0]


def _quantile(draws: Float[np.ndarray, " draw"], weights: Float[np.ndarray, " draw"], level: float) -> float:
    order = np.argsort(draws, kind="stable")
    held = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(level, held, draws[order]))
