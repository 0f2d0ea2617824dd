"""Many logistic probes at once reach the optimum that scikit-learn reaches one by one."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tymbal.errors import ProbeError
from tymbal.probes import solve_logistic


def rows_and_labels(classes: int = 2, problems: int = 4, rows: int = 300, width: int = 12, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(width, width, generator=generator).double()
    x = torch.randn(rows, width, generator=generator).double() @ mixed + 3
    logits = torch.einsum("rw,pkw->prk", x - 3, torch.randn(problems, classes, width, generator=generator).double() / 4)
    noise = torch.distributions.Gumbel(0.0, 1.0).sample(logits.shape)
    return x, (logits + noise).argmax(-1)


def scikit_learn(x: torch.Tensor, labels: torch.Tensor, strength: float, weights: np.ndarray | None = None):
    total = len(x) if weights is None else weights.sum()
    # Newton's method: the default solver stops where its line search finds no descent, at gradients around 1e-6.
    fitter = LogisticRegression(C=1 / (strength * total), solver="newton-cholesky", tol=1e-10, max_iter=10_000)
    return fitter.fit(x.numpy(), labels.numpy(), weights)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("strength", [1e-3, 0.3])
def test_every_probe_is_the_one_that_scikit_learn_finds(classes: int, strength: float) -> None:
    x, labels = rows_and_labels(classes)
    solved = solve_logistic(x, labels, strength, classes=classes, tolerance=1e-8)
    assert float(solved.gradient.max()) <= 1e-7
    for weight, bias, own in zip(solved.weight, solved.bias, labels, strict=True):
        peer = scikit_learn(x, own, strength)
        assert np.abs(peer.predict_log_proba(x.numpy()) - told(x @ weight.T + bias)).max() < 1e-4
        # A λ-strongly convex function: two points are at most (both gradients' norms)/λ apart; the peer's is measured.
        near = np.sqrt(weight.numel()) * 1e-7 + peer_gradient(peer, x, own, strength)
        assert np.linalg.norm(peer.coef_ - weight.numpy()) < near / strength


def peer_gradient(peer: LogisticRegression, x: torch.Tensor, labels: torch.Tensor, strength: float) -> float:
    """The norm of the objective's gradient at scikit-learn's optimum, by autograd."""
    weight, bias = (torch.tensor(part, requires_grad=True) for part in (peer.coef_, peer.intercept_))
    logits = x @ weight.T + bias
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], 1)
    loss = torch.nn.functional.cross_entropy(logits, labels) + strength / 2 * weight.square().sum()
    found = torch.autograd.grad(loss, (weight, bias))
    return float(torch.cat([part.flatten() for part in found]).norm())


def told(logits: torch.Tensor) -> np.ndarray:
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], 1)
    return logits.log_softmax(1).numpy()


def test_the_stated_gradient_is_that_of_the_objective() -> None:
    x, labels = rows_and_labels()
    solved = solve_logistic(x.float(), labels, 0.01, tolerance=1e-4)
    weight, bias = (part.double().requires_grad_() for part in (solved.weight, solved.bias))
    logits = (weight @ x.float().double().T)[:, 0] + bias
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.double(), reduction="none").mean(1)
    (loss.sum() + 0.005 * weight.square().sum()).backward()
    largest = torch.maximum(weight.grad.abs().amax((1, 2)), bias.grad.abs()[:, 0])
    torch.testing.assert_close(solved.gradient, largest, rtol=1e-3, atol=1e-7)
    assert float(solved.gradient.max()) < 1e-3


def test_rows_count_as_often_as_their_weights_say() -> None:
    x, labels = rows_and_labels(problems=2)
    weights = torch.randint(0, 3, labels.shape, generator=torch.Generator().manual_seed(1)).double()
    solved = solve_logistic(x, labels, torch.tensor([0.01, 0.1]).double(), weights=weights, tolerance=1e-8)
    for number, strength in enumerate((0.01, 0.1)):
        peer = scikit_learn(x, labels[number], strength, weights[number].numpy())
        assert np.abs(peer.coef_ - solved.weight[number].numpy()).max() < 1e-5


def test_units_that_never_vary_and_more_units_than_rows_do_no_harm() -> None:
    x, labels = rows_and_labels(rows=30, width=60, problems=1)
    x[:, 5] = 7.0
    solved = solve_logistic(x, labels, 0.05, tolerance=1e-8)
    peer = scikit_learn(x, labels[0], 0.05)
    assert np.abs(peer.coef_ - solved.weight[0].numpy()).max() < 1e-5


def test_a_fit_that_does_not_settle_is_refused_in_one_line() -> None:
    x, labels = rows_and_labels()
    with pytest.raises(ProbeError, match=r"expected every probe's gradient below .* got .*; standardise"):
        solve_logistic(x, labels, 1e-4, tolerance=1e-10, iterations=2)
    with pytest.raises(ValueError, match="strength must be positive"):
        solve_logistic(x, labels, 0.0)
