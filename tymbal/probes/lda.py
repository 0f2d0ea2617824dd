"""Linear discriminant analysis with a shrunk covariance (Ledoit & Wolf 2004), by scikit-learn."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from tymbal.probes.probe import LinearProbe, Reader, Rows, Scale
from tymbal.probes.targets import Classes, Target


@dataclass(frozen=True, kw_only=True)
class LDA(Reader):
    """Class means seen through the covariance that all classes share."""

    kind: ClassVar[str] = "lda"
    reads: ClassVar[tuple[type, ...]] = (Classes,)

    def fit(self, x: Rows, target: Target, groups: Int[Tensor, " row"]) -> LinearProbe:  # noqa: ARG002 - tries nothing out
        assert isinstance(target, Classes)
        scale = Scale.of(x)
        fitter = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        fitter.fit(scale.apply(x).numpy(), target.ids.numpy())
        return scale.unscaled(torch.from_numpy(fitter.coef_), torch.from_numpy(fitter.intercept_))
