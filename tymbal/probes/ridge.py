"""Ridge regression for numbers, whose penalty is chosen by cross-validation over groups (scikit-learn's `RidgeCV`)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int
from sklearn.linear_model import RidgeCV
from torch import Tensor

from tymbal.probes.probe import LinearProbe, Reader, Rows, Scale, folds
from tymbal.probes.targets import Numbers, Target


@dataclass(frozen=True, kw_only=True)
class Ridge(Reader):
    """L2-penalised least squares on standardised units, cross-validated."""

    kind: ClassVar[str] = "ridge"
    reads: ClassVar[tuple[type, ...]] = (Numbers,)
    strengths: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    """Penalties to choose from, per row."""

    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> LinearProbe:
        assert isinstance(target, Numbers)
        scale = Scale.of(x)
        own = Scale.of(target.values)
        penalties = [strength * len(x) for strength in self.strengths]
        fitter = RidgeCV(penalties, cv=folds(groups) or None).fit(
            scale.apply(x).numpy(), own.apply(target.values).numpy()
        )
        weight = torch.from_numpy(fitter.coef_).reshape(target.outputs, -1) * own.spread[:, None]
        return scale.unscaled(weight, torch.as_tensor(fitter.intercept_) * own.spread + own.mean)
