"""How often each feature fires, by token and by passage; memory grows with features, not with text.

For density's interval the sums of squares over passages are kept: density is a ratio of sums over passages, and its
variance follows to first order.

Source: Cochran 1977, "Sampling Techniques", section 2.11 (the variance of a ratio).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.dictionary import Codes

_PASSAGES_AT_ONCE = 64


class Firing:
    """Counts of firing; takes whole passages."""

    def __init__(self, features: int) -> None:
        self.passages = 0
        self.tokens = 0.0
        self.squared_tokens = 0.0
        self.fired = torch.zeros(features, dtype=torch.float64)
        """Tokens that each feature fired on."""
        self.in_passages = torch.zeros(features, dtype=torch.float64)
        """Passages that each feature fired in."""
        self._squares = torch.zeros(features, dtype=torch.float64)
        self._products = torch.zeros(features, dtype=torch.float64)

    def add(self, codes: Codes, passage: Int[Tensor, " row"]) -> None:
        """Count a batch of whole passages."""
        features = len(self.fired)
        indices, active = codes.indices.cpu(), codes.values.cpu() != 0
        numbers, local = torch.unique(passage, return_inverse=True)
        lengths = torch.bincount(local, minlength=len(numbers)).double()
        for start in range(0, len(numbers), _PASSAGES_AT_ONCE):
            rows = (local >= start) & (local < start + _PASSAGES_AT_ONCE)
            keys = (local[rows, None] - start) * features + indices[rows]
            counts = torch.bincount(keys[active[rows]], minlength=_PASSAGES_AT_ONCE * features)
            counts = counts.reshape(_PASSAGES_AT_ONCE, features).double()
            block = lengths[start : start + _PASSAGES_AT_ONCE]
            self.fired += counts.sum(0)
            self.in_passages += (counts > 0).sum(0)
            self._squares += counts.square().sum(0)
            self._products += block @ counts[: len(block)]
        self.passages += len(numbers)
        self.tokens += float(lengths.sum())
        self.squared_tokens += float(lengths.square().sum())

    def density(self) -> Float[Tensor, " feature"]:
        """Share of tokens that each feature fires on."""
        return self.fired / max(1.0, self.tokens)

    def density_error(self) -> Float[Tensor, " feature"]:
        """Standard error of the density, passages drawn."""
        density = self.density()
        spread = self._squares - 2 * density * self._products + density.square() * self.squared_tokens
        return spread.clamp_min(0).sqrt() / max(1.0, self.tokens)
