"""Pooling of experts against hand-made numbers, closed forms and Cooke's own definitions."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, entropy

from tymbal.errors import TheoryError
from tymbal.theory.risk import Pooling, classical_model, neyman_factor
from tymbal.theory.risk.cooke import calibration_score
from tymbal.theory.risk.pooling import METHODS, bootstrap

NUCLEAR = (0.0140, 0.0221, 0.0039, 0.0040)
LEVELS = np.array([0.05, 0.5, 0.95])
inside = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=8)


def test_the_nuclear_example():
    assert round(100 * Pooling(method="arithmetic").pool(NUCLEAR), 2) == 1.10
    assert round(100 * Pooling(method="geometric odds").pool(NUCLEAR), 2) == 0.84
    assert Pooling(method="median").pool(NUCLEAR) == pytest.approx(0.009)


def test_neymans_factor():
    assert neyman_factor(1) == 1
    assert round(neyman_factor(2), 3) == 1.292
    assert neyman_factor(10**6) == pytest.approx(np.sqrt(3), abs=1e-5)
    assert all(neyman_factor(n) < neyman_factor(n + 1) < np.sqrt(3) for n in range(1, 200))


@given(experts=inside)
def test_odds_are_pooled_by_their_geometric_mean(experts):
    odds = [p / (1 - p) for p in experts]
    mean = float(np.prod([o ** (1 / len(odds)) for o in odds]))
    assert Pooling(method="geometric odds").pool(experts) == pytest.approx(mean / (1 + mean), rel=1e-9)


@given(experts=inside, method=st.sampled_from(METHODS))
def test_the_order_of_experts_and_the_naming_of_yes_and_no_do_not_matter(experts, method):
    pooling = Pooling(method=method)
    assert pooling.pool(experts[::-1]) == pytest.approx(pooling.pool(experts), abs=1e-12)
    assert pooling.pool([1 - p for p in experts]) == pytest.approx(1 - pooling.pool(experts), abs=1e-9)


@given(p=st.floats(0.01, 0.99), count=st.integers(1, 6))
def test_experts_who_agree_are_believed_except_by_the_one_who_extremises(p, count):
    for method in METHODS:
        found = Pooling(method=method).pool([p] * count)
        if method == "neyman" and count > 1:
            assert abs(found - 0.5) >= abs(p - 0.5) - 1e-12
        else:
            assert found == pytest.approx(p)
    assert Pooling(method="neyman", prior=p).pool([p] * count) == pytest.approx(p)


def test_the_bootstrap_lists_every_way_to_draw_the_experts():
    values, chances = bootstrap(list(NUCLEAR), Pooling(method="arithmetic"))
    listed = np.array([np.mean(draw) for draw in product(NUCLEAR, repeat=4)])
    assert chances.sum() == pytest.approx(1)
    assert values @ chances == pytest.approx(listed.mean())
    for cut in (0.005, 0.0091, 0.0111, 0.02):
        assert chances[values < cut].sum() == pytest.approx((listed < cut).mean())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pooling().pool([0.0, 0.5]), "both left out; got 0"),
        (lambda: Pooling(method="arithmetic").pool([0.2, 1.5]), "in [0, 1]; got 1.5"),
        (lambda: Pooling().pool([]), "one probability an expert"),
        (lambda: Pooling(prior=1.0), "a prior between 0 and 1"),
    ],
)
def test_probabilities_that_are_none_are_refused(make, words):
    with pytest.raises(TheoryError) as refusal:
        make()
    assert words in str(refusal.value)


def seeds_answered_by(quality: str, questions: int) -> np.ndarray:
    """Quantiles of an expert about standard normal answers: honest, overconfident, or off by three."""
    width, shift = {"honest": (1.0, 0.0), "sure": (0.2, 0.0), "off": (1.0, 3.0)}[quality]
    return np.tile(shift + width * np.array([-1.645, 0.0, 1.645]), (questions, 1))


def test_calibration_is_the_p_value_of_the_shares_between_quantiles():
    """Ten answers, of which 2, 3, 4 and 1 fall below, between and above the quantiles."""
    answers = np.array([-2.0, -1.8, -1.0, -0.5, -0.1, 0.2, 0.3, 0.4, 1.0, 2.0])
    estimates = seeds_answered_by("honest", 10)
    statistic = 2 * 10 * entropy([0.2, 0.3, 0.4, 0.1], [0.05, 0.45, 0.45, 0.05])
    assert calibration_score(estimates, answers, LEVELS) == pytest.approx(chi2.sf(statistic, 3))


def test_the_honest_expert_is_weighed_most():
    answers = np.random.default_rng(0).normal(size=40)
    estimates = np.array([seeds_answered_by(quality, 40) for quality in ("honest", "sure", "off")])
    found = classical_model(estimates, answers, LEVELS, threshold=0.0)
    assert found.calibration[0] > 0.05 > 1e-3 > max(found.calibration[1:])
    assert found.weights[0] > 0.99
    assert found.information[1] > found.information[0]
    best = classical_model(estimates, answers, LEVELS)
    assert best.weights == pytest.approx([1, 0, 0])
    assert best.quantiles == pytest.approx(estimates[0], abs=1e-9)


def test_information_of_one_question_by_hand():
    """Answers and quantiles span 0 to 10, so the range is -1 to 11; the expert says 2, 4, 6."""
    estimates = np.array([[[2.0, 4.0, 6.0]], [[0.0, 5.0, 10.0]]])
    found = classical_model(estimates, np.array([3.0]), LEVELS, threshold=0.0)
    by_hand = sum(
        share * np.log(share / (width / 12))
        for share, width in zip((0.05, 0.45, 0.45, 0.05), (3, 2, 2, 5), strict=True)
    )
    assert found.information[0] == pytest.approx(by_hand)


def test_the_mixtures_quantiles_split_the_mixture():
    """Two experts of equal weight, mirror images about 0: the median is 0, and 5 % lie below the lowest quantile."""
    one, other = [-3.0, -1.0, 1.0], [-1.0, 1.0, 3.0]
    estimates = np.array([[one, one], [other, other]])
    answers = np.array([0.0, np.nan])
    found = classical_model(estimates, answers, LEVELS, threshold=0.0)
    assert found.weights == pytest.approx([0.5, 0.5])
    assert found.quantiles[1, 1] == pytest.approx(0)
    assert found.quantiles[1, 0] == pytest.approx(-found.quantiles[1, 2])


def test_experts_whose_quantiles_fall_are_refused():
    with pytest.raises(TheoryError, match="rise with their levels"):
        classical_model(np.array([[[2.0, 1.0, 3.0]]]), np.array([1.0]), LEVELS)
    with pytest.raises(TheoryError, match="a question whose answer is known"):
        classical_model(np.array([[[1.0, 2.0, 3.0]]]), np.array([np.nan]), LEVELS)
