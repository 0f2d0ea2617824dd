"""The best an edit without context can do: the same amount added to each token's logit everywhere.

The bias is the mean change of log-probabilities that an edit makes over the tokens of unrelated text. What an edit
achieves beyond it is more than a change of word frequencies.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tymbal.models import Edit, LanguageModel, PlacedEdit, Tokens


def token_bias(
    model: LanguageModel, batches: Sequence[Tokens], *edits: Edit | PlacedEdit
) -> Float[Tensor, " vocabulary"]:
    """The bias that stands for these edits, in nats."""
    total, count = torch.zeros(model.vocabulary, dtype=torch.float64), 0
    for tokens in batches:
        plain = model.logits(tokens).float().log_softmax(-1)
        with model.edited(*edits):
            change = model.logits(tokens).float().log_softmax(-1) - plain
        wanted = tokens.mask.to(change.device)
        total += change[wanted].double().sum(0).cpu()[: model.vocabulary]
        count += int(wanted.sum())
    return (total / max(1, count)).float()


@contextmanager
def biased(model: LanguageModel, bias: Float[Tensor, " vocabulary"]) -> Iterator[LanguageModel]:
    """Add the bias to all logits inside the `with` block; leaving it restores the model."""

    def add(_module: nn.Module, _arguments: Any, output: Any) -> None:
        # The output is new with each call, and the caller's from here on.
        output.logits = output.logits + bias.to(output.logits)

    handle = model.torch_model.register_forward_hook(add)
    try:
        yield model
    finally:
        handle.remove()
