"""The best an edit without context can do: the same amount added to each token's logit everywhere.

The bias that stands for an edit is the mean change of log-probabilities that it makes over the tokens of unrelated
text; the bias that stands for a contrast is how much more frequent each token is in the wanted texts. Scaled to the
divergence that an edit causes, a bias costs what the edit costs; what an edit achieves beyond it is more than a change
of word frequencies.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tymbal.models import Edit, LanguageModel, PlacedEdit, Tokens


def token_bias(
    model: LanguageModel, batches: Sequence[Tokens], *edits: Edit | PlacedEdit, prompt: int | None = None
) -> Float[Tensor, " vocabulary"]:
    """The bias that stands for these edits, in nats; `prompt` tokens of each text count as its prompt."""
    total, count = torch.zeros(model.vocabulary, dtype=torch.float64), 0
    for tokens in batches:
        plain = model.logits(tokens).float().log_softmax(-1)
        with model.edited(*edits, prompt=prompt):
            change = model.logits(tokens).float().log_softmax(-1) - plain
        wanted = tokens.mask.to(change.device)
        total += change[wanted].double().sum(0).cpu()[: model.vocabulary]
        count += int(wanted.sum())
    return (total / max(1, count)).float()


def word_bias(model: LanguageModel, wanted: Sequence[str], others: Sequence[str]) -> Float[Tensor, " vocabulary"]:
    """How much likelier each token is in the wanted texts than in the others, in nats; each is counted once more."""
    counts = []
    for texts in (wanted, others):
        tokens = model.tokenize(texts)
        counts.append(torch.bincount(tokens.ids[tokens.mask], minlength=model.vocabulary)[: model.vocabulary] + 1.0)
    return (counts[0] / counts[0].sum()).log() - (counts[1] / counts[1].sum()).log()


def of_divergence(
    model: LanguageModel, batches: Sequence[Tokens], bias: Float[Tensor, " vocabulary"], divergence: float
) -> Float[Tensor, " vocabulary"]:
    """The bias scaled so that its predictions diverge so many nats a token from the model's on these batches.

    As near to it as 2^10 times the bias comes where even that does not suffice.
    """
    plain = []
    for tokens in batches:
        wanted = tokens.mask[:, 1:].to(model.device)
        plain.append(model.logits(tokens)[:, :-1, : model.vocabulary][wanted].float().log_softmax(-1).cpu())
    known = torch.cat(plain)

    def diverged(scale: float) -> float:
        changed = (known + scale * bias).log_softmax(-1)
        return float((changed.exp() * (changed - known)).sum(-1).mean())

    low, high = 0.0, 1.0
    while diverged(high) < divergence and high < 2**10:
        low, high = high, 2 * high
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if diverged(middle) < divergence else (low, middle)
    return high * bias


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
