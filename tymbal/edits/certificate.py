"""The certificate of an eraser: evidence, on rows it was not fitted on, that no linear probe reads the concept.

1. Held-out rows that were fitted are found by their fingerprints and left out; too many of them, and there is no
   certificate, since on fitted rows class means are equal by construction and a probe falls below chance.
2. A linear probe, cross-validated on the erased rows, must not be told from chance: its balanced accuracy (R² for a
   real-valued concept) must itself lie within a margin of chance, above or below, and its 95 % interval must reach
   there and be no wider than what supports a claim. An interval that merely reaches there proves little.
3. The same probe on the rows as they were says whether there was anything to erase; without that a pass means little.
4. For information: an MLP probe, class covariances, the largest class gap left, the size of the edit beside the
   smallest one that would have erased these very rows, the loss change on unrelated text.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal.edits.covariances import CovarianceDifference, covariance_difference
from tymbal.edits.fingerprints import shared
from tymbal.edits.held_out import FOLDS, Reading, linear_classes, linear_values, mlp_classes
from tymbal.edits.labelled_rows import checked
from tymbal.edits.leace import oblique_projection
from tymbal.edits.record import FitRecord
from tymbal.edits.statistics import LabelledStatistics, Summary
from tymbal.errors import CertificateError

CERTAIN = 0.05


@dataclass(frozen=True, kw_only=True)
class CertificateConfig:
    """What a certificate asks for."""

    margin: float = 0.05
    """how far the probe's score, and the nearest end of its interval, may lie from chance (balanced accuracy, or R²)"""
    widest: float = 0.1
    """the interval's half-width at most; a wider one supports no claim"""
    most_shared: float = 0.05
    """share of held-out rows that may have been fitted (the same beginning-of-text token, say); they are left out"""
    most_rows: int = 10_000
    """rows that the probes read, drawn at random from more"""
    seed: int = 0
    """of folds and draws"""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What was found on held-out rows; `str` writes it out."""

    rows_fitted: int
    rows_held_out: int
    """rows the probes read"""
    rows_shared: int
    """held-out rows left out because they were fitted"""
    shrinkage: float
    before: Reading
    """the linear probe on the rows as they were"""
    linear: Reading
    """the linear probe on the erased rows"""
    mlp: Reading | None
    """an MLP probe on the erased rows; None for a real-valued concept"""
    covariances: CovarianceDifference | None
    gap_before: float
    gap: float
    """largest residual correlation of a class (or target) with a coordinate, before and after"""
    edit: float
    """mean squared change of a row, in squared activation units"""
    least_edit: float | None
    """the same for the smallest affine edit that erases exactly these rows; None where they are too few to tell"""
    loss_change: float | None
    """nats a token on unrelated text; None if it was not measured"""

    def notes(self) -> list[str]:
        """What the reader must know besides the numbers."""
        found = []
        if self.before.low <= self.before.chance:
            found.append("a linear probe could not read the concept before erasure either: the pass says little")
        if self.shrinkage:
            found.append(f"covariance shrunk by {self.shrinkage:.2f}: the edit is larger than need be")
        if self.covariances is not None and self.covariances.p <= CERTAIN:
            value, p = self.covariances
            found.append(
                f"class covariances differ (by {value:.2f} of their size, p {p:.2f}): "
                "nonlinear probes may read the concept; fit_quadratic makes covariances equal"
            )
        if self.mlp is not None and self.mlp.low > self.mlp.chance:
            found.append(f"an MLP reads the concept: {self.mlp}")
        return found

    def __str__(self) -> str:
        loss = "not measured" if self.loss_change is None else f"{self.loss_change:+.4f} nats a token"
        rows = (self.rows_fitted, self.rows_held_out, self.rows_shared)
        least = "unknown, too few rows" if self.least_edit is None else f"{self.least_edit:.4g}"
        lines = [
            "rows                 {:,} fitted, {:,} held out, {:,} in both, left out".format(*rows),
            f"linear probe before  {self.before}",
            f"linear probe after   {self.linear}",
            f"MLP probe after      {self.mlp or 'not for real values'}",
            f"largest correlation  {self.gap_before:.3f} before, {self.gap:.3f} after",
            f"size of the edit     {self.edit:.4g}, smallest possible here {least}",
            f"loss elsewhere       {loss}",
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes())])


def certify(
    erase: Callable[[Tensor], Tensor],
    record: FitRecord,
    x: Float[Tensor, "row width"],
    labels: Tensor,
    config: CertificateConfig,
    *,
    groups: Tensor | None = None,
    loss_change: float | None = None,
) -> Certificate:
    """The certificate; raises `CertificateError` where it cannot be given."""
    x, labels = checked(x, labels, record.width, record.classes)
    groups = None if groups is None else groups.cpu()
    fitted = shared(x, record.fingerprints)
    _require_apart(fitted, config)
    kept = _drawn(~fitted, labels, config)
    rows, labels = x[kept].double(), labels[kept]
    kept_groups = None if groups is None else groups[kept].long()
    erased = erase(x[kept]).double()
    before, linear = (_linear(part, labels, kept_groups, config) for part in (rows, erased))
    _require_chance(linear, len(rows), record, config)
    is_class = record.classes is not None
    plain, changed = (_summary(part, labels, record.classes) for part in (rows, erased))
    scales = plain.covariance.diagonal().clamp(min=1e-300).sqrt().unsqueeze(1)
    return Certificate(
        rows_fitted=record.rows,
        rows_held_out=len(rows),
        rows_shared=int(fitted.sum()),
        shrinkage=record.shrinkage,
        before=before,
        linear=linear,
        mlp=mlp_classes(erased, labels, kept_groups, config.seed) if is_class else None,
        covariances=covariance_difference(erased, labels) if is_class else None,
        gap_before=float((plain.cross / scales).abs().max()),
        gap=float((changed.cross / scales).abs().max()),
        edit=float((erased - rows).square().sum(1).mean()),
        least_edit=oblique_projection(plain).size if len(rows) > x.shape[1] + plain.cross.shape[1] else None,
        loss_change=loss_change,
    )


def _require_apart(fitted: Bool[Tensor, " row"], config: CertificateConfig) -> None:
    found = int(fitted.sum())
    if found > config.most_shared * len(fitted):
        raise CertificateError(
            expected="held-out rows that the eraser was not fitted on",
            got=f"{found} of {len(fitted)} rows that were",
            do="hold whole passages out before fitting",
        )


def _drawn(free: Bool[Tensor, " row"], labels: Tensor, config: CertificateConfig) -> Tensor:
    """Places of the rows that the probes read."""
    places = free.nonzero().squeeze(1)
    generator = torch.Generator().manual_seed(config.seed)
    chosen = places[torch.randperm(len(places), generator=generator)[: config.most_rows]].sort().values
    if not labels.is_floating_point():
        counts = labels[chosen].unique(return_counts=True)[1]
        if len(counts) < 2 or int(counts.min()) < 2 * FOLDS:
            raise CertificateError(
                expected=f"at least two classes of {2 * FOLDS} held-out rows each",
                got=f"{len(counts)} classes, {int(counts.min()) if len(counts) else 0} rows in the smallest",
                do="hold out more rows",
            )
    elif len(chosen) < 2 * FOLDS:
        raise CertificateError(
            expected=f"at least {2 * FOLDS} held-out rows", got=f"{len(chosen)}", do="hold out more rows"
        )
    return chosen


def _linear(rows: Tensor, labels: Tensor, groups: Tensor | None, config: CertificateConfig) -> Reading:
    read = linear_values if labels.is_floating_point() else linear_classes
    return read(rows, labels, groups, config.seed)


def _summary(rows: Tensor, labels: Tensor, classes: int | None) -> Summary:
    statistics = LabelledStatistics(rows.shape[1], classes)
    statistics.update(rows, labels)
    return statistics.summary()


def _require_chance(linear: Reading, rows: int, record: FitRecord, config: CertificateConfig) -> None:
    if (linear.high - linear.low) / 2 > config.widest:
        raise CertificateError(
            expected=f"an interval of half-width {config.widest} at most for the held-out probe",
            got=f"[{linear.low:.3f}, {linear.high:.3f}] from {rows} rows",
            do="hold out more rows",
        )
    if not linear.near_chance(config.margin):
        below = linear.value < linear.chance
        hint = "hold out rows that share nothing with the fitted ones" if below else "fit on more rows"
        shrunk = f", fitted with shrinkage {record.shrinkage:.2f}" if record.shrinkage else ""
        reading = f"{linear.value:.3f} [{linear.low:.3f}, {linear.high:.3f}]"
        raise CertificateError(
            expected=f"a held-out linear probe that scores within {config.margin} of chance ({linear.chance:.3f})",
            got=f"{reading} from {record.rows:,} fitted rows{shrunk}",
            do=hint,
        )
