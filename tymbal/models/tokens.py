"""Tokens of several passages as one rectangle, and what a forward pass must be told about them.

Three cases, in rising cost:
1. no padding: neither mask nor positions are given, so that attention runs its causal kernel;
2. padding on either side: the two-dimensional mask, and positions counted over real tokens only;
3. several passages packed in a row: an explicit block-diagonal mask (batch, 1, query, key), and positions that restart
   with each passage. Positions alone would not do: with transformers 5.23 they leak in BERT, and in every
   architecture as soon as an all-ones mask is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from tymbal.errors import ModelError
from tymbal.models.architecture import Masks


@dataclass(frozen=True)
class Tokens:
    """Passages as rows of token ids; raises `ValueError` where the shapes disagree."""

    ids: Int[Tensor, "batch token"]
    """Entries of the vocabulary, any of them where `mask` is false."""
    mask: Bool[Tensor, "batch token"]
    """True for a real token, false for padding."""
    passages: Int[Tensor, "batch token"] | None = None
    """For rows that hold several passages: which passage each token belongs to. Tokens see their own passage only."""

    def __post_init__(self) -> None:
        passages_shape = self.ids.shape if self.passages is None else self.passages.shape
        if self.ids.ndim != 2 or not self.ids.shape == self.mask.shape == passages_shape:
            shapes = [tuple(part.shape) for part in (self.ids, self.mask, self.passages) if part is not None]
            raise ValueError(f"ids, mask and passages must share one shape (batch, token), got {shapes}")

    @staticmethod
    def from_rows(rows: Sequence[Sequence[int]], *, fill: int = 0, left: bool = False) -> "Tokens":
        """Rows of unequal length, padded with the id `fill` on the right, or on the left."""
        longest = max((len(row) for row in rows), default=0)
        ids = torch.full((len(rows), longest), fill, dtype=torch.long)
        mask = torch.zeros((len(rows), longest), dtype=torch.bool)
        for index, row in enumerate(rows):
            place = slice(longest - len(row), longest) if left else slice(0, len(row))
            ids[index, place] = torch.as_tensor(row, dtype=torch.long)
            mask[index, place] = True
        return Tokens(ids, mask)

    def to(self, device: torch.device) -> "Tokens":
        """The same tokens on this device."""
        passages = None if self.passages is None else self.passages.to(device)
        return Tokens(self.ids.to(device), self.mask.to(device), passages)

    def positions(self) -> Int[Tensor, "batch token"]:
        """The place of each real token within its passage, from 0; 0 at padding."""
        if self.passages is None:
            return (self.mask.long().cumsum(1) - 1).clamp(min=0)
        same = (self.passages[:, :, None] == self.passages[:, None, :]) & self.mask[:, None, :]
        return (same.tril().sum(-1) - 1).clamp(min=0)


def require_fitting(tokens: Tokens, context: int, vocabulary: int, name: str) -> None:
    """Raise `ModelError` for tokens that the model of this name cannot take: none, too many, or unknown ids."""
    if tokens.ids.numel() == 0:
        raise ModelError(
            expected="at least one token in each row",
            got=f"an empty tensor of shape {tuple(tokens.ids.shape)}",
            do="leave out empty texts",
        )
    longest = tokens.ids.shape[1] if tokens.passages is None else int(tokens.positions().max()) + 1
    if longest > context:
        raise ModelError(
            expected=f"passages of at most {context} tokens, the context of {name}",
            got=f"{longest} tokens",
            do="cut the text into shorter passages",
        )
    lowest, highest = (int(bound) for bound in torch.aminmax(tokens.ids))
    if lowest < 0 or highest >= vocabulary:
        raise ModelError(
            expected=f"token ids from 0 to {vocabulary - 1}, the vocabulary of {name}",
            got=f"{lowest if lowest < 0 else highest}",
            do="use this model's own tokenizer",
        )


def forward_inputs(tokens: Tokens, masks: Masks, *, causal: bool, window: int | None, eager: bool) -> dict[str, Any]:
    """What to pass to a Hugging Face model's forward: ids, and mask and positions where they are needed.

    `window` is how many tokens, itself included, a token of a sliding block sees; None for all.
    """
    inputs: dict[str, Any] = {"input_ids": tokens.ids, "use_cache": False}
    if tokens.passages is None and bool(tokens.mask.all()):
        return inputs
    positions = tokens.positions()
    inputs["position_ids"] = positions
    if tokens.passages is None:
        return inputs | {"attention_mask": tokens.mask}
    full = _block_diagonal(tokens.passages, tokens.mask, causal=causal)
    sliding = full
    if window is not None:
        # Positions and not columns, so that the window is right wherever a passage lies in its row.
        sliding = full & (positions[:, :, None] - positions[:, None, :] < window)
    as_mask = _additive if eager else _boolean
    if masks is Masks.BY_LAYER_TYPE:
        return inputs | {"attention_mask": {"full_attention": as_mask(full), "sliding_attention": as_mask(sliding)}}
    return inputs | {"attention_mask": as_mask(sliding if masks is Masks.ONE_WINDOW else full)}


def _block_diagonal(
    passages: Int[Tensor, "batch token"], mask: Bool[Tensor, "batch token"], *, causal: bool
) -> Bool[Tensor, "batch token token"]:
    allowed = (passages[:, :, None] == passages[:, None, :]) & mask[:, None, :]
    if causal:
        allowed = allowed.tril()
    # Padding sees itself, because a softmax over nothing is not a number.
    itself = torch.eye(passages.shape[1], dtype=torch.bool, device=passages.device)
    return allowed | (itself & ~mask[:, :, None])


def _boolean(allowed: Bool[Tensor, "batch token token"]) -> Tensor:
    return allowed[:, None]


def _additive(allowed: Bool[Tensor, "batch token token"]) -> Tensor:
    lowest = torch.finfo(torch.float32).min
    return torch.zeros(allowed.shape, device=allowed.device).masked_fill(~allowed, lowest)[:, None]
