"""BatchTopK: a training batch of n rows keeps its n·k highest scores, wherever they fall.

Rows that need more features get more. In use a row cannot look at its batch, so the dictionary learns a threshold: a
running mean of the lowest score kept. A score above it is active; the mean L0 is then k again.

Source: Bussmann et al. 2024, "BatchTopK Sparse Autoencoders", equations 4 to 6.
"""

from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.scores import Kept, Scores

MEMORY = 0.95
"""Share of the running threshold that one step keeps: a mean over about the last 20 batches."""


@final
class BatchTopK(Dictionary):
    """k features a row on average; in use, every score above the learned threshold."""

    kind: ClassVar[str] = "batch_topk"
    competitive: ClassVar[bool] = True
    valued: ClassVar[tuple[str, ...]] = ("threshold",)

    def __init__(
        self, width: int, features: int, k: int | None = None, *, site: str | None = None, ends: Ends = AUTOENCODER
    ) -> None:
        super().__init__(width, features, k, site=site, ends=ends)
        self.register_buffer("threshold", torch.zeros((), dtype=torch.float64))
        self.register_buffer("observed", torch.zeros((), dtype=torch.int64))

    threshold: Float[Tensor, ""]
    """Scores above it are active, in units of the activation."""
    observed: Int[Tensor, ""]
    """Batches that the threshold was learned from."""

    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """Every positive score above the threshold; as many slots as the fullest row needs."""
        return above(scores, self.threshold)

    def select_in_training(self, scores: Scores) -> Active:
        """The n·k highest positive scores of the batch of n rows."""
        return scores.highest_of_batch(self.places)

    def observe(self, active: Active) -> None:
        """Move the threshold towards the lowest value kept; the first batches count as a plain mean."""
        move_threshold(self.threshold, self.observed, self.ranks.lowest(active.values))


def above(scores: Float[Tensor, "row feature"], threshold: Float[Tensor, ""]) -> Codes:
    """Every positive score above the threshold; as many slots as the fullest row needs."""
    positions = ((scores > threshold.to(scores.dtype)) & (scores > 0)).flatten().nonzero().squeeze(-1)
    return packed(Kept(positions, scores.flatten()[positions]), *scores.shape)


def move_threshold(threshold: Float[Tensor, ""], observed: Int[Tensor, ""], lowest: Float[Tensor, ""]) -> None:
    """Move a threshold towards the lowest value kept (infinite: none was); the first batches count as a plain mean."""
    if bool(torch.isinf(lowest)):
        return
    observed += 1
    share = max(1 - MEMORY, 1 / int(observed))
    threshold += share * (lowest.to(threshold.dtype) - threshold)


def packed(kept: Kept, rows: int, features: int) -> Codes:
    """Scores kept, in ascending order of position, as codes with as many slots as the fullest row needs."""
    row = kept.positions // features
    counts = torch.bincount(row, minlength=rows)
    slots = int(counts.max()) if rows else 0
    starts = counts.cumsum(0) - counts
    place = row * slots + torch.arange(row.numel(), device=row.device) - starts[row]
    indices = kept.positions.new_zeros(rows * slots).index_copy(0, place, kept.positions % features)
    values = kept.values.new_zeros(rows * slots).index_copy(0, place, kept.values)
    return Codes(indices.view(rows, slots), values.view(rows, slots))
