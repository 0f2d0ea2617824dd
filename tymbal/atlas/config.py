"""What an atlas is made with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ROLES = ("explain", "score", "show")
"""The uses to which held-out passages are put, in the order of `tymbal.corpora.Role`, which counts them from 1."""


Progress = Callable[[int, int, str], None]
"""called with units done, units in all, and the unit"""


@dataclass(frozen=True, kw_only=True)
class AtlasConfig:
    """How features are indexed."""

    examples: int = 24
    """top examples a feature and role"""
    quantiles: int = 4
    """intervals of equal share into which a feature's activations are cut for sampled examples"""
    quantile_examples: int = 4
    """sampled examples a feature, role and interval"""
    before: int = 24
    """tokens shown before an example's peak"""
    after: int = 12
    """tokens shown after an example's peak"""
    neighbours: int = 12
    """neighbours a feature, by decoder cosine and by co-activation each"""
    output_tokens: int = 10
    """promoted and suppressed output tokens a feature"""
    coactivation_tokens: int = 1 << 17
    """tokens on which co-activation is counted, drawn at random when there are more"""
    shard_tokens: int = 1 << 17
    """tokens a unit of work; memory grows with it"""
    batch_tokens: int = 8192
    """tokens a forward pass, padding included"""
    autocast: bool = False
    """compute in bfloat16 where the processor has it"""
    layout: Literal["umap", "pca"] = "umap"
    """what lays out the map; umap falls back to pca where umap-learn is not installed"""
    sink: int = 0
    """leave out the first tokens of each passage, so many; as the dictionary was trained"""
    seed: int = 0
    """of sampled examples, of co-activation's sample and of the map"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.layout not in ("umap", "pca"):
            raise ValueError(f"layout must be umap or pca, not {self.layout!r}")
        for name in ("examples", "quantiles", "neighbours", "output_tokens", "shard_tokens", "batch_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("quantile_examples", "before", "after", "coactivation_tokens"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")
