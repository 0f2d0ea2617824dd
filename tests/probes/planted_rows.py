"""Rows with a planted direction, and readings of them without a model."""

import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from tymbal.probes import Classes, Numbers, Pooling, Readings

WIDTH = 16


def normal_rows(rows: int, *, gap: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Standard normal rows of two classes whose means lie `gap` apart along the third unit."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.arange(rows) % 2
    x = torch.randn(rows, WIDTH, generator=generator)
    x[:, 2] += gap * (ids - 0.5)
    return x, ids


def readings(
    x: Tensor, target: Classes | Numbers, *, groups: Tensor, types: Tensor, datasets: Tensor | None = None
) -> Readings:
    """Readings of one site, `resid_post.0`, in which bag and position say nothing."""
    nothing = torch.zeros(len(x), dtype=torch.long)
    return Readings(
        activations={"resid_post.0": x},
        pooling=Pooling.LAST,
        target=target,
        examples=torch.arange(len(x)),
        groups=groups,
        datasets=nothing if datasets is None else datasets,
        dataset_names=("",) if datasets is None else tuple(f"set {n}" for n in range(int(datasets.max()) + 1)),
        types=types,
        bag=csr_matrix((torch.ones(len(x)).numpy(), (range(len(x)), nothing.tolist())), shape=(len(x), 3)),
        position=torch.ones(len(x), 2),
        left_out=0,
    )
