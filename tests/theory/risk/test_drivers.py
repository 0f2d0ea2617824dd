"""Sobol' indices, Shapley effects and error of the sampling, against closed forms."""

import numpy as np
import pytest

from tymbal.theory.risk import (
    Beta,
    Correlation,
    Effort,
    Input,
    ModelError,
    Point,
    RiskModel,
    chain,
    drivers,
    read_model,
)
from tymbal.theory.risk.draws import Estimate, scrambled
from tymbal.theory.risk.drivers import shapley_effects

MEANS = np.array([0.65, 0.8, 0.4, 0.65, 0.4, 0.95])
RATIO = (1 - MEANS) / (9 * MEANS)
"""Variance over squared mean of a Beta with concentration 8."""
SMALL = Effort(shapley_points=2**10, sobol_points=2**10, scrambles=8)


def product_variance(chosen: np.ndarray) -> float:
    """Variance of E[product | chosen factors], over the squared mean of the product."""
    return float(np.prod(1 + RATIO[chosen]) - 1)


@pytest.fixture(scope="module")
def carlsmith():
    variant = read_model("carlsmith").variants()[0]
    order = {name: place for place, name in enumerate(variant.uncertain())}
    found = drivers(variant, Effort(sobol_points=2**13, shapley_points=2**10, scrambles=4))
    return sorted(found, key=lambda driver: order[driver.name])


def test_sobol_indices_are_within_002_of_the_closed_form(carlsmith):
    whole = product_variance(np.arange(6))
    for place, driver in enumerate(carlsmith):
        others = np.delete(np.arange(6), place)
        assert driver.first.value == pytest.approx(RATIO[place] / whole, abs=0.002)
        assert driver.total.value == pytest.approx(1 - product_variance(others) / whole, abs=0.002)


def test_shapley_effects_are_those_of_the_closed_form(carlsmith):
    """By the definition: the mean over all orders of what an input adds to the explained variance."""
    from itertools import permutations

    expected = np.zeros(6)
    for order in permutations(range(6)):
        for place, more in enumerate(order):
            before = np.array(order[:place], dtype=int)
            expected[more] += product_variance(np.append(before, more)) - product_variance(before)
    expected /= expected.sum()
    found = np.array([driver.shapley.value for driver in carlsmith])
    assert found == pytest.approx(expected, abs=0.005)
    assert found.sum() == pytest.approx(1)
    for driver in carlsmith:
        assert driver.first.value - 0.005 < driver.shapley.value < driver.total.value + 0.005


def test_the_tornado_of_a_product_is_the_quantile_times_the_other_means(carlsmith):
    from scipy.stats import beta

    for place, driver in enumerate(carlsmith):
        others = np.delete(MEANS, place).prod()
        shape = beta(8 * MEANS[place], 8 * (1 - MEANS[place]))
        assert driver.low.value == pytest.approx(shape.ppf(0.05) * others, rel=1e-3)
        assert driver.high.value == pytest.approx(shape.ppf(0.95) * others, rel=1e-3)


@pytest.mark.parametrize("correlation", [-0.7, 0.0, 0.5, 0.9])
def test_shapley_effects_of_two_correlated_normals(correlation):
    """Owen and Prieur 2017, of x + 2 y: own variance, half the covariance, and half of what rho squared shifts."""
    effects = shapley_effects(
        lambda x: x[:, 0] + 2 * x[:, 1], np.array([[1, correlation], [correlation, 1]]), Effort(shapley_points=2**12)
    )
    variance = 5 + 4 * correlation
    first = (1 * (1 - correlation**2 / 2) + 4 * correlation**2 / 2 + 2 * correlation) / variance
    assert effects[0].value == pytest.approx(first, abs=0.003)
    assert effects[0].value + effects[1].value == pytest.approx(1)


def test_an_input_that_is_not_used_gets_only_what_its_correlation_lends():
    def of_first(scores):
        return scores[:, 0]

    independent = shapley_effects(of_first, np.eye(2), SMALL)
    lent = shapley_effects(of_first, np.array([[1, 0.8], [0.8, 1]]), SMALL)
    assert independent[1].value == pytest.approx(0, abs=0.005)
    assert lent[1].value == pytest.approx(0.32, abs=0.01)


def test_many_inputs_are_ranked_by_random_orders():
    """Ten equal inputs of a sum: a tenth each; an eleventh that does nothing."""
    effects = shapley_effects(lambda x: x[:, :10].sum(1), np.eye(11), Effort(shapley_points=2**8, scrambles=4))
    assert [effect.value for effect in effects[:10]] == pytest.approx([0.1] * 10, abs=0.02)
    assert effects[10].value == pytest.approx(0, abs=0.02)


def test_correlated_inputs_have_shapley_effects_and_no_sobol_indices():
    model = RiskModel(
        title="t",
        question="q",
        inputs={name: Input(belief=Beta(centre=0.5, concentration=4.0)) for name in "ab"},
        events=chain("a", "b"),
        outcome="b",
        correlations=(Correlation("a", "b", 0.5),),
        error=ModelError(right=Point(1.0), if_wrong=Point(0.0), argument="none"),
    )
    found = drivers(model.variants()[0], SMALL)
    assert all(driver.first is None and driver.total is None for driver in found)
    assert found[0].shapley.value == pytest.approx(0.5, abs=0.02)


def test_scrambled_points_are_at_least_20_times_more_exact_than_plain_ones():
    """Root mean square errors of the mean of Carlsmith's product over 20 repeats of 4,096 points each."""
    variant = read_model("carlsmith").variants()[0]
    names = variant.uncertain()

    def error(points: np.ndarray) -> float:
        parts = [variant.inputs[name].belief.quantile(points[:, place]) for place, name in enumerate(names)]
        return float(np.prod(parts, axis=0).mean() - MEANS.prod())

    random = np.random.default_rng(0)
    plain = [error(random.random((4_096, 6))) for _ in range(20)]
    quasi = [error(scrambled(6, 4_096, seed)) for seed in range(20)]
    assert np.sqrt(np.mean(np.square(plain)) / np.mean(np.square(quasi))) >= 20


def test_the_interval_of_the_scrambles_holds_the_true_mean_as_often_as_it_says():
    hits = 0
    for start in range(100):
        means = [np.exp(scrambled(2, 64, 1000 * start + repeat)).prod(1).mean() for repeat in range(8)]
        interval = Estimate.of(means)
        hits += interval.low <= (np.e - 1) ** 2 <= interval.high
    assert 88 <= hits <= 100
