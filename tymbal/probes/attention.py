"""A linear reader that learns which tokens of a span to look at.

score = Σ_token softmax(q·x_token) (v·x_token) + b; q and v are fitted together by Adam with weight decay. Rows are
[row token width], filled up with NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.probes.probe import Probe, Reader, Rows, Scale, log_probabilities
from tymbal.probes.targets import Classes, Numbers, Target


@dataclass(frozen=True)
class AttentionProbe(Probe):
    """Scores of tokens, averaged with weights that the tokens themselves decide."""

    form: ClassVar[str] = "attention"
    query: Float[Tensor, " width"]
    weight: Float[Tensor, "output width"]
    bias: Float[Tensor, " output"]

    def scores(self, x: Rows) -> Float[Tensor, "row output"]:
        return _scores(x.nan_to_num(), ~x[..., 0].isnan(), self.query, self.weight) + self.bias

    def tensors(self) -> dict[str, Tensor]:
        return {"query": self.query, "weight": self.weight, "bias": self.bias}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "AttentionProbe":
        return cls(tensors["query"], tensors["weight"], tensors["bias"])


@dataclass(frozen=True, kw_only=True)
class Attention(Reader):
    """Attention-pooled linear reader."""

    kind: ClassVar[str] = "attention"
    reads: ClassVar[tuple[type, ...]] = (Classes, Numbers)
    steps: int = 150
    """Steps of Adam over all rows."""
    rate: float = 0.03
    """Learning rate."""
    decay: float = 1e-2
    """Penalty on squared weights, in nats (or squared deviations) a row."""

    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> AttentionProbe:  # noqa: ARG002 - tries nothing out
        real = ~x[..., 0].isnan()
        scale = Scale.of(x[real])
        rows = torch.where(real[..., None], scale.apply(x), 0.0).float()
        own = Scale(torch.zeros(1), torch.ones(1)) if isinstance(target, Classes) else Scale.of(target.values)
        query, weight, bias = self._fitted(rows, real, target, own)
        value = scale.unscaled(weight * own.spread[:, None], bias * own.spread + own.mean)
        return AttentionProbe((query / scale.spread).float(), value.weight, value.bias)

    def _fitted(self, rows: Tensor, real: Tensor, target: Target, own: Scale) -> tuple[Tensor, Tensor, Tensor]:
        query = torch.zeros(rows.shape[-1], requires_grad=True)
        weight = torch.zeros(target.outputs, rows.shape[-1], requires_grad=True)
        bias = torch.zeros(target.outputs, requires_grad=True)
        optimiser = torch.optim.Adam([query, weight, bias], lr=self.rate)
        for _ in range(self.steps):
            optimiser.zero_grad()
            told = _scores(rows, real, query, weight) + bias
            if isinstance(target, Classes):
                loss = -log_probabilities(told).gather(1, target.ids[:, None]).mean()
            else:
                loss = F.mse_loss(told, own.apply(target.values).float())
            (loss + self.decay * (weight.square().sum() + query.square().sum())).backward()
            optimiser.step()
        return query.detach(), weight.detach(), bias.detach()


def _scores(rows: Tensor, real: Tensor, query: Tensor, weight: Tensor) -> Float[Tensor, "row output"]:
    shares = (rows @ query).masked_fill(~real, float("-inf")).softmax(-1)
    return torch.einsum("rt,rtw->rw", shares, rows) @ weight.T
