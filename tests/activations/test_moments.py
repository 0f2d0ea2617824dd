import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.activations.moments import Moments
from tymbal.errors import TymbalError


def _reference(rows: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    exact = rows.numpy().astype(np.longdouble)
    mean = exact.mean(axis=0)
    return mean.astype(float), ((exact - mean).T @ (exact - mean) / len(exact)).astype(float)


def test_moments_of_ill_conditioned_rows_agree_with_extended_precision() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = 1e4 + torch.randn(20_000, 6, generator=generator, dtype=torch.float64) @ torch.randn(
        6, 6, generator=generator, dtype=torch.float64
    )
    moments = Moments(6)
    for part in rows.split(777):
        moments.update(part)
    mean, covariance = _reference(rows)
    np.testing.assert_allclose(moments.mean.numpy(), mean, rtol=1e-15 * 10)
    np.testing.assert_allclose(moments.covariance.numpy(), covariance, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(moments.variance.numpy(), covariance.diagonal(), rtol=1e-11)
    # The textbook formula E[xx'] - mm' is the mistake guarded against: in fp64 it is already wrong here.
    textbook = rows.numpy().T @ rows.numpy() / len(rows) - np.outer(rows.numpy().mean(0), rows.numpy().mean(0))
    assert np.abs(textbook - covariance).max() > 100 * np.abs(moments.covariance.numpy() - covariance).max()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_batches_and_their_order_do_not_matter(seed: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = 100 + torch.randn(sum(sizes), 4, generator=generator)
    whole, cut, merged = Moments(4), Moments(4), Moments(4)
    whole.update(rows)
    for part in rows[torch.randperm(len(rows), generator=generator)].split(sizes):
        cut.update(part)
        other = Moments(4)
        other.update(part)
        merged.merge(other)
    for moments in (cut, merged):
        assert moments.count == len(rows)
        torch.testing.assert_close(moments.mean, whole.mean, rtol=1e-13, atol=0)
        torch.testing.assert_close(moments.covariance, whole.covariance, rtol=1e-9, atol=1e-11)


def test_the_covariance_is_symmetric_and_positive() -> None:
    moments = Moments(32)
    moments.update(torch.randn(50, 32, generator=torch.Generator().manual_seed(1)))
    assert torch.equal(moments.covariance, moments.covariance.mT)
    assert torch.linalg.eigvalsh(moments.covariance).min() > -1e-12


def test_bfloat16_rows_are_summed_exactly() -> None:
    rows = torch.full((100_000, 1), 1.0, dtype=torch.bfloat16)
    moments = Moments(1)
    moments.update(rows)
    assert moments.count == 100_000
    assert moments.mean.item() == 1.0
    assert moments.covariance.item() == 0.0


def test_wrong_widths_and_missing_rows_are_refused() -> None:
    moments = Moments(3)
    with pytest.raises(ValueError, match="width 3"):
        moments.update(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="width 3"):
        moments.merge(Moments(4))
    moments.update(torch.zeros(0, 3))
    with pytest.raises(TymbalError, match="at least one row"):
        _ = moments.mean
