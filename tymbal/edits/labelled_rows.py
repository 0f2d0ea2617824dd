"""Rows and labels as callers give them, checked before any statistic is taken."""

import torch
from torch import Tensor

from tymbal.errors import TymbalError


def checked(x: Tensor, labels: Tensor, width: int, classes: int | None) -> tuple[Tensor, Tensor]:
    """Rows on the CPU, and labels as int64 classes or fp64 columns; raises where either cannot be used."""
    if x.ndim != 2 or x.shape[1] != width or len(labels) != len(x):
        raise ValueError(
            f"expected rows of width {width} with a label each; got rows {tuple(x.shape)}, labels {tuple(labels.shape)}"
        )
    x, labels = x.detach().cpu(), labels.detach().cpu()
    # fp64 sums of halves and fp32 cannot overflow, and hold NaN or infinity exactly if a row does.
    if not bool(torch.isfinite(x.sum(dtype=torch.float64))):
        bad = int((~torch.isfinite(x)).any(1).nonzero()[0])
        raise TymbalError(
            expected="finite activations", got=f"NaN or infinity in row {bad}", do="leave such rows out and ask why"
        )
    if classes is None:
        return x, _values(labels)
    return x, _class_labels(labels, classes)


def _class_labels(labels: Tensor, classes: int) -> Tensor:
    if labels.ndim != 1 or labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"expected one whole number a row as label; got {labels.dtype} of shape {tuple(labels.shape)}")
    labels = labels.long()
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise TymbalError(
            expected=f"labels from 0 to {classes - 1}",
            got=f"{int(labels.min())} to {int(labels.max())}",
            do="number the classes from 0, or make the fitter with more classes",
        )
    return labels


def _values(labels: Tensor) -> Tensor:
    if not labels.is_floating_point() or labels.ndim > 2:
        raise ValueError(
            f"expected real-valued labels, as classes=None says; got {labels.dtype} of shape {tuple(labels.shape)}; "
            "for classes make the fitter with their number"
        )
    if not bool(torch.isfinite(labels).all()):
        raise TymbalError(expected="finite labels", got="NaN or infinity", do="leave these rows out")
    return labels.double().reshape(len(labels), -1)
