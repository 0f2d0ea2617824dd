"""Every gradient of the sparse path against dense autograd, in fp64."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from tymbal.dictionaries import BatchTopK, Dictionary, TopK
from tymbal.dictionaries.loss import batch_loss

ROWS, WIDTH, FEATURES, K = 40, 12, 64, 5


def made(kind: type[Dictionary], seed: int = 0) -> Dictionary:
    torch.manual_seed(seed)
    dictionary = kind(WIDTH, FEATURES, K).double()
    with torch.no_grad():
        dictionary.encoder.normal_()
        dictionary.encoder_bias.normal_(std=0.3)
        dictionary.decoder.copy_(normalize(torch.randn(FEATURES, WIDTH), dim=1))
        dictionary.decoder_bias.normal_()
    return dictionary


def dense_loss(dictionary: Dictionary, x: Tensor, variance: float, dead: Tensor, aux: float) -> Tensor:
    """The same loss as plain dense algebra, differentiated by autograd alone."""
    scores = (x - dictionary.decoder_bias) @ dictionary.encoder.T + dictionary.encoder_bias
    with torch.no_grad():
        if dictionary.kind == "topk":
            kept = torch.zeros_like(scores).scatter_(1, scores.topk(K).indices, 1.0)
        else:
            kept = (scores >= scores.flatten().topk(K * len(x)).values.min()).double()
    codes = scores.relu() * kept
    error = x - (codes @ dictionary.decoder + dictionary.decoder_bias)
    loss = error.square().sum() / (len(x) * variance)
    if dead.any() and aux > 0:
        hidden = scores.masked_fill(~dead, -torch.inf)
        count = min(int(dead.sum()), WIDTH // 2)
        kept = torch.zeros_like(scores).scatter_(1, hidden.detach().topk(count).indices, 1.0)
        missed = error.detach() - (scores.relu() * kept) @ dictionary.decoder
        loss = loss + aux * missed.square().sum() / error.detach().square().sum()
    return loss


@pytest.mark.parametrize("kind", [TopK, BatchTopK])
@pytest.mark.parametrize("dead_features", [0, 3, 20])
def test_every_gradient_equals_dense_autograd(kind: type[Dictionary], dead_features: int) -> None:
    dictionary = made(kind)
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64) * 2 + 1
    dead = torch.zeros(FEATURES, dtype=torch.bool)
    dead[torch.randperm(FEATURES)[:dead_features]] = True
    sparse = batch_loss(dictionary, x, variance=7.0, dead=dead, aux=0.5)
    dense = dense_loss(dictionary, x, 7.0, dead, 0.5)
    torch.testing.assert_close(sparse.total, dense, rtol=1e-12, atol=0)
    names = [name for name, _ in dictionary.named_parameters()]
    ours = torch.autograd.grad(sparse.total, list(dictionary.parameters()))
    theirs = torch.autograd.grad(dense, list(dictionary.parameters()))
    for name, our, their in zip(names, ours, theirs, strict=True):
        assert their.abs().max() > 0, name
        torch.testing.assert_close(our, their, rtol=1e-10, atol=1e-13, msg=lambda text, name=name: f"{name}: {text}")


def test_scores_below_zero_carry_no_gradient() -> None:
    dictionary = made(TopK)
    with torch.no_grad():
        dictionary.encoder_bias.fill_(-100.0)
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64)
    loss = batch_loss(dictionary, x, variance=1.0, dead=torch.zeros(FEATURES, dtype=torch.bool), aux=0.0)
    encoder, decoder = torch.autograd.grad(loss.total, [dictionary.encoder, dictionary.decoder])
    assert not encoder.any()
    assert not decoder.any()
    assert not loss.active.values.any()


def test_auxk_reaches_the_encoder_of_dead_features_and_of_no_other() -> None:
    dictionary = made(TopK)
    dead = torch.zeros(FEATURES, dtype=torch.bool)
    dead[[2, 9]] = True
    with torch.no_grad():
        dictionary.encoder[dead] *= 0.05  # so that they never win a place among the k
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64) * 2
    gradients = []
    for aux in (0.0, 1.0):
        loss = batch_loss(dictionary, x, variance=1.0, dead=dead, aux=aux)
        assert not torch.isin(loss.active.features, dead.nonzero()).any()
        gradients.append(torch.autograd.grad(loss.total, dictionary.encoder)[0])
    change = (gradients[1] - gradients[0]).norm(dim=1)
    assert (change[dead] > 1e-3).all()
    assert (change[~dead] == 0).all()


def test_squared_error_is_that_of_the_reconstruction() -> None:
    dictionary = made(TopK)
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64)
    loss = batch_loss(dictionary, x, variance=1.0, dead=torch.zeros(FEATURES, dtype=torch.bool), aux=0.0)
    torch.testing.assert_close(loss.squared_error, (x - dictionary(x)).detach().square().sum(), rtol=1e-12, atol=0)
