"""The oracle eraser: with the labels at hand, move each class's mean onto the common mean; no edit can be smaller.

Source: Belrose et al. 2023, "LEACE", section 4.3 (oracle erasure: the residual of a regression on the labels).
"""

from dataclasses import dataclass
from typing import final

from jaxtyping import Float, Float64, Int
from torch import Tensor

from tymbal.edits.record import FitRecord


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class OracleEraser:
    """Made by `EraserFitter.fit_oracle`."""

    means: Float64[Tensor, "target width"]
    mean: Float64[Tensor, " width"]
    record: FitRecord

    def __call__(self, x: Float[Tensor, "row width"], labels: Int[Tensor, " row"]) -> Float[Tensor, "row width"]:
        """Rows less their class's mean, plus the common one; in the rows' own type."""
        gaps = (self.means - self.mean).to(x.device)
        return (x - gaps[labels.to(x.device)]).to(x.dtype)
