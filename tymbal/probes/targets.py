"""What a probe is to read from a row: one of several classes, or numbers."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.errors import ProbeError, listed


@dataclass(frozen=True)
class Classes:
    """A class for each row; two classes are read as a question whose answer yes is the second."""

    ids: Int[Tensor, " row"]
    """Numbers of classes, from 0."""
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Tensor) -> "Classes":
        return Classes(self.ids[rows], self.names)

    @property
    def outputs(self) -> int:
        """Columns of a probe's scores: one for two classes (the log-odds of the second), else one a class."""
        return 1 if len(self.names) == 2 else len(self.names)

    def require_all(self, where: str) -> None:
        """Raise `ProbeError` when a class is missing."""
        counts = torch.bincount(self.ids, minlength=len(self.names))
        missing = [name for name, count in zip(self.names, counts.tolist(), strict=True) if not count]
        if missing or len(self.names) < 2:
            raise ProbeError(
                expected=f"at least two classes, each of them {where}",
                got=f"none of {listed(missing, 3)}" if missing else f"only {listed(self.names) or 'none'}",
                do="give more labels, another seed or larger shares",
            )


@dataclass(frozen=True)
class Numbers:
    """One or several numbers for each row, each with its name."""

    values: Float[Tensor, "row output"]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Tensor) -> "Numbers":
        return Numbers(self.values[rows], self.names)

    @property
    def outputs(self) -> int:
        """Columns of a probe's predictions."""
        return len(self.names)

    def require_all(self, where: str) -> None:
        """Raise `ProbeError` when a number never varies or is not finite."""
        for name, column in zip(self.names, self.values.T, strict=True):
            if len(column) == 0 or not bool(torch.isfinite(column).all()) or float(column.max()) == float(column.min()):
                raise ProbeError(
                    expected=f"finite and different numbers {name!r} {where}",
                    got=f"{len(column)} that are all the same, or one that is not finite",
                    do="mend the labels",
                )


Target = Classes | Numbers
