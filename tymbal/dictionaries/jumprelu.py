"""JumpReLU: a feature is active where its score exceeds a threshold of its own, and then has its score for a value.

    codes = z where z > threshold, else 0;   z = encoder · (x - decoder_bias) + encoder_bias

Thresholds are learned, and at least zero. BatchTopK and Matryoshka, in use, are of this kind too, with one threshold
for all features: `as_jumprelu`.

Source: Rajamanoharan et al. 2024, "Jumping Ahead: Improving Reconstruction Fidelity with JumpReLU Sparse Autoencoders".
"""

from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.passing import exceeded, passing
from tymbal.dictionaries.scores import Scores


@final
class JumpReLU(Dictionary):
    """Every feature whose score exceeds its threshold."""

    kind: ClassVar[str] = "jumprelu"
    competitive: ClassVar[bool] = False
    valued: ClassVar[tuple[str, ...]] = ("threshold",)

    def __init__(
        self, width: int, features: int, k: int | None = None, *, site: str | None = None, ends: Ends = AUTOENCODER
    ) -> None:
        super().__init__(width, features, k, site=site, ends=ends)
        self.threshold = nn.Parameter(torch.zeros(features))

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """Every positive score above its threshold; as many slots as the fullest row needs."""
        return passing(scores, (scores > self.threshold) & (scores > 0))

    def select_in_training(self, scores: Scores) -> Active:
        """The same as in use."""
        return scores.above(self.threshold.detach().clamp_min(0))

    @torch.no_grad()
    def start(self, scores: Float[Tensor, "row feature"], share: float) -> None:
        """Put each threshold where that share of the rows exceeds it."""
        self.threshold.copy_(exceeded(scores, share).relu())

    @torch.no_grad()
    def project(self) -> None:
        """Thresholds stay at least zero."""
        self.threshold.clamp_(min=0)


@torch.no_grad()
def as_jumprelu(dictionary: BatchTopK | Matryoshka) -> JumpReLU:
    """The same dictionary with a threshold for each feature; its codes are the same."""
    jump = JumpReLU(dictionary.width, dictionary.features, dictionary.k, site=dictionary.site, ends=dictionary.ends).to(
        dictionary.encoder
    )
    shared = dict(dictionary.named_parameters())
    jump.load_state_dict(shared | {"threshold": dictionary.threshold.to(jump.threshold).expand_as(jump.threshold)})
    jump.model = dictionary.model
    return jump.requires_grad_(dictionary.encoder.requires_grad)
