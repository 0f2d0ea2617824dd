"""Texts of which one part matters, and the tokens that make it up."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from tymbal.models import LanguageModel, Tokens


class Written(NamedTuple):
    """A text and the part of it, by characters, that is written behind a beginning."""

    text: str
    start: int
    end: int

    @property
    def beginning(self) -> str:
        """What stands before the part."""
        return self.text[: self.start]

    @property
    def part(self) -> str:
        """The part."""
        return self.text[self.start : self.end]


def tokens_of_parts(model: LanguageModel, passages: Sequence[Written]) -> tuple[Tokens, Bool[Tensor, "passage token"]]:
    """The texts' tokens, cut at the model's context, and which of them hold characters of the parts."""
    tokenizer: Any = model.tokenizer
    texts = [passage.text for passage in passages]
    encoded = tokenizer(texts, truncation=True, max_length=model.context, return_offsets_mapping=True)
    tokens = Tokens.from_rows(encoded["input_ids"])
    inside = torch.zeros(tokens.ids.shape, dtype=torch.bool)
    for row, (passage, offsets) in enumerate(zip(passages, encoded["offset_mapping"], strict=True)):
        begins, ends = np.array(offsets, dtype=np.int64).reshape(-1, 2).T
        inside[row, : len(begins)] = torch.from_numpy((begins < passage.end) & (ends > passage.start) & (ends > begins))
    return tokens, inside


def part_log_probabilities(tokens: Tokens, inside: Bool[Tensor, "passage token"], logits: Tensor) -> Tensor:
    """Each part's log-probability in nats under these logits, in fp64; gradients flow."""
    logs = logits[:, :-1].float().log_softmax(-1)
    own = logs.gather(-1, tokens.ids[:, 1:].to(logs.device).unsqueeze(-1)).squeeze(-1).double()
    return (own * inside[:, 1:].to(logs.device)).sum(1)
