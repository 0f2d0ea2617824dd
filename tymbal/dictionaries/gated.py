"""Gated: one score says whether a feature is active, another how strongly; both are made from the same product.

    gate   encoder · (x - decoder_bias) + encoder_bias
    value  relu(exp(log_gain) · encoder · (x - decoder_bias) + gain_bias), where the gate is above zero

The sparsity penalty is on the gate alone, so that it does not shrink the values.

Source: Rajamanoharan et al. 2024, "Improving Dictionary Learning with Gated Sparse Autoencoders", section 3.
"""

from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.passing import exceeded, passing
from tymbal.dictionaries.scores import Scores


@final
class Gated(Dictionary):
    """Every feature whose gate is open."""

    kind: ClassVar[str] = "gated"
    competitive: ClassVar[bool] = False
    valued: ClassVar[tuple[str, ...]] = ("gain_bias",)

    def __init__(
        self, width: int, features: int, k: int | None = None, *, site: str | None = None, ends: Ends = AUTOENCODER
    ) -> None:
        super().__init__(width, features, k, site=site, ends=ends)
        self.log_gain = nn.Parameter(torch.zeros(features))
        self.gain_bias = nn.Parameter(torch.zeros(features))

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """The values of open gates; `scores` are the gates."""
        values = self.values(scores)
        return passing(values, (scores > 0) & (values > 0))

    def select_in_training(self, scores: Scores) -> Active:
        """The same as in use; an open gate whose value is cut off at 0 counts as an entry of value 0."""
        found = scores.above(torch.zeros_like(self.encoder_bias))
        centred = found.values - self.encoder_bias[found.features]
        gained = self.log_gain.exp()[found.features] * centred + self.gain_bias[found.features]
        return found._replace(values=gained.relu())

    def values(self, gates: Float[Tensor, "row feature"]) -> Float[Tensor, "row feature"]:
        """How strongly each feature would be active if its gate were open."""
        return torch.addcmul(self.gain_bias, gates - self.encoder_bias, self.log_gain.exp()).relu()

    @torch.no_grad()
    def start(self, scores: Float[Tensor, "row feature"], share: float) -> None:
        """Lower each gate so that it is open in that share of the rows."""
        self.encoder_bias.sub_(exceeded(scores, share))

    @torch.no_grad()
    def move_origin(self, shift: Float[Tensor, " width"]) -> None:
        """Gates and values both read x."""
        super().move_origin(shift)
        self.gain_bias.sub_(self.log_gain.exp() * (self.encoder @ shift))

    @torch.no_grad()
    def scale_values(self, factors: Float[Tensor, " feature"]) -> None:
        """The gates stay as they are, the gain grows."""
        self.log_gain.add_(factors.log())
        self.gain_bias.mul_(factors)
