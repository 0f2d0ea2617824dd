"""Every gradient of the sparse path against dense autograd, in fp64, for each kind and each of its terms."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from tymbal.dictionaries import KINDS, Dictionary, Ends, JumpReLU, Matryoshka, Part, ReLU, Target, TopK
from tymbal.dictionaries.ends import AUTOENCODER
from tymbal.dictionaries.loss import batch_loss
from tymbal.dictionaries.reconstruction import Terms

ROWS, WIDTH, FEATURES, K, VARIANCE = 40, 12, 64, 5, 7.0
BANDWIDTH = 0.8
NONE_DEAD = torch.zeros(FEATURES, dtype=torch.bool)
PLAIN = Terms(variance=VARIANCE, dead=NONE_DEAD, aux=0.0, bandwidth=BANDWIDTH)
CROSSCODER = Ends(parts=(Part(width=5), Part(width=7)))
SKIP_TRANSCODER = Ends(target=Target(width=9, skip=True))


def made(kind: type[Dictionary], ends: Ends = AUTOENCODER, seed: int = 0) -> Dictionary:
    torch.manual_seed(seed)
    dictionary = kind(WIDTH, FEATURES, K, ends=ends).double()
    with torch.no_grad():
        for parameter in dictionary.parameters():
            parameter.normal_(std=0.3)
        dictionary.encoder.normal_()
        dictionary.decoder_bias.normal_()
        if not isinstance(dictionary, ReLU):  # the only kind whose directions have free norms in training
            dictionary.decoder.copy_(normalize(dictionary.decoder, dim=1))
        if isinstance(dictionary, JumpReLU):
            dictionary.threshold.abs_().add_(0.2)
    return dictionary


def marked(number: int) -> Tensor:
    dead = NONE_DEAD.clone()
    dead[torch.randperm(FEATURES)[:number]] = True
    return dead


def kept_by(dictionary: Dictionary, scores: Tensor, k: int) -> Tensor:
    """Which scores stay, by sorting."""
    if dictionary.kind == "topk":
        return torch.zeros_like(scores).scatter_(1, scores.topk(k).indices, 1.0)
    if dictionary.kind in ("batch_topk", "matryoshka"):
        return (scores >= scores.flatten().topk(k * len(scores)).values.min()).double()
    return torch.ones_like(scores)


def rectangle(scores: Tensor, threshold: Tensor) -> Tensor:
    return ((scores - threshold).abs() < BANDWIDTH / 2).double()


def dense_codes(dictionary: Dictionary, scores: Tensor, product: Tensor) -> Tensor:
    if dictionary.kind == "gated":
        return (scores > 0) * (product * dictionary.log_gain.exp() + dictionary.gain_bias).relu()
    if dictionary.kind == "jumprelu":
        theta = dictionary.threshold
        pseudo = (-theta / BANDWIDTH * rectangle(scores, theta)).detach()
        return scores * (scores > theta) + pseudo * (theta - theta.detach())
    return scores.relu() * kept_by(dictionary, scores.detach(), K)


def dense_terms(dictionary: Dictionary, scores: Tensor, codes: Tensor, y: Tensor, base: Tensor, terms: Terms) -> Tensor:
    """What the kind adds to the squared error, summed over rows."""
    root = math.sqrt(terms.variance)
    if dictionary.kind == "relu":
        parts = [part.width for part in dictionary.ends.parts] or [dictionary.decoder.shape[1]]
        norms = sum(part.norm(dim=1) for part in dictionary.decoder.split(parts, dim=1))
        return terms.sparsity * (codes * norms).sum() / root
    if dictionary.kind == "gated":
        frozen = scores.relu() @ dictionary.decoder.detach() + base.detach()
        return terms.sparsity * scores.relu().sum() / root + (y - frozen).square().sum() / terms.variance
    if dictionary.kind == "jumprelu":
        theta = dictionary.threshold
        if terms.penalty == "tanh":
            return terms.sparsity * (4 * codes).tanh().sum() + 3e-6 * (theta - scores).relu().sum()
        pseudo = (-rectangle(scores, theta) / BANDWIDTH).detach()
        return terms.sparsity * ((scores > theta) + pseudo * (theta - theta.detach())).sum()
    if dictionary.kind == "matryoshka":
        errors = [
            (y - base - codes[:, :end] @ dictionary.decoder[:end]).square().sum() / terms.variance
            for end in dictionary.prefixes
        ]
        return sum(errors) / len(errors) - errors[-1]
    if terms.multi_topk:
        wide = scores.relu() * kept_by(dictionary, scores.detach(), 4 * K)
        return (y - base - wide @ dictionary.decoder).square().sum() / (8 * terms.variance)
    return torch.zeros((), dtype=torch.float64)


def dense_loss(dictionary: Dictionary, x: Tensor, y: Tensor, terms: Terms) -> Tensor:
    """The same loss as plain dense algebra, differentiated by autograd alone."""
    product = (x if dictionary.ends.target else x - dictionary.decoder_bias) @ dictionary.encoder.T
    scores = product + dictionary.encoder_bias
    codes = dense_codes(dictionary, scores, product)
    base = dictionary.decoder_bias if dictionary.skip is None else dictionary.decoder_bias + x @ dictionary.skip.T
    error = y - (codes @ dictionary.decoder + base)
    own = dense_terms(dictionary, scores, codes, y, base, terms)
    loss = error.square().sum() / (len(x) * terms.variance) + own / len(x)
    if terms.dead.any() and terms.aux > 0:
        hidden = scores.masked_fill(~terms.dead, -torch.inf)
        count = min(int(terms.dead.sum()), y.shape[1] // 2)
        kept = torch.zeros_like(scores).scatter_(1, hidden.detach().topk(count).indices, 1.0)
        missed = error.detach() - (scores.relu() * kept) @ dictionary.decoder
        loss = loss + terms.aux * missed.square().sum() / error.detach().square().sum()
        if dictionary.kind == "jumprelu":
            lacking = (dictionary.threshold - scores)[:, terms.dead].relu().sum() / len(x)
            loss = loss + terms.aux * 3e-6 * lacking
    return loss


def assert_equal_gradients(dictionary: Dictionary, terms: Terms) -> None:
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64) * 2 + 1
    y = torch.randn(ROWS, dictionary.target_width, dtype=torch.float64) * 2 + 1 if dictionary.ends.target else x
    sparse = batch_loss(dictionary, x, terms, target=y)
    dense = dense_loss(dictionary, x, y, terms)
    torch.testing.assert_close(sparse.total, dense, rtol=1e-12, atol=0)
    names = [name for name, _ in dictionary.named_parameters()]
    ours = torch.autograd.grad(sparse.total, list(dictionary.parameters()))
    theirs = torch.autograd.grad(dense, list(dictionary.parameters()))
    for name, our, their in zip(names, ours, theirs, strict=True):
        assert their.abs().max() > 1e-6, name
        torch.testing.assert_close(our, their, rtol=1e-10, atol=1e-12, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("dead_features", [0, 3, 20, 60])
def test_every_gradient_equals_dense_autograd(kind: type[Dictionary], dead_features: int) -> None:
    dictionary = made(kind)
    assert_equal_gradients(dictionary, replace(PLAIN, dead=marked(dead_features), aux=0.5, sparsity=0.3))


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("ends", [CROSSCODER, SKIP_TRANSCODER])
def test_every_gradient_of_transcoders_and_crosscoders_too(kind: type[Dictionary], ends: Ends) -> None:
    assert_equal_gradients(made(kind, ends), replace(PLAIN, dead=marked(5), aux=0.5, sparsity=0.3))


@pytest.mark.parametrize("kind", [KINDS["topk"], KINDS["jumprelu"]])
def test_every_gradient_of_a_kinds_other_terms_too(kind: type[Dictionary]) -> None:
    terms = replace(PLAIN, sparsity=0.3, multi_topk=True, penalty="tanh")
    assert_equal_gradients(made(kind), terms)
    assert_equal_gradients(made(kind, SKIP_TRANSCODER), terms)
    plain, other = (batch_loss(made(kind), torch.ones(3, WIDTH).double(), t).total for t in (PLAIN, terms))
    assert plain != other


@pytest.mark.parametrize("penalty", ["l0", "tanh"])
def test_what_pulls_scores_up_to_their_thresholds_has_the_right_gradient_by_itself(penalty: str) -> None:
    """It is a millionth of the loss, so that an error in it would hide behind the other terms."""
    dictionary = made(JumpReLU)
    with torch.no_grad():
        dictionary.encoder_bias.fill_(-50.0)  # nothing is active: only that term is left
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64)
    total = batch_loss(dictionary, x, replace(PLAIN, sparsity=1.0, penalty=penalty)).total
    gradients = torch.autograd.grad(total, [dictionary.encoder, dictionary.encoder_bias, dictionary.threshold])
    expected = 3e-6 if penalty == "tanh" else 0.0
    centred = x - dictionary.decoder_bias
    torch.testing.assert_close(gradients[0], (-expected * centred.mean(0)).expand(FEATURES, -1).detach())
    torch.testing.assert_close(gradients[1], torch.full((FEATURES,), -expected, dtype=torch.float64))
    torch.testing.assert_close(gradients[2], torch.full((FEATURES,), expected, dtype=torch.float64))


def test_the_threshold_learns_the_slope_of_the_expected_loss() -> None:
    """One feature on scores z from a normal distribution: the expected loss is known as a function of the threshold.

    d/dθ E[z² 1[z ≤ θ]] = θ² p(θ), and d/dθ λ P(z > θ) = -λ p(θ).
    """
    normal = torch.distributions.Normal(0.0, 1.0)
    count = 100_000
    z = normal.icdf((torch.arange(count, dtype=torch.float64) + 0.5) / count)
    dictionary = JumpReLU(1, 1).double()
    for sparsity in (0.0, 2.0):
        for theta in (0.7, 1.0, 1.7):
            with torch.no_grad():
                dictionary.encoder.fill_(1.0)
                dictionary.decoder.fill_(1.0)
                dictionary.threshold.fill_(theta)
            terms = Terms(
                variance=1.0, dead=torch.zeros(1, dtype=torch.bool), aux=0.0, sparsity=sparsity, bandwidth=0.03
            )
            total = batch_loss(dictionary, z.unsqueeze(1), terms).total
            (slope,) = torch.autograd.grad(total, dictionary.threshold)
            density = float(normal.log_prob(torch.tensor(theta)).exp())
            # Two terms may nearly cancel; a window of finite width is off by about 0.03 / (4 θ).
            near = 0.02 * (theta**2 + sparsity) * density
            assert float(slope) == pytest.approx((theta**2 - sparsity) * density, abs=near)


def test_the_penalty_leaves_the_gated_values_alone() -> None:
    dictionary = made(KINDS["gated"])
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64) * 2
    changes = []
    for sparsity in (0.0, 1.0):
        total = batch_loss(dictionary, x, replace(PLAIN, sparsity=sparsity)).total
        changes.append(torch.autograd.grad(total, [dictionary.gain_bias, dictionary.log_gain, dictionary.encoder_bias]))
    assert torch.equal(changes[0][0], changes[1][0])
    assert torch.equal(changes[0][1], changes[1][1])
    assert not torch.equal(changes[0][2], changes[1][2])


def test_each_prefix_is_asked_to_reconstruct_by_itself() -> None:
    dictionary = made(Matryoshka)
    assert isinstance(dictionary, Matryoshka)
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64) * 2
    loss = batch_loss(dictionary, x, PLAIN)
    kept = torch.zeros(ROWS, FEATURES, dtype=torch.float64)
    lengths = torch.diff(loss.active.offsets, append=torch.tensor([len(loss.active.features)]))
    rows = torch.repeat_interleave(torch.arange(ROWS), lengths)
    kept[rows, loss.active.features] = loss.active.values
    errors = [
        (x - dictionary.decoder_bias - kept[:, :end] @ dictionary.decoder[:end]).square().sum()
        for end in dictionary.prefixes
    ]
    torch.testing.assert_close(loss.total, sum(errors) / (len(errors) * ROWS * VARIANCE))
    torch.testing.assert_close(loss.squared_error, errors[-1].detach())


def test_scores_below_zero_carry_no_gradient() -> None:
    dictionary = made(TopK)
    with torch.no_grad():
        dictionary.encoder_bias.fill_(-100.0)
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64)
    loss = batch_loss(dictionary, x, PLAIN)
    encoder, decoder = torch.autograd.grad(loss.total, [dictionary.encoder, dictionary.decoder])
    assert not encoder.any()
    assert not decoder.any()
    assert not loss.active.values.any()


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_auxk_reaches_the_encoder_of_dead_features_and_of_no_other(kind: type[Dictionary]) -> None:
    dictionary = made(kind)
    dead = NONE_DEAD.clone()
    dead[[2, 9]] = True
    with torch.no_grad():
        dictionary.encoder[dead] *= 0.05  # so that they never win a place among the k
        dictionary.encoder_bias[dead] = 0.1
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64) * 2
    gradients = []
    for aux in (0.0, 1.0):
        loss = batch_loss(dictionary, x, replace(PLAIN, dead=dead, aux=aux))
        gradients.append(torch.autograd.grad(loss.total, dictionary.encoder)[0])
    change = (gradients[1] - gradients[0]).norm(dim=1)
    assert (change[dead] > 1e-3).all()
    assert (change[~dead] == 0).all()


@pytest.mark.parametrize("kind", [TopK, ReLU, JumpReLU, KINDS["gated"]])
def test_squared_error_is_that_of_the_reconstruction(kind: type[Dictionary]) -> None:
    dictionary = made(kind)
    x = torch.randn(ROWS, WIDTH, dtype=torch.float64)
    loss = batch_loss(dictionary, x, PLAIN)
    torch.testing.assert_close(loss.squared_error, (x - dictionary(x)).detach().square().sum(), rtol=1e-12, atol=0)
