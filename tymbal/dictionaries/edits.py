"""Edits that measure what a dictionary loses: put its reconstruction, zero or the mean in place of activations.

Special tokens (BOS, CLS, SEP) and padding are left as they are: dictionaries are not trained on them, and a model whose
first token is changed often breaks for that reason alone. Which tokens those are differs from batch to batch, so an
edit is made for one batch, with its mask.
"""

from dataclasses import dataclass
from typing import final

from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.dictionaries.dictionary import Dictionary


@final
@dataclass(frozen=True, eq=False)
class Splice:
    """Puts the dictionary's reconstruction in place of each activation."""

    dictionary: Dictionary
    site: str
    spared: Bool[Tensor, "batch token"] | None = None
    """Tokens to leave as they are; None for none, which also allows `generate`."""

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The activations with reconstructions in place; in the activations' own precision."""
        reconstruction = self.dictionary(activation.float()).to(activation.dtype)
        return _replaced(activation, reconstruction, self.spared)


@final
class Read:
    """Changes nothing and keeps what it saw last."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.seen: Float[Tensor, "batch token width"] | None = None

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The activations themselves."""
        self.seen = activation
        return activation


@final
@dataclass(frozen=True, eq=False)
class SpliceTranscoded:
    """Puts what a transcoder makes of another site's activations in place of each activation."""

    dictionary: Dictionary
    site: str
    source: Read
    """Reads the transcoder's input; must be applied in the same pass, at a site that comes earlier."""
    spared: Bool[Tensor, "batch token"] | None = None
    """Tokens to leave as they are; None for none."""

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The activations with the transcoder's in place; in the activations' own precision."""
        assert self.source.seen is not None
        made = self.dictionary(self.source.seen.float()).to(activation.dtype)
        return _replaced(activation, made, self.spared)


@final
@dataclass(frozen=True, eq=False)
class ZeroAblation:
    """Puts zero in place of each activation."""

    site: str
    spared: Bool[Tensor, "batch token"] | None = None
    """Tokens to leave as they are; None for none."""

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """Zeros, but for spared tokens."""
        return _replaced(activation, activation.new_zeros(activation.shape), self.spared)


@final
@dataclass(frozen=True, eq=False)
class MeanAblation:
    """Puts one mean activation in place of each."""

    site: str
    mean: Float[Tensor, " width"]
    spared: Bool[Tensor, "batch token"] | None = None
    """Tokens to leave as they are; None for none."""

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The mean at each token, but for spared ones."""
        return _replaced(activation, self.mean.to(activation).expand_as(activation), self.spared)


def _replaced(activation: Tensor, other: Tensor, spared: Tensor | None) -> Tensor:
    if spared is None:
        return other
    if spared.shape != activation.shape[:2]:
        raise ValueError(
            f"expected a mask of the batch's shape {tuple(activation.shape[:2])}; got {tuple(spared.shape)}; "
            "make the edit for this batch"
        )
    return activation.where(spared.to(activation.device).unsqueeze(-1), other)
