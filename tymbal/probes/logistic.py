"""Logistic regression with an L2 penalty, whose strength is chosen by cross-validation over groups.

All strengths and folds are solved in one batch; the strength with the least log-loss on the folds' other rows is then
fitted to all rows.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from tymbal.probes.batched import solve_logistic
from tymbal.probes.probe import LinearProbe, Reader, Rows, Scale, folds, log_probabilities
from tymbal.probes.targets import Classes, Target


@dataclass(frozen=True, kw_only=True)
class Logistic(Reader):
    """L2-penalised logistic regression on standardised units, cross-validated."""

    kind: ClassVar[str] = "logistic"
    reads: ClassVar[tuple[type, ...]] = (Classes,)
    strengths: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
    """Penalties to choose from, in nats a row per squared weight."""
    balanced: bool = False
    """Whether each class counts the same, however many rows it has."""

    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> LinearProbe:
        assert isinstance(target, Classes)
        scale = Scale.of(x)
        rows = scale.apply(x)
        weights = self._weights(target)
        solved = solve_logistic(
            rows,
            target.ids[None],
            self._strength(rows, target, groups, weights),
            classes=len(target.names),
            weights=None if weights is None else weights[None],
        )
        return scale.unscaled(solved.weight[0], solved.bias[0])

    def _weights(self, target: Classes) -> Tensor | None:
        if not self.balanced:
            return None
        return 1 / torch.bincount(target.ids, minlength=len(target.names))[target.ids].double()

    def _strength(self, rows: Tensor, target: Classes, groups: Tensor, weights: Tensor | None) -> float:
        splits = folds(groups)
        if len(self.strengths) == 1 or not splits:
            return self.strengths[-1]
        fitted = torch.zeros(len(splits), len(rows), dtype=rows.dtype)
        for number, (fit, _) in enumerate(splits):
            fitted[number, torch.from_numpy(fit)] = 1
        if weights is not None:
            fitted *= weights
        many = len(splits) * len(self.strengths)
        solved = solve_logistic(
            rows,
            target.ids.expand(many, -1),
            torch.tensor(self.strengths).double().repeat_interleave(len(splits)),
            classes=len(target.names),
            weights=fitted.repeat(len(self.strengths), 1),
            tolerance=1e-4,
        )
        losses = torch.zeros(len(self.strengths), dtype=rows.dtype)
        for number, (weight, bias) in enumerate(zip(solved.weight, solved.bias, strict=True)):
            tried = torch.from_numpy(splits[number % len(splits)][1])
            told = log_probabilities(rows[tried] @ weight.T + bias).gather(1, target.ids[tried, None])
            losses[number // len(splits)] -= (told if weights is None else told * weights[tried, None]).sum()
        return self.strengths[int(losses.argmin())]
