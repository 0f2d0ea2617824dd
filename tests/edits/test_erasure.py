"""The theorem: what LEACE promises, on planted concepts and against optima found in other ways."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import Tensor

from tests.edits.planted import gap_left, planted
from tymbal.edits import EraserFitter, load_eraser
from tymbal.errors import ArtifactError, TymbalError


def _fitted(x: Tensor, labels: Tensor, classes: int, **options):
    return EraserFitter(x.shape[1], classes, **options).update(x, labels)


@given(
    width=st.integers(2, 24),
    classes=st.integers(2, 6),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e4, 1e4),
    seed=st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=40)
def test_an_eraser_is_idempotent_of_rank_k_minus_1_and_leaves_equal_class_means(width, classes, scale, shift, seed):
    x, labels = planted(60 * classes + 4 * width, width=width, classes=classes, seed=seed)
    x = scale * x.double() * (1 + torch.arange(width)) + shift
    eraser = _fitted(x, labels, classes).fit()
    erased = eraser(x)
    spread = float(x.std(0).max())
    assert eraser.rank == min(classes - 1, width)
    assert torch.allclose(eraser(erased), erased, rtol=0, atol=1e-7 * spread)
    assert torch.allclose(erased.mean(0), x.mean(0), rtol=0, atol=1e-8 * spread)
    assert gap_left(x, erased, labels) < 1e-7


def test_the_least_change_is_the_optimum_of_a_numerical_search():
    """Affine maps that equalise the means are I - BN' with N'B = I; a search over N finds none that changes less."""
    x, labels = planted(4000, width=6, classes=3, seed=3)
    x = x.double()
    erased = _fitted(x, labels, 3).fit()(x)
    ours = float((erased - x).square().sum(1).mean())
    centred = (x - x.mean(0)).numpy()
    means = np.stack([centred[(labels == label).numpy()].mean(0) for label in range(3)])
    basis = np.linalg.svd(means, full_matrices=True)[2]
    inside, outside = basis[:2].T, basis[2:].T
    covariance = centred.T @ centred / len(centred)

    def change(free: np.ndarray) -> float:
        removed = inside @ (inside + outside @ free.reshape(4, 2)).T
        return float(np.trace(removed @ covariance @ removed.T))

    found = minimize(change, np.zeros(8), method="BFGS", options={"gtol": 1e-9})
    assert ours == pytest.approx(found.fun, rel=1e-6)
    assert ours < 0.9 * change(np.zeros(8)), "the orthogonal projection changes more, or this test says nothing"


def test_an_ill_conditioned_covariance_in_fp32_still_gives_the_closed_form():
    """The paper's formula by pseudo-inverses in fp64, against ours from fp32 rows of condition 1e6."""
    x, labels = planted(20_000, width=16, seed=4)
    x = x * torch.logspace(0, 3, 16)
    eraser = _fitted(x, labels, 2).fit()
    rows = x.double().numpy()
    onehot = np.eye(2)[labels.numpy()]
    covariance, cross = np.cov(rows.T, bias=True), (rows - rows.mean(0)).T @ (onehot - onehot.mean(0)) / len(rows)
    inverse = np.linalg.pinv(covariance, rcond=1e-14, hermitian=True)
    expected = cross @ np.linalg.pinv(cross.T @ inverse @ cross, rcond=1e-10, hermitian=True) @ cross.T @ inverse
    assert np.allclose((eraser.left @ eraser.right).numpy(), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@given(sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=8), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_batches_of_any_size_give_the_same_eraser(sizes, seed):
    rows = max(200, sum(sizes))
    x, labels = planted(rows, width=8, classes=3, seed=seed)
    whole = _fitted(x, labels, 3).fit()
    fitter = EraserFitter(8, 3)
    buffer = torch.empty_like(x)
    start = 0
    for size in [*sizes, rows]:
        part = buffer[: min(size, rows - start)]  # written over by the next batch, as a caller may do
        part.copy_(x[start : start + len(part)])
        fitter.update(part, labels[start : start + len(part)])
        start += len(part)
    assert fitter.rows == rows
    torch.testing.assert_close(fitter.fit()(x), whole(x), rtol=1e-4, atol=1e-4)


def test_more_rows_may_follow_a_fit():
    x, labels = planted(4000, seed=5)
    fitter = EraserFitter(32, 2).update(x[:1000], labels[:1000])
    first = fitter.fit()
    fitter.update(x[1000:], labels[1000:])
    assert first.record.rows == 1000
    torch.testing.assert_close(fitter.fit()(x), _fitted(x, labels, 2).fit()(x), rtol=1e-4, atol=1e-4)


def test_a_real_valued_concept_is_linearly_unpredictable():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(5000, 2, generator=generator)
    x, _ = planted(5000, width=16, seed=6)
    x = x + values @ torch.randn(2, 16, generator=generator)
    eraser = EraserFitter(16, None).update(x, values).fit()
    erased = eraser(x.double())
    covariance = (erased - erased.mean(0)).mT @ (values - values.mean(0)).double() / len(x)
    assert eraser.rank == 2
    assert float(covariance.abs().max()) < 1e-5


def test_coordinates_that_repeat_or_never_vary_do_no_harm():
    x, labels = planted(3000, width=8, seed=7)
    x = torch.cat([x, x[:, :3], torch.full((3000, 2), 4.0)], dim=1)
    erased = _fitted(x, labels, 2).fit()(x)
    assert gap_left(x, erased, labels) < 1e-5
    assert torch.allclose(erased[:, -2:], x[:, -2:])
    torch.testing.assert_close(erased[:, 8:11], erased[:, :3], rtol=1e-3, atol=1e-3)


def test_the_oracle_changes_less_and_leaves_equal_means():
    x, labels = planted(5000, classes=3, seed=8)
    fitter = _fitted(x, labels, 3)
    oracle, eraser = fitter.fit_oracle(), fitter.fit()
    erased = oracle(x, labels)
    assert gap_left(x, erased, labels) < 1e-5
    assert float((erased - x).square().sum()) < float((eraser(x) - x).square().sum())


def test_the_quadratic_form_makes_class_covariances_equal_at_the_least_transport_cost():
    x, labels = planted(8000, width=6, seed=9)
    x = torch.where((labels == 1).unsqueeze(1), (x - 5) * torch.tensor([3.0, 0.3, 1, 1, 2, 1]), x).double()
    eraser = _fitted(x, labels, 2, quadratic=True).fit_quadratic()
    erased = eraser(x, labels)
    covariances = [erased[labels == label].T.cov(correction=0) for label in range(2)]
    torch.testing.assert_close(covariances[0], covariances[1], rtol=1e-6, atol=1e-6)
    assert gap_left(x, erased, labels) < 1e-6
    # Two classes: the squared cost to the barycentre is p(1 - p) times the Bures distance, which has a closed form.
    first, second = (x[labels == label].T.cov(correction=0).numpy() for label in range(2))
    from scipy.linalg import sqrtm

    root = np.real(sqrtm(first))
    means = [x[labels == label].mean(0).numpy() for label in range(2)]
    distance = np.trace(first + second - 2 * np.real(sqrtm(root @ second @ root))) + ((means[0] - means[1]) ** 2).sum()
    share = float((labels == 1).double().mean())
    assert float((erased - x).square().sum(1).mean()) == pytest.approx(share * (1 - share) * distance, rel=1e-6)


def test_an_eraser_comes_back_from_its_folder(tmp_path):
    x, labels = planted(2000, classes=3)
    eraser = _fitted(x, labels, 3).fit()
    eraser.save(tmp_path / "eraser")
    again = load_eraser(tmp_path / "eraser")
    assert torch.equal(again(x), eraser(x))
    assert again.record.class_rows == eraser.record.class_rows
    assert torch.equal(again.record.fingerprints, eraser.record.fingerprints)
    with pytest.raises(ArtifactError, match="no manifest"):
        load_eraser(tmp_path)


BAD = {
    "one class": (torch.zeros(100, dtype=torch.long), r"two classes; got only class 0"),
    "a label too many": (torch.arange(100) % 3, r"labels from 0 to 1; got 0 to 2"),
    "a negative label": (torch.arange(100) % 2 - 1, r"labels from 0 to 1; got -1 to 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_labels_that_cannot_be_classes_are_refused_in_one_line(case):
    labels, message = BAD[case]
    with pytest.raises(TymbalError, match=message) as raised:
        EraserFitter(8, 2).update(torch.randn(100, 8), labels).fit()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_rows_that_are_not_finite_are_refused_where_they_come_in(value, dtype):
    x, labels = planted(50, width=8)
    x[17, 3] = value
    fitter = EraserFitter(8, 2)
    with pytest.raises(TymbalError, match="NaN or infinity in row 17"):
        fitter.update(x.to(dtype), labels)
    assert fitter.rows == 0


def test_wrong_shapes_and_kinds_of_labels_are_refused():
    x, labels = planted(50, width=8)
    with pytest.raises(ValueError, match="rows of width 9"):
        EraserFitter(9, 2).update(x, labels)
    with pytest.raises(ValueError, match="with a label each"):
        EraserFitter(8, 2).update(x, labels[:-1])
    with pytest.raises(ValueError, match="whole number"):
        EraserFitter(8, 2).update(x, labels.float())
    with pytest.raises(ValueError, match="quadratic=True"):
        EraserFitter(8, 2).update(x, labels).fit_quadratic()
    with pytest.raises(TymbalError, match="labelled rows"):
        EraserFitter(8, 2).fit()
    with pytest.raises(TymbalError, match="labels that vary"):
        EraserFitter(8, None).update(x, torch.ones(50)).fit()
