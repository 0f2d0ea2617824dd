"""Thousands of logistic probes over the same rows at once.

Each problem p has its own labels, row weights a (summing to 1) and strength λ, and minimises

    Σ_row a · loss(label, w·x + b) + λ/2 |w|²          (b is not penalised)

1. x is centred and turned into its principal axes once. There the penalty keeps its form, and the curvature of every
   problem is at most ¼ s_j² + λ along axis j (Böhning & Lindsay 1988, "Monotonicity of quadratic-approximation
   algorithms"), which scales the axes of each problem.
2. L-BFGS (Nocedal 1980; 8 pairs), all problems in step: an iteration is two matrix products for all of them, one for
   how the logits move along each direction and one for the gradients. Since logits are linear in the step, the line
   search (Newton's, halved where it would climb) needs no further product.
3. Problems that have arrived leave the batch. The gradient that is reported is computed afresh in fp64, in the axes
   of x.

Two classes have one logit, more have one a class (softmax). scikit-learn's `LogisticRegression(C=C)` is
λ = 1 / (C rows).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.errors import ProbeError

_PAIRS = 8
_BLOCK_LOGITS = 1 << 21
"""Logits held at once for one block of problems: 8 MiB in fp32, so that they stay in the processor's cache."""


@dataclass(frozen=True)
class Solved:
    """The minimum of each problem, and how near to it we came."""

    weight: Float[Tensor, "problem output width"]
    bias: Float[Tensor, "problem output"]
    gradient: Float[Tensor, " problem"]
    """The largest entry of the objective's gradient, in fp64."""
    iterations: int


@dataclass(frozen=True)
class _Axes:
    """Rows in their principal axes with a last column of ones for the bias."""

    rows: Float[Tensor, "axis row"]
    curvature: Float[Tensor, " axis"]
    """The largest curvature of the mean loss along each axis, the bias among them."""
    turn: Float[Tensor, "width turned"]
    mean: Float[Tensor, " width"]


def solve_logistic(
    x: Float[Tensor, "row width"],
    labels: Int[Tensor, "problem row"],
    strength: float | Float[Tensor, " problem"],
    *,
    classes: int = 2,
    weights: Float[Tensor, "problem row"] | None = None,
    tolerance: float = 1e-5,
    iterations: int = 500,
) -> Solved:
    """The logistic probe of each problem, in the dtype of `x`; `weights` are each problem's row weights, of any scale.

    Raises `ProbeError` when a problem's gradient is still above ten times `tolerance` after `iterations`, `ValueError`
    for a strength that is not positive.
    """
    problems = len(labels)
    strengths = torch.as_tensor(strength, dtype=x.dtype).expand(problems)
    if not bool((strengths > 0).all()):
        raise ValueError(f"strength must be positive, got {float(strengths.min())}")
    axes = _axes(x)
    outputs = 1 if classes == 2 else classes
    block = max(1, _BLOCK_LOGITS // (outputs * len(x)))
    parts, gradients, longest = [], [], 0
    for places in torch.arange(problems).split(block):
        share = _shares(None if weights is None else weights[places], len(places), len(x), x.dtype)
        batch = _Batch(axes, labels[places], share, strengths[places], outputs)
        theta, taken = _minimised(batch, tolerance, iterations)
        longest = max(longest, taken)
        weight = theta[..., :-1] @ axes.turn.T
        bias = theta[..., -1] - weight @ axes.mean
        parts.append((weight, bias))
        gradients.append(_gradient(x, batch, weight, bias))
    solved = Solved(
        torch.cat([weight for weight, _ in parts]),
        torch.cat([bias for _, bias in parts]),
        torch.cat(gradients),
        longest,
    )
    _require_minimum(solved, tolerance, iterations)
    return solved


def _require_minimum(solved: Solved, tolerance: float, iterations: int) -> None:
    worst = float(solved.gradient.max())
    if not worst <= 10 * tolerance:
        raise ProbeError(
            expected=f"every probe's gradient below {10 * tolerance:g} within {iterations} iterations",
            got=f"{worst:.1e}",
            do="standardise the rows, raise the strength or the iterations, or give rows in fp64",
        )


def _axes(x: Tensor) -> _Axes:
    mean = x.mean(0)
    centred = (x - mean).double()
    values, turn = torch.linalg.eigh(centred.T @ centred / len(x))
    kept = values > 1e-12 * values[-1].clamp(min=1e-300)
    turn = turn[:, kept].to(x.dtype)
    rows = torch.cat([(x - mean) @ turn, torch.ones_like(x[:, :1])], 1).T.contiguous()
    curvature = torch.cat([values[kept].to(x.dtype), torch.ones(1, dtype=x.dtype)]) / 4
    return _Axes(rows, curvature, turn, mean)


def _shares(weights: Tensor | None, problems: int, rows: int, dtype: torch.dtype) -> Tensor:
    if weights is None:
        return torch.full((1, rows), 1 / rows, dtype=dtype).expand(problems, rows)
    return (weights / weights.sum(1, keepdim=True)).to(dtype)


class _Batch:
    """Some problems that are solved in step; parameters are [problem output axis], the last axis the bias."""

    def __init__(self, axes: _Axes, labels: Tensor, share: Tensor, strength: Tensor, outputs: int) -> None:
        self.axes, self.labels, self.share, self.strength, self.outputs = axes, labels, share, strength, outputs
        penalised = torch.ones_like(axes.curvature)
        penalised[-1] = 0
        self.penalty = strength[:, None, None] * penalised
        # A softmax's curvature can be twice that of a single logit; only the ratio between axes matters much.
        self.scale = 1 / (axes.curvature * (1 if outputs == 1 else 2) + self.penalty)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, kept: Tensor) -> "_Batch":
        return _Batch(self.axes, self.labels[kept], self.share[kept], self.strength[kept], self.outputs)

    def logits(self, theta: Tensor) -> Float[Tensor, "problem output row"]:
        return (theta.reshape(-1, theta.shape[-1]) @ self.axes.rows).reshape(*theta.shape[:2], -1)

    def loss(self, logits: Tensor, theta: Tensor) -> Float[Tensor, " problem"]:
        if self.outputs == 1:
            each = F.softplus(logits[:, 0]) - self.labels * logits[:, 0]
        else:
            each = logits.logsumexp(1) - logits.gather(1, self.labels[:, None])[:, 0]
        return (self.share * each).sum(1) + (self.penalty * theta.square()).sum((1, 2)) / 2

    def residual(self, logits: Tensor) -> Float[Tensor, "problem output row"]:
        """Derivative of the summed loss by each logit."""
        if self.outputs == 1:
            wrong = logits.sigmoid() - self.labels[:, None]
        else:
            wrong = logits.softmax(1).scatter_add(1, self.labels[:, None], -torch.ones_like(logits[:, :1]))
        return wrong * self.share[:, None]

    def gradient(self, logits: Tensor, theta: Tensor) -> Tensor:
        wrong = self.residual(logits)
        moved = wrong.reshape(-1, wrong.shape[-1]) @ self.axes.rows.T
        return moved.reshape(theta.shape) + self.penalty * theta

    def curvature(self, logits: Tensor, moving: Tensor) -> Float[Tensor, " problem"]:
        """Second derivative of the summed loss along a movement of the logits."""
        if self.outputs == 1:
            chance = logits.sigmoid()
            bent = (chance * (1 - chance) * moving.square())[:, 0]
        else:
            chance = logits.softmax(1)
            bent = (chance * moving.square()).sum(1) - (chance * moving).sum(1).square()
        return (self.share * bent).sum(1)


def _minimised(batch: _Batch, tolerance: float, iterations: int) -> tuple[Tensor, int]:
    """Parameters of each problem, and the iterations that the slowest took."""
    found = torch.zeros(len(batch), batch.outputs, len(batch.axes.curvature), dtype=batch.axes.rows.dtype)
    active = torch.arange(len(batch))
    theta = found.clone()
    logits = batch.logits(theta)
    gradient = batch.gradient(logits, theta)
    pairs: list[tuple[Tensor, Tensor]] = []
    taken = 0
    while taken < iterations:
        going = gradient.abs().amax((1, 2)) > tolerance
        if not bool(going.any()):
            break
        if int(going.sum()) < 0.7 * len(active):
            found[active] = theta
            active, batch, theta, logits, gradient = (
                active[going], batch.take(going), theta[going], logits[going], gradient[going],
            )  # fmt: skip
            pairs = [(step[going], change[going]) for step, change in pairs]
        direction = _direction(gradient, pairs, batch.scale)
        moving = batch.logits(direction)
        step = _step(batch, theta, logits, gradient, direction, moving)
        theta, logits = theta + step * direction, logits + step * moving
        if taken % 25 == 24:  # sums of many small steps lose digits
            logits = batch.logits(theta)
        before, gradient = gradient, batch.gradient(logits, theta)
        pairs = [*pairs[-_PAIRS + 1 :], (step * direction, gradient - before)]
        taken += 1
    found[active] = theta
    return found, taken


def _dot(left: Tensor, right: Tensor) -> Float[Tensor, "problem 1 1"]:
    return (left * right).sum((1, 2))[:, None, None]


def _direction(gradient: Tensor, pairs: list[tuple[Tensor, Tensor]], scale: Tensor) -> Tensor:
    """L-BFGS's two loops; a pair without positive curvature (lost to rounding) counts for nothing."""
    towards, kept = gradient, []
    for step, change in reversed(pairs):
        along = _dot(step, change)
        inverse = torch.where(along > 0, 1 / along, 0.0)
        part = inverse * _dot(step, towards)
        towards = towards - part * change
        kept.append((step, change, inverse, part))
    towards = scale * towards
    if kept:
        step, change, inverse, _ = kept[0]
        fitted = _dot(step, change) / _dot(change, scale * change)
        towards = towards * torch.where(inverse > 0, fitted, 1.0)
    for step, change, inverse, part in reversed(kept):
        towards = towards + (part - inverse * _dot(change, towards)) * step
    return -towards


def _step(
    batch: _Batch, theta: Tensor, logits: Tensor, gradient: Tensor, direction: Tensor, moving: Tensor
) -> Float[Tensor, "problem 1 1"]:
    """Newton's step along the direction, halved as long as the loss would rise."""
    slope = _dot(gradient, direction)
    bend = batch.curvature(logits, moving)[:, None, None] + _dot(batch.penalty * direction, direction)
    step = torch.where(bend > 0, -slope / bend, 0.0).clamp(0, 1e3)
    before = batch.loss(logits, theta)
    least = before + before.abs() * 4 * torch.finfo(before.dtype).eps
    for _ in range(20):
        climbs = batch.loss(logits + step * moving, theta + step * direction) > least
        if not bool(climbs.any()):
            break
        step = torch.where(climbs[:, None, None], step / 2, step)
    return step


def _gradient(x: Tensor, batch: _Batch, weight: Tensor, bias: Tensor) -> Float[Tensor, " problem"]:
    """The largest entry of the gradient at these parameters, in fp64 and the axes of `x`."""
    exact = x.double()
    largest = []
    for places in _pieces(len(batch)):
        part = batch.take(places)
        logits = (weight[places].double().reshape(-1, x.shape[1]) @ exact.T).reshape(len(places), batch.outputs, -1)
        wrong = part.residual(logits + bias[places].double()[..., None])
        moved = (wrong.reshape(-1, len(x)).double() @ exact).reshape(len(places), batch.outputs, -1)
        moved += part.strength.double()[:, None, None] * weight[places].double()
        largest.append(torch.maximum(moved.abs().amax((1, 2)), wrong.double().sum(2).abs().amax(1)))
    return torch.cat(largest)


def _pieces(problems: int) -> Iterator[Tensor]:
    return iter(torch.arange(problems).split(512))
