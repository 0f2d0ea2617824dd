import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import dense_shard, shard_of

from tymbal.atlas.statistics import LOG_BINS, Statistics, log_bin_edges, log_bins


def test_planted_features_get_exactly_their_statistics() -> None:
    values = np.zeros((8, 3), dtype=np.float32)
    values[:, 0] = [1, 2, 3, 4, 5, 6, 7, 8]
    values[2, 1] = 0.5
    fitter = Statistics(3)
    fitter.update(shard_of(values))
    fitted = fitter.fit(4)
    assert fitted.tokens == 8
    assert fitted.density.tolist() == [1.0, 0.125, 0.0]
    assert fitted.mean.tolist() == [4.5, 0.5, 0.0]
    assert fitted.maximum.tolist() == [8.0, 0.5, 0.0]
    assert fitted.quantile_edges[1].tolist() == [0.5] * 5
    assert fitted.quantile_edges[2].tolist() == [0.0] * 5


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.floats(-15, 15), st.integers(1, 6))
def test_quantiles_are_right_to_within_a_bin(seed: int, scale: float, quantiles: int) -> None:
    values = np.random.default_rng(seed).lognormal(0, 1, (500, 1)) * 2**scale
    values = np.clip(values, 2.0**-19, 2.0**19).astype(np.float32)
    fitter = Statistics(1)
    fitter.update(shard_of(values))
    edges = fitter.fit(quantiles).quantile_edges[0]
    exact = np.quantile(values, np.arange(quantiles + 1) / quantiles, method="inverted_cdf")
    assert np.all(np.diff(edges) >= 0)
    assert np.all(np.abs(edges - exact) <= exact / 8 + 1e-12)
    assert (edges[0], edges[-1]) == (values.min(), values.max())


def test_shards_add_up_to_the_whole() -> None:
    values = dense_shard(rows=300, features=6, seed=3)
    whole, parts = Statistics(6), Statistics(6)
    whole.update(shard_of(values))
    for part in np.split(values, [17, 120]):
        parts.update(shard_of(part))
    one, many = whole.fit(4), parts.fit(4)
    np.testing.assert_array_equal(one.count, many.count)
    np.testing.assert_array_equal(one.quantile_edges, many.quantile_edges)
    np.testing.assert_allclose(one.mean, many.mean, rtol=1e-12)


@pytest.mark.parametrize("value", [1e-30, 2.0**-20, 0.99, 1.0, 1.06, 3.7, 2.0**19, 1e30])
def test_a_value_lies_in_its_bin(value: float) -> None:
    number = int(log_bins(np.array([value], dtype=np.float32))[0])
    edges = log_bin_edges()
    assert 0 <= number < LOG_BINS
    assert number in (0, LOG_BINS - 1) or edges[number] <= np.float32(value) < edges[number + 1]
