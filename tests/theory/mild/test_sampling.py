"""Choosing among draws by a proxy, against enumeration and closed forms."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.errors import TheoryError
from tymbal.theory.mild import best_of, hacking_curve, quantilized


@given(scores=st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=4), n=st.integers(1, 4))
def test_best_of_n_is_what_enumerating_all_draws_gives(scores, n):
    chosen = np.zeros(len(scores))
    for draw in product(range(len(scores)), repeat=n):
        best = max(scores[place] for place in draw)
        ties = [place for place in draw if scores[place] == best]
        for place in ties:
            chosen[place] += 1 / len(ties) / len(scores) ** n
    assert best_of(scores, float(n)) == pytest.approx(chosen, abs=1e-12)


def test_the_divergence_of_best_of_n_is_its_known_value():
    """log n - (n - 1) / n nats for a continuous proxy, and log n for the quantilizer with q = 1/n."""
    scores = np.random.default_rng(0).normal(size=20_000)
    curve = hacking_curve(scores, scores, [16.0], resamples=2)
    best, mild = curve
    assert best.divergence == pytest.approx(np.log(16) - 15 / 16, abs=1e-3)
    assert mild.divergence == pytest.approx(np.log(16), abs=1e-9)


@given(seed=st.integers(0, 1000), n=st.floats(1, 50))
def test_both_make_a_draw_at_most_n_times_as_likely_and_the_quantilizer_scores_higher(seed, n):
    scores = np.random.default_rng(seed).normal(size=200)
    best, mild = best_of(scores, n), quantilized(scores, 1 / n)
    assert best.max() * 200 <= n * (1 + 1e-9)
    assert mild.max() * 200 <= n * (1 + 1e-9)
    assert mild @ scores >= best @ scores - 1e-9


def test_a_proxy_that_pays_for_disaster_is_found_out():
    """The proxy is right but for one draw in a hundred, which it prizes most and which is worth -10."""
    random = np.random.default_rng(0)
    true = random.normal(size=5_000)
    proxy = true.copy()
    true[:50], proxy[:50] = -10.0, 10 + random.random(50)
    worth = {
        (point.method, point.n): point.true.value
        for point in hacking_curve(proxy, true, [1.0, 4.0, 100.0], resamples=20)
    }
    for method in ("best-of-n", "quantilizer"):
        assert worth[method, 4] > worth[method, 1]
        assert worth[method, 100] < -5
    assert worth["quantilizer", 100] == pytest.approx(-10)


def test_weights_of_the_draws_count():
    assert best_of([1.0, 2.0], 1.0, [0.9, 0.1]) == pytest.approx([0.9, 0.1])
    assert best_of([1.0, 2.0], 2.0, [0.9, 0.1]) == pytest.approx([0.81, 0.19])
    assert quantilized([1.0, 2.0], 0.5, [0.9, 0.1]) == pytest.approx([0.8, 0.2])


def test_the_interval_holds_the_value():
    random = np.random.default_rng(1)
    scores = random.normal(size=300)
    for point in hacking_curve(scores, scores + random.normal(size=300), [1.0, 8.0], resamples=100):
        assert point.true.low < point.true.value < point.true.high


def test_rewards_must_pair_up():
    with pytest.raises(TheoryError, match="as many as proxy rewards"):
        hacking_curve([1.0, 2.0, 3.0], [1.0, 2.0], [2.0])
