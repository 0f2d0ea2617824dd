"""TopK: each row keeps its k highest scores.

    codes = the k highest of `encoder · (x - decoder_bias) + encoder_bias`, those below zero set to zero

Training keeps directions at norm 1, where the highest score adds the longest vector. Foreign dictionaries rank scores
whatever the norms; `ranking` keeps that order when norms are folded into the values.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", section 2.3 (TopK followed by ReLU).
"""

from collections.abc import Mapping
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.scores import Scores


@final
class TopK(Dictionary):
    """k features a row, always the same number (fewer only where scores are negative)."""

    kind: ClassVar[str] = "topk"
    competitive: ClassVar[bool] = True

    def __init__(
        self, width: int, features: int, k: int | None = None, *, site: str | None = None, ends: Ends = AUTOENCODER
    ) -> None:
        super().__init__(width, features, k, site=site, ends=ends)
        self.register_buffer("ranking", None)

    ranking: Float[Tensor, " feature"] | None
    """Factors, all positive, by which scores are multiplied to be ranked; None where they are ranked as they are."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Dictionary:
        """A dictionary of zeros as `config` describes it."""
        dictionary = super().from_config(config)
        if config.get("ranked"):
            dictionary.ranking = torch.ones(dictionary.features)
        return dictionary

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """The k highest scores of each row, negative ones as empty slots."""
        if self.ranking is None:
            values, indices = torch.topk(scores, self.places, dim=-1, sorted=False)
            return Codes(indices, values.relu())
        indices = torch.topk(scores * self.ranking, self.places, dim=-1, sorted=False).indices
        return Codes(indices, scores.gather(-1, indices).relu())

    def select_in_training(self, scores: Scores) -> Active:
        """The k highest scores of each row; no dictionary in training has a ranking."""
        assert self.ranking is None
        return scores.highest_in_each_row(self.places)

    @torch.no_grad()
    def scale_values(self, factors: Float[Tensor, " feature"]) -> None:
        """The same features are chosen, since the ranking undoes factors (all positive) that differ."""
        self.encoder.mul_(factors.unsqueeze(1))
        self.encoder_bias.mul_(factors)
        if not torch.allclose(factors, factors[0], rtol=1e-5, atol=0):
            self.ranking = (1 if self.ranking is None else self.ranking) / factors

    def config(self) -> dict[str, Any]:
        """As for any dictionary, and whether there is a ranking."""
        return super().config() | ({} if self.ranking is None else {"ranked": True})
