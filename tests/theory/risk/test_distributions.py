"""Quantile functions against scipy's distributions and the numbers that were elicited."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tymbal.errors import TheoryError
from tymbal.theory.risk import Beta, LogNormal, Point, Pooled, Pooling, Uniform, elicited
from tymbal.theory.risk.distributions import check_probabilities

LEVELS = np.linspace(0.01, 0.99, 21)


def test_quantiles_are_those_of_scipy():
    beta = Beta(centre=0.3, concentration=8.0)
    assert beta.quantile(LEVELS) == pytest.approx(stats.beta(2.4, 5.6).ppf(LEVELS))
    assert Uniform(low=1.0, high=3.0).quantile(LEVELS) == pytest.approx(stats.uniform(1, 2).ppf(LEVELS))
    found = LogNormal(median=2.0, high=10.0)
    width = np.log(5) / stats.norm.ppf(0.95)
    assert found.quantile(LEVELS) == pytest.approx(stats.lognorm(width, scale=2).ppf(LEVELS))
    assert found.quantile(np.array([0.95])) == pytest.approx([10])


@given(values=st.lists(st.floats(0.001, 0.999), min_size=3, max_size=3, unique=True))
def test_elicited_quantiles_are_met_exactly_and_rise_in_between(values):
    low, middle, high = sorted(values)
    if min(middle - low, high - middle) < 1e-6:
        return
    belief = elicited([(0.95, high), (0.05, low), (0.5, middle)])
    assert belief.quantile(np.array([0.05, 0.5, 0.95])) == pytest.approx([low, middle, high], rel=1e-9)
    drawn = belief.quantile(np.linspace(1e-9, 1 - 1e-9, 500))
    assert (np.diff(drawn) >= 0).all()
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_two_elicited_quantiles_make_a_logit_normal():
    belief = elicited([(0.05, 0.1), (0.95, 0.9)])
    width = np.log(9) / stats.norm.ppf(0.95)
    expected = 1 / (1 + np.exp(-width * stats.norm.ppf(LEVELS)))
    assert belief.quantile(LEVELS) == pytest.approx(expected)


def test_positive_quantities_may_exceed_one():
    belief = elicited([(0.05, 1.0), (0.5, 2.0), (0.95, 30.0)], positive=True)
    assert belief.quantile(np.array([0.95])) == pytest.approx([30])
    with pytest.raises(TheoryError, match="between 0 and 1, as it is used as a probability"):
        check_probabilities("factor", belief)


def test_means():
    assert Beta(centre=0.3, concentration=8.0).mean() == 0.3
    assert Uniform(low=0.0, high=1.0).mean() == pytest.approx(0.5)
    assert elicited([(0.05, 0.1), (0.95, 0.9)]).mean() == pytest.approx(0.5)
    experts = {"a": 0.1, "b": 0.3}
    assert Pooled(experts=experts, pooling=Pooling(method="arithmetic")).mean() == pytest.approx(0.2)


def test_moving_keeps_the_width_of_a_beta_and_makes_others_known():
    assert Beta(centre=0.3, concentration=8.0).moved_to(0.5) == Beta(centre=0.5, concentration=8.0)
    assert Uniform(low=0.0, high=1.0).moved_to(0.5) == Point(0.5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Beta(centre=1.2, concentration=8.0), "a mean between 0 and 1; got 1.2"),
        (lambda: Beta(centre=0.2, concentration=0.0), "a concentration above 0"),
        (lambda: Uniform(low=1.0, high=0.0), "the lower first"),
        (lambda: LogNormal(median=2.0, high=1.0), "a 95 % quantile above it"),
        (lambda: elicited([(0.05, 0.3), (0.95, 0.2)]), "rise with their levels"),
        (lambda: elicited([(0.05, 0.3), (0.95, 1.2)]), "values in (0, 1)"),
        (lambda: elicited([(0.5, 0.3)]), "two or more quantiles"),
    ],
)
def test_beliefs_that_are_none_are_refused(make, words):
    with pytest.raises(TheoryError) as refusal:
        make()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
