"""The fast loss is the library's loss: same value, same gradients, whatever the padding."""

import pytest
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from tymbal.corpora.pretraining import PADDING
from tymbal.corpora.pretraining.loss import BatchLoss, can_compile
from tymbal.corpora.world.training import new_model

VOCABULARY = 300
LENGTH = 128


@pytest.fixture
def model() -> LlamaForCausalLM:
    """Weights large enough, and gains uneven enough, that every part of the model matters."""
    model = new_model(VOCABULARY, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3) if parameter.ndim > 1 else parameter.add_(0.3 * torch.randn_like(parameter))
    return model


@pytest.fixture
def batch() -> Tensor:
    batch = torch.randint(3, VOCABULARY, (5, 25), generator=torch.Generator().manual_seed(1))
    batch[0, 12:] = PADDING
    batch[2, 20:] = PADDING
    batch[4] = PADDING
    return batch


def gradient(model: LlamaForCausalLM, loss: Tensor) -> Tensor:
    model.zero_grad()
    loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def distance(gradient: Tensor, other: Tensor) -> float:
    return float((gradient - other).norm() / other.norm())


def test_it_is_the_librarys_loss_up_to_bf16(model: LlamaForCausalLM, batch: Tensor) -> None:
    logits = model(input_ids=batch[:, :-1].clamp(min=0), use_cache=False).logits
    theirs = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=PADDING)
    ours = BatchLoss(model, LENGTH, compiled=False)(batch)
    # One rounding to bf16 is 2^-9 of a value.
    torch.testing.assert_close(ours, theirs, rtol=2**-9, atol=0)
    assert distance(gradient(model, ours), gradient(model, theirs)) < 0.05


def test_of_several_choices_the_loss_is_the_mean(model: LlamaForCausalLM, batch: Tensor) -> None:
    drawn = batch[:, 1:]
    other = torch.where(drawn == PADDING, PADDING, (drawn + 7) % VOCABULARY)
    choices = torch.zeros(*drawn.shape, VOCABULARY, dtype=torch.bool)
    for targets in (drawn, other):
        choices.scatter_(-1, targets.clamp(min=0)[..., None], (targets != PADDING)[..., None])
        choices[targets == PADDING] = False
    logits = model(input_ids=batch[:, :-1].clamp(min=0), use_cache=False).logits.flatten(0, 1)
    theirs = sum(
        torch.nn.functional.cross_entropy(logits, targets.flatten(), ignore_index=PADDING) / 2
        for targets in (drawn, other)
    )
    ours = BatchLoss(model, LENGTH, compiled=False)(batch, choices)
    torch.testing.assert_close(ours, theirs, rtol=2**-9, atol=0)
    assert distance(gradient(model, ours), gradient(model, theirs)) < 0.05


def test_of_one_choice_the_loss_is_that_of_the_token(model: LlamaForCausalLM, batch: Tensor) -> None:
    drawn = batch[:, 1:]
    choices = torch.nn.functional.one_hot(drawn.clamp(min=0), VOCABULARY).bool() & (drawn != PADDING)[..., None]
    loss = BatchLoss(model, LENGTH, compiled=False)
    torch.testing.assert_close(loss(batch, choices), loss(batch))


def test_padding_changes_neither_loss_nor_gradient(model: LlamaForCausalLM, batch: Tensor) -> None:
    plain = BatchLoss(model, LENGTH, compiled=False)(batch)
    wider = torch.full((8, 41), PADDING)
    wider[:5, :25] = batch
    padded = BatchLoss(model, 400, compiled=False)(wider)
    torch.testing.assert_close(padded, plain, rtol=1e-4, atol=0)
    assert distance(gradient(model, padded), gradient(model, plain)) < 0.01


def test_documents_of_a_batch_do_not_see_each_other(model: LlamaForCausalLM, batch: Tensor) -> None:
    loss_of = BatchLoss(model, LENGTH, compiled=False)
    real = (batch[:4, 1:] != PADDING).sum(1)
    alone = torch.stack([loss_of(batch[row : row + 1]) for row in range(4)])
    torch.testing.assert_close((alone * real).sum() / real.sum(), loss_of(batch), rtol=1e-4, atol=0)


def test_a_batch_that_does_not_fit_is_refused(model: LlamaForCausalLM, batch: Tensor) -> None:
    with pytest.raises(ValueError, match="at most 100 tokens"):
        BatchLoss(model, 100, compiled=False)(batch)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's own, while it compiles
def test_compiling_changes_only_the_rounding(model: LlamaForCausalLM, batch: Tensor) -> None:
    if not can_compile():
        pytest.skip("torch.compile finds no compiler here")
    plain, fused = (BatchLoss(model, LENGTH, compiled=compiled)(batch) for compiled in (False, True))
    torch.testing.assert_close(fused, plain, rtol=1e-3, atol=0)
    assert distance(gradient(model, fused), gradient(model, plain)) < 0.02
