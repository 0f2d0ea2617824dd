"""ReLU: a feature is active where its score is above zero; an L1 penalty keeps most of them at zero.

    codes = relu(encoder · (x - decoder_bias) + encoder_bias)

The penalty pulls every value down, so that reconstructions come out too short; the evaluation reports this as
shrinkage.

Sources: Bricken et al. 2023, "Towards Monosemanticity"; Anthropic, April 2024, "Update on how we train SAEs"
(directions of free norm in training, the penalty times the norm).
"""

from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.passing import exceeded, passing
from tymbal.dictionaries.scores import Scores


@final
class ReLU(Dictionary):
    """Every feature whose score is positive."""

    kind: ClassVar[str] = "relu"
    competitive: ClassVar[bool] = False
    unit_norm: ClassVar[bool] = False

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """Every positive score; as many slots as the fullest row needs."""
        return passing(scores, scores > 0)

    def select_in_training(self, scores: Scores) -> Active:
        """The same as in use."""
        return scores.above(torch.zeros_like(self.encoder_bias))

    @torch.no_grad()
    def start(self, scores: Float[Tensor, "row feature"], share: float) -> None:
        """Lower each bias so that a feature is active in that share of the rows."""
        self.encoder_bias.sub_(exceeded(scores, share))
