"""Matryoshka BatchTopK: the first features alone are a dictionary too, and so are the first few of those.

Features are ordered in nested prefixes, such as the first 128, 512 and 2,048. Selection is BatchTopK's; the loss is
the sum of each prefix's own reconstruction error, so that general features come first and are not split up by later
ones.

Source: Bussmann et al. 2025, "Learning Multi-Level Features with Matryoshka Sparse Autoencoders".
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.batch_topk import BatchTopK, above, move_threshold
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.scores import Scores

SHARES = (16, 4, 1)
"""Unless told otherwise the prefixes hold a 16th, a quarter, and all of the features."""


@final
class Matryoshka(Dictionary):
    """k features a row on average; in use, every score above the learned threshold; each prefix is a dictionary."""

    kind: ClassVar[str] = "matryoshka"
    competitive: ClassVar[bool] = True
    valued: ClassVar[tuple[str, ...]] = ("threshold",)

    def __init__(
        self,
        width: int,
        features: int,
        k: int | None = None,
        *,
        prefixes: Sequence[int] = (),
        site: str | None = None,
        ends: Ends = AUTOENCODER,
    ) -> None:
        """`prefixes` are numbers of features, rising, of which the last is all of them.

        Raises `ValueError` where they are not, and where any `Dictionary` does.
        """
        super().__init__(width, features, k, site=site, ends=ends)
        self.prefixes = tuple(prefixes) or tuple(sorted({max(1, features // share) for share in SHARES}))
        if list(self.prefixes) != sorted({*self.prefixes, features}) or self.prefixes[0] < 1:
            raise ValueError(
                f"expected rising prefixes that end at the number of features ({features}); got {list(self.prefixes)}; "
                "name them as numbers of features"
            )
        self.register_buffer("threshold", torch.zeros((), dtype=torch.float64))
        self.register_buffer("observed", torch.zeros((), dtype=torch.int64))

    threshold: Float[Tensor, ""]
    """Scores above it are active, in units of the activation."""
    observed: Int[Tensor, ""]
    """Batches that the threshold was learned from."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Matryoshka":
        """A dictionary of zeros as `config` describes it."""
        dictionary = cls(
            config["width"],
            config["features"],
            config["k"],
            prefixes=config["prefixes"],
            site=config["site"],
            ends=Ends.from_json(config),
        )
        dictionary.model = config["model"]
        return dictionary

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """Every positive score above the threshold; as many slots as the fullest row needs."""
        return above(scores, self.threshold)

    def select_in_training(self, scores: Scores) -> Active:
        """The n·k highest positive scores of the batch of n rows."""
        return scores.highest_of_batch(self.places)

    def observe(self, active: Active) -> None:
        """Move the threshold towards the lowest value kept; the first batches count as a plain mean."""
        move_threshold(self.threshold, self.observed, self.ranks.lowest(active.values))

    @torch.no_grad()
    def prefix(self, features: int) -> BatchTopK:
        """The first features alone, as a dictionary of their own, with the same threshold.

        Raises `ValueError` for a number that is not one of `prefixes`.
        """
        if features not in self.prefixes:
            raise ValueError(f"expected one of the prefixes {list(self.prefixes)}; got {features}; name one of them")
        part = BatchTopK(self.width, features, min(self.places, features), site=self.site, ends=self.ends).to(
            self.encoder
        )
        whole = self.state_dict()
        per_feature = ("encoder", "encoder_bias", "decoder")
        part.load_state_dict(whole | {name: whole[name][:features] for name in per_feature})
        part.model = self.model
        return part.requires_grad_(self.encoder.requires_grad)

    def config(self) -> dict[str, Any]:
        """As for any dictionary, with the prefixes."""
        return super().config() | {"prefixes": list(self.prefixes)}
