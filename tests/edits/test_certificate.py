"""Every case in which a reference eraser silently fails, and what the certificate says of it.

Source of the cases: concept-erasure 0.2.4; `docs/edits.md` has what it does in each.
"""

import re

import pytest
import torch

from tests.edits.planted import gap_left, planted
from tymbal.edits import CertificateConfig, EraserFitter
from tymbal.edits.held_out import Reading
from tymbal.errors import CertificateError, TymbalError


def _fit(x, labels, classes=2, **options):
    return EraserFitter(x.shape[1], classes).update(x, labels).fit(**options)


def test_a_certificate_reports_the_concept_before_and_after():
    x, labels = planted(24_000)
    certificate = _fit(x[:20_000], labels[:20_000]).certify(x[20_000:], labels[20_000:], loss_change=0.01)
    assert certificate.before.low > 0.9
    assert certificate.linear.near_chance(0.03)
    assert certificate.gap < 0.1 * certificate.gap_before
    assert certificate.edit == pytest.approx(certificate.least_edit, rel=0.1)
    assert certificate.rows_shared == 0
    assert certificate.notes() == []
    assert "+0.0100 nats a token" in str(certificate)


def test_a_massive_activation_hides_no_concept():
    x, labels = planted(24_000)
    x[::128, 5] += 3000
    eraser = _fit(x[:20_000], labels[:20_000])
    assert gap_left(x[:20_000, :5], eraser(x[:20_000])[:, :5], labels[:20_000]) < 1e-3
    eraser.certify(x[20_000:], labels[20_000:])


def test_a_massive_direction_that_is_no_coordinate_hides_no_concept():
    x, labels = planted(20_000)
    turn = torch.linalg.qr(torch.randn(32, 32, generator=torch.Generator().manual_seed(1)))[0]
    x[::128, 5] += 3000
    x = x @ turn
    erased = _fit(x, labels)(x)
    assert gap_left((x @ turn.T)[:, :5], (erased @ turn.T)[:, :5], labels) < 1e-2


def test_a_class_of_one_in_five_hundred_is_erased():
    x, labels = planted(60_000, width=16, shares=(0.998, 0.002))
    erased = _fit(x, labels)(x)
    assert 60 < int(labels.sum()) < 180
    assert gap_left(x, erased, labels) < 1e-4


def test_integer_labels_are_classes():
    x, labels = planted(30_000, width=24, classes=10)
    eraser = _fit(x[:24_000], labels[:24_000], classes=10)
    certificate = eraser.certify(x[24_000:], labels[24_000:])
    assert eraser.rank == 9
    assert certificate.before.low > 0.8
    assert certificate.linear.high < 0.15
    with pytest.raises(ValueError, match="for classes make the fitter with their number"):
        EraserFitter(24, None).update(x, labels)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_are_erased_as_well_as_they_can_hold(dtype):
    x, labels = planted(20_000)
    half = x.to(dtype)
    eraser = _fit(half, labels)
    erased = eraser(half)
    assert erased.dtype == dtype
    assert gap_left(half, eraser(half.double()), labels) < 1e-5
    assert gap_left(half, erased, labels) < 0.01


def test_fewer_rows_than_dimensions_are_refused_and_a_shrunk_fit_gets_no_certificate():
    x, labels = planted(4000, width=96, gap=1.0)
    with pytest.raises(TymbalError, match="at least 98 rows"):
        _fit(x[:60], labels[:60])
    eraser = _fit(x[:60], labels[:60], shrink=True)
    assert 0 < eraser.record.shrinkage <= 1
    assert gap_left(x[:60], eraser(x[:60]), labels[:60]) < 1e-4
    with pytest.raises(CertificateError, match=r"from 60 fitted rows, fitted with shrinkage 0\.\d+; fit on more rows"):
        eraser.certify(x[60:], labels[60:])


def test_rows_held_out_that_were_fitted_are_caught():
    x, labels = planted(300, width=64)
    eraser = _fit(x[:200], labels[:200])
    with pytest.raises(CertificateError, match="200 of 300 rows that were"):
        eraser.certify(x, labels)
    with pytest.raises(CertificateError, match="200 of 200 rows that were"):
        eraser.certify(x[:200].to(torch.float64), labels[:200])


def test_fitted_rows_in_disguise_are_caught_by_a_probe_below_chance():
    """A row changed in its last digit has another fingerprint; the two-sided interval still tells."""
    x, labels = planted(400, width=64)
    eraser = _fit(x, labels)
    with pytest.raises(CertificateError, match="share nothing with the fitted"):
        eraser.certify(x * (1 + 1e-6), labels, CertificateConfig(widest=0.5))


def test_an_interval_that_touches_chance_is_not_enough():
    """Few fitted rows leave the concept half readable; few held-out rows leave the interval wide."""
    x, labels = planted(1000, width=48, gap=1.0)
    eraser = _fit(x[:300], labels[:300])
    config = CertificateConfig(widest=0.5)
    with pytest.raises(CertificateError, match=r"scores within 0\.05 of chance") as refused:
        eraser.certify(x[300:420], labels[300:420], config)
    value, low = (float(number) for number in re.findall(r"0\.\d+", str(refused.value))[2:4])
    assert value > 0.55 > low


@pytest.mark.parametrize(
    ("value", "low", "high", "near"),
    [
        (0.54, 0.49, 0.59, True),
        (0.56, 0.51, 0.61, False),  # the interval reaches chance, the score does not
        (0.44, 0.38, 0.50, False),
        (0.46, 0.40, 0.52, True),
        (0.54, 0.56, 0.60, False),  # an interval that leaves out its own score, as few groups may give
    ],
)
def test_score_and_interval_must_both_be_near_chance(value, low, high, near):
    assert Reading(value, low, high, 0.5).near_chance(0.05) is near


def test_a_few_shared_rows_are_left_out_and_counted():
    x, labels = planted(6000)
    first = x[:1].expand(50, -1)  # the same beginning of every passage
    fitted, held_out = torch.cat([first, x[:5000]]), torch.cat([first, x[5000:]])
    eraser = _fit(fitted, torch.cat([labels[:1].expand(50), labels[:5000]]))
    own = torch.cat([labels[:1].expand(50), labels[5000:]])
    certificate = eraser.certify(held_out, own)
    assert certificate.rows_shared == 50
    assert certificate.rows_held_out == 1000


def test_class_dependent_covariance_is_said_and_the_quadratic_form_offered():
    x, labels = planted(13_000, width=12)
    x = torch.where((labels == 1).unsqueeze(1), x, (x - 5) / 4)
    fitter = EraserFitter(12, 2, quadratic=True).update(x[:10_000], labels[:10_000])
    certificate = fitter.fit().certify(x[10_000:], labels[10_000:])
    assert certificate.linear.near_chance(0.05)
    assert certificate.mlp.low > 0.85
    assert any("class covariances differ" in note and "fit_quadratic" in note for note in certificate.notes())
    quadratic = fitter.fit_quadratic()
    from tymbal.edits.held_out import mlp_classes

    hidden = quadratic(x[10_000:], labels[10_000:])
    assert mlp_classes(hidden.double(), labels[10_000:], None, 0).high < 0.56


def test_erasing_what_nobody_could_read_is_said():
    x, labels = planted(12_000, gap=0.0)
    certificate = _fit(x[:10_000], labels[:10_000]).certify(x[10_000:], labels[10_000:])
    assert any("before erasure either" in note for note in certificate.notes())


def test_too_few_held_out_rows_support_no_claim():
    x, labels = planted(5000)
    eraser = _fit(x[:4900], labels[:4900])
    with pytest.raises(CertificateError, match=r"half-width 0\.1 at most"):
        eraser.certify(x[4900:4960], labels[4900:4960])
    with pytest.raises(CertificateError, match="10 held-out rows each"):
        eraser.certify(x[4900:4910], labels[4900:4910])


def test_held_out_rows_that_do_not_fit_are_refused():
    x, labels = planted(5000)
    eraser = _fit(x[:4000], labels[:4000])
    with pytest.raises(ValueError, match="rows of width 32"):
        eraser.certify(x[4000:, :31], labels[4000:])
    with pytest.raises(TymbalError, match="labels from 0 to 1; got 0 to 2"):
        eraser.certify(x[4000:], labels[4000:] * 2)
    x[4500, 0] = float("nan")
    with pytest.raises(TymbalError, match="NaN or infinity in row 500"):
        eraser.certify(x[4000:], labels[4000:])


def test_an_eraser_of_another_concept_gets_no_certificate():
    x, labels = planted(6000)
    other = (torch.arange(6000) // 3) % 2
    with pytest.raises(CertificateError, match=r"within 0\.05 of chance"):
        _fit(x[:5000], other[:5000]).certify(x[5000:], labels[5000:])


def test_groups_are_kept_whole_and_widen_the_interval():
    x, labels = planted(10_200, width=8, gap=0.3)
    copies = (x[10_000:].repeat_interleave(10, 0), labels[10_000:].repeat_interleave(10, 0))
    groups = torch.arange(200).repeat_interleave(10)
    eraser = _fit(x[:10_000], labels[:10_000])
    grouped = eraser.certify(*copies, CertificateConfig(widest=1.0, margin=0.5), groups=groups).linear
    alone = eraser.certify(*copies, CertificateConfig(widest=1.0, margin=0.5)).linear
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_a_real_valued_concept_is_certified_by_r_squared():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(12_000, generator=generator)
    x, _ = planted(12_000, width=16)
    x = x + values.unsqueeze(1) * torch.randn(16, generator=generator)
    eraser = _fit(x[:10_000], values[:10_000], classes=None)
    certificate = eraser.certify(x[10_000:], values[10_000:])
    assert certificate.before.low > 0.5
    assert certificate.linear.high < 0.02
    assert certificate.mlp is None
    with pytest.raises(CertificateError, match="of chance"):
        _fit(x[:10_000], values[torch.arange(9_999, -1, -1)], classes=None).certify(x[10_000:], values[10_000:])
