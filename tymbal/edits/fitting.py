"""Fit erasers: labelled rows stream in, a frozen eraser comes out."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.activations import Moments
from tymbal.edits.eraser import Eraser
from tymbal.edits.labelled_rows import checked
from tymbal.edits.leace import oblique_projection
from tymbal.edits.oracle import OracleEraser
from tymbal.edits.quadratic import QuadraticEraser, class_maps
from tymbal.edits.record import FitRecord
from tymbal.edits.statistics import LabelledStatistics, Summary
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel, parse_site


class EraserFitter:
    """Streams labelled rows; `fit` gives the eraser of everything seen so far, and more rows may follow."""

    def __init__(
        self,
        width: int,
        classes: int | None,
        *,
        quadratic: bool = False,
        site: str | None = None,
        model: LanguageModel | None = None,
    ) -> None:
        """Of rows of this width with labels 0 to `classes` - 1; `classes=None` for a real-valued concept.

        `quadratic` also keeps each class's covariance, which `fit_quadratic` needs (width² numbers a class). With the
        `site` and the `model` that the rows are read from, the eraser is refused at other sites and in other models.
        """
        if width < 1 or (classes is not None and classes < 2):
            raise ValueError(f"expected a width of at least 1 and at least 2 classes; got {width} and {classes}")
        if quadratic and classes is None:
            raise ValueError("quadratic erasure needs classes; got classes=None")
        self.width = width
        self.classes = classes
        self._site = None if site is None else str(parse_site(site))
        self._model: Mapping[str, Any] = {} if model is None else model.identity
        self._statistics = LabelledStatistics(width, classes)
        self._by_class = [Moments(width) for _ in range(classes or 0)] if quadratic else []

    @property
    def rows(self) -> int:
        """Rows seen."""
        return self._statistics.rows

    def update(self, x: Float[Tensor, "row width"], labels: Tensor) -> "EraserFitter":
        """Take in rows of any float type and their labels; raises `ValueError` for what does not fit.

        Raises `TymbalError` for rows or labels that are not finite.
        """
        x, targets = checked(x, labels, self.width, self.classes)
        if len(x):
            self._statistics.update(x, targets)
            for label, moments in enumerate(self._by_class):
                moments.update(x[targets == label])
        return self

    def fit(self, *, shrink: bool = False) -> Eraser:
        """The linear eraser (LEACE) of all rows so far.

        Raises `TymbalError` where labels do not vary, and where rows are fewer than width + classes, from which no
        covariance can be told. `shrink` then draws it towards uncorrelated coordinates; the certificate says so.
        """
        summary = self._statistics.summary()
        needed = self.width + summary.cross.shape[1]
        if summary.rows < needed and not shrink:
            raise TymbalError(
                expected=f"at least {needed} rows (width + classes), to know a covariance of width {self.width}",
                got=f"{summary.rows}",
                do="add rows, or fit with shrink=True, which erases in sample and may leave the concept on other rows",
            )
        found = oblique_projection(summary, shrink=shrink)
        record = self._record(summary, found.shrinkage)
        return Eraser(mean=summary.mean, left=found.left, right=found.right, record=record)

    def fit_oracle(self) -> OracleEraser:
        """The smallest edit where labels are known at use: each row loses what its label predicts linearly."""
        summary = self._statistics.summary()
        if summary.class_means is None:
            raise TymbalError(
                expected="classes, for the oracle form", got="a real-valued concept", do="use fit, or bin the values"
            )
        return OracleEraser(means=summary.class_means, mean=summary.mean, record=self._record(summary, 0.0))

    def fit_quadratic(self) -> QuadraticEraser:
        """The form that also makes class covariances equal; labels are needed at use. Needs `quadratic=True`."""
        if not self._by_class:
            raise ValueError("expected a fitter made with quadratic=True; got one without; make it so and update again")
        summary = self._statistics.summary()
        poorest = min(moments.count for moments in self._by_class)
        if poorest < self.width + 1:
            raise TymbalError(
                expected=f"at least {self.width + 1} rows in each class, to know its covariance",
                got=f"{poorest} in the smallest",
                do="add rows of that class",
            )
        means = torch.stack([moments.mean for moments in self._by_class])
        shares = torch.tensor([moments.count / summary.rows for moments in self._by_class], dtype=torch.float64)
        maps = class_maps(torch.stack([moments.covariance for moments in self._by_class]), shares)
        return QuadraticEraser(means=means, maps=maps, mean=summary.mean, record=self._record(summary, 0.0))

    def _record(self, summary: Summary, shrinkage: float) -> FitRecord:
        class_rows = None if summary.class_rows is None else tuple(summary.class_rows.tolist())
        return FitRecord(
            rows=summary.rows,
            width=self.width,
            classes=self.classes,
            class_rows=class_rows,
            shrinkage=shrinkage,
            fingerprints=summary.fingerprints,
            site=self._site,
            model=self._model,
        )
