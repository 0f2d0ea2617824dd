"""What a dictionary reads and what it writes, whatever its kind.

    autoencoder    reads a site and writes the same site                       the default
    transcoder     reads a site and writes another: `target`                   optionally plus a linear map of its input
    crosscoder     reads and writes several sites, or two models' sites, whose rows stand side by side: `parts`

A row of a crosscoder is the concatenation of its parts' rows, so that encoder and decoder stay one matrix each.

Some foreign dictionaries normalise each row before they encode it and undo that after decoding (`row_norm`):

    layer_norm     (x - mean of x) / (standard deviation of x + 1e-5), the deviation over width - 1; undone without 1e-5
    norm           x · √width / |x|

Sources: Dunefsky et al. 2024, "Transcoders Find Interpretable LLM Feature Circuits"; Paulo et al. 2025, "Transcoders
Beat Sparse Autoencoders for Interpretability" (skip); Anthropic 2024, "Sparse Crosscoders for Cross-Layer Features and
Model Diffing"; Gao et al. 2024, appendix A.1, for `layer_norm`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

LAYER_NORM_EPSILON = 1e-5


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a transcoder writes."""

    width: int
    site: str | None = None
    skip: bool = False
    """Whether a linear map of the input is added to what the features write."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One site's share of a crosscoder's rows."""

    width: int
    site: str | None = None
    model: dict[str, Any] = field(default_factory=dict)
    """Identity of the model that the site belongs to (`LanguageModel.identity`); empty if unknown."""


class RowUnits(NamedTuple):
    """How each row is normalised, (x - shift) / (scale + epsilon), which shift and scale alone undo."""

    shift: Float[Tensor, "row 1"]
    scale: Float[Tensor, "row 1"]
    epsilon: float


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What a dictionary reads and writes; the default is an autoencoder of one site."""

    target: Target | None = None
    """Where a transcoder writes; None: where it reads."""
    parts: tuple[Part, ...] = ()
    """The sites of a crosscoder, in the order in which their rows stand side by side."""
    row_norm: Literal["layer_norm", "norm"] | None = None
    """How each row is normalised before encoding, which decoding undoes."""

    def __post_init__(self) -> None:
        if sum((self.target is not None, bool(self.parts), self.row_norm is not None)) > 1:
            raise ValueError(
                "expected a target, parts, a row norm, or none of them; got more than one; "
                "a transcoder and a crosscoder take rows as they are"
            )
        if len(self.parts) == 1:
            raise ValueError("expected at least two parts of a crosscoder; got one; leave parts empty for one site")

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> "Ends":
        """What `to_json` gave; missing entries are the default."""
        target = config.get("target")
        return cls(
            target=Target(**target) if target else None,
            parts=tuple(Part(**part) for part in config.get("parts") or ()),
            row_norm=config.get("row_norm"),
        )

    def to_json(self) -> dict[str, Any]:
        """Entries of `config.json`."""
        entries = asdict(self)
        return entries | {"parts": list(entries["parts"])}

    def require_width(self, width: int) -> None:
        """Raise `ValueError` where the parts do not make up a row of this width."""
        if self.parts and sum(part.width for part in self.parts) != width:
            raise ValueError(
                f"expected parts that make up the width {width}; got {[part.width for part in self.parts]}; "
                "give their sum as the width"
            )

    def columns(self, width: int) -> list[slice]:
        """Which columns of a source's rows belong to one site; a transcoder's target stands beside its input."""
        if self.target is not None:
            widths = [width - self.target.width, self.target.width]
        else:
            widths = [part.width for part in self.parts] or [width]
        bounds = list(accumulate(widths, initial=0))
        return [slice(start, stop) for start, stop in pairwise(bounds)]

    def split(self, rows: Float[Tensor, "*row column"], width: int) -> tuple[Tensor, Tensor]:
        """What a dictionary of this width reads of a source's rows, and what it should write."""
        return rows[..., :width], rows if self.target is None else rows[..., width:]

    def row_units(self, x: Float[Tensor, "row width"]) -> RowUnits | None:
        """How these rows are normalised; None where they are taken as they are."""
        if self.row_norm is None:
            return None
        if self.row_norm == "norm":
            scale = x.norm(dim=1, keepdim=True) / x.shape[1] ** 0.5
            return RowUnits(torch.zeros_like(scale), scale, torch.finfo(x.dtype).tiny)
        return RowUnits(x.mean(1, keepdim=True), x.std(1, keepdim=True), LAYER_NORM_EPSILON)


AUTOENCODER = Ends()
"""Reads one site and writes the same."""
