"""A small multilayer perceptron (one hidden layer), by scikit-learn; it shows what a linear probe leaves unread."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import Tensor

from tymbal.probes.probe import Probe, Reader, Rows, Scale
from tymbal.probes.targets import Classes, Numbers, Target


@dataclass(frozen=True)
class MLPProbe(Probe):
    """Scores of a hidden layer of rectified units."""

    form: ClassVar[str] = "mlp"
    inward: Float[Tensor, "hidden width"]
    inward_bias: Float[Tensor, " hidden"]
    outward: Float[Tensor, "output hidden"]
    outward_bias: Float[Tensor, " output"]

    def scores(self, x: Rows) -> Float[Tensor, "row output"]:
        return (x @ self.inward.T + self.inward_bias).relu() @ self.outward.T + self.outward_bias

    def tensors(self) -> dict[str, Tensor]:
        names = ("inward", "inward_bias", "outward", "outward_bias")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "MLPProbe":
        return cls(**tensors)


@dataclass(frozen=True, kw_only=True)
class MLP(Reader):
    """One hidden layer, weight decay, at most so many epochs."""

    kind: ClassVar[str] = "mlp"
    reads: ClassVar[tuple[type, ...]] = (Classes, Numbers)
    hidden: int = 64
    """Hidden units."""
    decay: float = 0.1
    """Weight decay (scikit-learn's `alpha`)."""
    epochs: int = 60
    """Passes over the rows, at most."""
    rate: float = 1e-3
    """Learning rate at the start (Adam's)."""
    seed: int = 0
    """Seed of the initial weights and the order of rows."""

    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> MLPProbe:  # noqa: ARG002 - tries nothing out
        scale = Scale.of(x)
        rows = scale.apply(x).numpy()
        options = {
            "hidden_layer_sizes": (self.hidden,),
            "alpha": self.decay,
            "max_iter": self.epochs,
            "learning_rate_init": self.rate,
            "random_state": self.seed,
        }
        own = Scale(torch.zeros(1), torch.ones(1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is part of the method
            if isinstance(target, Classes):
                fitter = MLPClassifier(**options).fit(rows, target.ids.numpy())
            else:
                own = Scale.of(target.values)
                wanted = own.apply(target.values).numpy()
                fitter = MLPRegressor(**options).fit(rows, wanted[:, 0] if wanted.shape[1] == 1 else wanted)
        (inward, outward), (inward_bias, outward_bias) = (
            [torch.from_numpy(part) for part in parts] for parts in (fitter.coefs_, fitter.intercepts_)
        )
        first = scale.unscaled(inward.T, inward_bias)
        last = outward.T * own.spread[:, None], outward_bias * own.spread + own.mean
        return MLPProbe(first.weight, first.bias, *(part.float() for part in last))
