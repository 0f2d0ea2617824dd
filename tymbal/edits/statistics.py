"""Streaming statistics of labelled rows: what an eraser is fitted from.

1. Rows are collected into blocks and shifted by the mean of the first block, so that a large mean costs no digits.
2. A block's outer products are summed in the rows' own precision (fp32, or fp64 for fp64 rows) and added up in fp64. A
   block is short, so the rounding stays near one unit of fp32 of each pair's standard deviations, whatever their sizes.
3. Sums by class (or the products with real-valued labels) are added up likewise; class means are thus known to far more
   digits than the erasure of their difference needs.
4. Each row leaves a fingerprint, by which held-out rows that were fitted are found out.

The product is X'X of one and the same matrix, for which BLAS has a routine of half the cost (syrk); NumPy calls it.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from tymbal.edits.fingerprints import fingerprints
from tymbal.errors import TymbalError

BLOCK = 2048  # rows


class Summary(NamedTuple):
    """All rows in a few numbers. `targets` are classes, or coordinates of a real-valued concept."""

    rows: int
    mean: Float64[Tensor, " width"]
    covariance: Float64[Tensor, "width width"]
    """in squared activation units, divided by the number of rows"""
    cross: Float64[Tensor, "width target"]
    """covariance of rows with labels whose own covariance is the identity: classes as √p (mean of class - mean)"""
    class_rows: Int64[Tensor, " target"] | None
    """rows of each class; None for a real-valued concept"""
    class_means: Float64[Tensor, "target width"] | None
    fingerprints: Int64[Tensor, " row"]
    """sorted"""
    exact: bool
    """whether outer products were summed in fp64"""


class LabelledStatistics:
    """Takes in labelled rows in batches of any size."""

    def __init__(self, width: int, classes: int | None) -> None:
        self.width = width
        self.classes = classes
        self.rows = 0
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._waiting_rows = 0
        self._shift: Tensor | None = None
        self._label_shift: Tensor | None = None
        self._scatter = np.zeros((width, width))
        self._sums: Tensor | None = None
        self._label_scatter: Tensor | None = None
        self._label_sum: Tensor | None = None
        self._seen: list[Tensor] = []
        self._exact = True

    def update(self, x: Float[Tensor, "row width"], labels: Tensor) -> None:
        """Take in checked rows and their labels (classes as int64, values as fp64 in columns)."""
        self.rows += len(x)
        self._seen.append(fingerprints(x))
        if self._waiting_rows + len(x) < BLOCK:
            # The caller may write into its tensors again before the block is full.
            self._waiting.append((x.clone(), labels.clone()))
            self._waiting_rows += len(x)
            return
        self._flush()
        for block, block_labels in zip(x.split(BLOCK), labels.split(BLOCK), strict=True):
            self._add(block, block_labels)

    def _flush(self) -> None:
        if self._waiting:
            rows, labels = zip(*self._waiting, strict=True)
            self._waiting, self._waiting_rows = [], 0
            self._add(torch.cat(rows), torch.cat(labels))

    def _add(self, x: Tensor, labels: Tensor) -> None:
        if self._shift is None:
            self._shift = x.double().mean(0)
        working = torch.float64 if x.dtype == torch.float64 else torch.float32
        self._exact &= working == torch.float64
        shifted = x.to(working) - self._shift.to(working)
        plain = shifted.numpy()
        self._scatter += plain.T @ plain
        self._add_labels(shifted, labels)

    def _add_labels(self, shifted: Tensor, labels: Tensor) -> None:
        targets = self.classes if self.classes is not None else labels.shape[1]
        if self._sums is None:
            self._sums = torch.zeros(targets + 1, self.width, dtype=torch.float64)
            self._label_sum = torch.zeros(targets, dtype=torch.float64)
            self._label_scatter = torch.zeros(targets, targets, dtype=torch.float64)
        assert self._label_sum is not None
        assert self._label_scatter is not None
        if self.classes is not None:
            self._sums[:-1] += shifted.new_zeros(targets, self.width).index_add_(0, labels, shifted)
            self._label_sum += torch.bincount(labels, minlength=targets)
            return
        if self._label_shift is None:
            self._label_shift = labels.mean(0)
        centred = labels - self._label_shift
        self._sums[:-1] += centred.mT @ shifted.double()
        self._sums[-1] += shifted.sum(0, dtype=torch.float64)
        self._label_sum += centred.sum(0)
        self._label_scatter += centred.mT @ centred

    def summary(self) -> Summary:
        """The statistics of all rows so far; raises `TymbalError` where labels do not vary."""
        self._flush()
        if self._shift is None or self._sums is None or self._label_sum is None or self._label_scatter is None:
            raise TymbalError(expected="labelled rows to fit an eraser on", got="none", do="update the fitter first")
        of_classes = self.classes is not None
        offset = (self._sums[:-1].sum(0) if of_classes else self._sums[-1]) / self.rows
        scatter = torch.from_numpy(self._scatter)
        covariance = (scatter + scatter.mT) / (2 * self.rows) - torch.outer(offset, offset)
        cross = self._by_class(offset) if of_classes else self._by_value(offset)
        counts = self._label_sum.long() if of_classes else None
        means = None
        if counts is not None:
            means = self._shift + self._sums[:-1] / counts.clamp(min=1).unsqueeze(1)
        seen = torch.cat(self._seen).sort().values
        return Summary(self.rows, self._shift + offset, covariance, cross, counts, means, seen, self._exact)

    def _by_class(self, offset: Tensor) -> Tensor:
        assert self._sums is not None
        assert self._label_sum is not None
        present = self._label_sum > 0
        if int(present.sum()) < 2:
            raise TymbalError(
                expected="labels of at least two classes",
                got=f"only class {int(present.nonzero()[0])} in {self.rows} rows",
                do="add rows of another class",
            )
        counts = self._label_sum[present]
        gaps = self._sums[:-1][present] / counts.unsqueeze(1) - offset
        return (gaps * (counts / self.rows).sqrt().unsqueeze(1)).mT.contiguous()

    def _by_value(self, offset: Tensor) -> Tensor:
        assert self._sums is not None
        assert self._label_sum is not None
        assert self._label_scatter is not None
        mean = self._label_sum / self.rows
        own = self._label_scatter / self.rows - torch.outer(mean, mean)
        cross = self._sums[:-1] / self.rows - torch.outer(mean, offset)
        values, vectors = torch.linalg.eigh(own)
        varying = values > values[-1].clamp(min=0) * 1e-12
        if not bool(varying.any()):
            raise TymbalError(
                expected="labels that vary", got=f"one value in {self.rows} rows", do="add rows with other values"
            )
        return (cross.mT @ vectors[:, varying]) * values[varying].rsqrt()
