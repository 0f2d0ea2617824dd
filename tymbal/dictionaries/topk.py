"""TopK: each row keeps its k highest scores.

    codes = the k highest of `encoder · (x - decoder_bias) + encoder_bias`, those below zero set to zero

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", section 2.3 (TopK followed by ReLU).
"""

from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.scores import Scores


@final
class TopK(Dictionary):
    """k features a row, always the same number (fewer only where scores are negative)."""

    kind: ClassVar[str] = "topk"
    competitive: ClassVar[bool] = True

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """The k highest scores of each row, negative ones as empty slots."""
        values, indices = torch.topk(scores, self.places, dim=-1, sorted=False)
        return Codes(indices, values.relu())

    def select_in_training(self, scores: Scores) -> Active:
        """The same as in use."""
        return scores.highest_in_each_row(self.places)
