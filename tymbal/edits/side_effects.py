"""What an edit does to text it is not meant for: loss, and the divergence of predictions from the unedited model's."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
from torch import Tensor

from tymbal.models import Edit, LanguageModel, PlacedEdit, Tokens


class SideEffects(NamedTuple):
    """Means over predictions, in nats a token."""

    loss_before: float
    loss: float
    kl: float
    """of the edited model's predictions from the unedited one's"""
    tokens: int

    @property
    def loss_change(self) -> float:
        """Above 0 when the edited model predicts worse."""
        return self.loss - self.loss_before


def side_effects(model: LanguageModel, batches: Sequence[Tokens], *edits: Edit | PlacedEdit) -> SideEffects:
    """Of edits, on these batches of unrelated text (padded on the right)."""
    return measured(model, batches, model.edited(*edits))


def measured(model: LanguageModel, batches: Sequence[Tokens], changed: AbstractContextManager[object]) -> SideEffects:
    """Of whatever the context manager changes while it is entered."""
    before = [log_probabilities(model, batch) for batch in batches]
    with changed:
        after = [log_probabilities(model, batch) for batch in batches]
    sums = torch.zeros(3, dtype=torch.float64)
    count = 0
    for tokens, plain, edited in zip(batches, before, after, strict=True):
        wanted = (tokens.mask[:, 1:]).to(plain.device)
        targets = tokens.ids[:, 1:].to(plain.device).unsqueeze(-1)
        kl = (edited.exp() * (edited - plain)).sum(-1)
        losses = [-part.gather(-1, targets).squeeze(-1) for part in (plain, edited)]
        sums += torch.stack([part[wanted].double().sum().cpu() for part in (*losses, kl)])
        count += int(wanted.sum())
    if not count:
        raise ValueError("expected batches with at least one token to predict; got none")
    loss_before, loss, kl = (sums / count).tolist()
    return SideEffects(loss_before, loss, kl, count)


def log_probabilities(model: LanguageModel, tokens: Tokens) -> Tensor:
    """Of each next token, in nats."""
    return model.logits(tokens)[:, :-1].float().log_softmax(-1)
