import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.activations.permutation import Permutation


@given(st.integers(1, 5000), st.integers(0, 2**40), st.integers(0, 5))
def test_every_item_appears_exactly_once(size: int, seed: int, epoch: int) -> None:
    items = Permutation(size, seed, epoch).everything()
    assert np.array_equal(np.sort(items), np.arange(size))


def test_an_item_does_not_depend_on_which_others_are_asked() -> None:
    shuffle = Permutation(10_007, 3)
    whole = shuffle.everything()
    places = np.array([9_999, 0, 5, 5, 1234])
    assert np.array_equal(shuffle(places), whole[places])


def test_another_seed_or_epoch_gives_another_order() -> None:
    orders = [Permutation(1000, *key).everything() for key in ((0, 0), (0, 1), (1, 0), (1, 1))]
    for i, first in enumerate(orders):
        for second in orders[:i]:
            # Two random orders of n items agree in one place on average.
            assert (first == second).sum() < 10


@pytest.mark.parametrize("size", [1000, 1024, 1025, 100_003])
def test_neighbours_land_far_apart_as_in_a_random_order(size: int) -> None:
    items = Permutation(size, 7).everything().astype(float)
    # The mean distance of two random places is a third of the length, and their order carries no correlation.
    assert abs(np.abs(np.diff(items)).mean() / size - 1 / 3) < 0.03
    assert abs(np.corrcoef(items[:-1], items[1:])[0, 1]) < 4 / np.sqrt(size)
    assert abs(np.corrcoef(items, np.arange(size))[0, 1]) < 4 / np.sqrt(size)


def test_each_item_reaches_each_place_equally_often_over_seeds() -> None:
    size, trials = 16, 3000
    counts = np.zeros((size, size))
    for seed in range(trials):
        counts[np.arange(size), Permutation(size, seed).everything()] += 1
    expected = trials / size
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    freedom = (size - 1) ** 2
    assert abs(chi_squared - freedom) < 6 * np.sqrt(2 * freedom)


def test_huge_domains_take_no_memory() -> None:
    shuffle = Permutation(10**15, 1)
    items = shuffle(np.arange(10**14, 10**14 + 1000))
    assert len(np.unique(items)) == 1000
    assert items.max() < 10**15


def test_places_outside_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.\.9"):
        Permutation(10, 0)(np.array([10]))
    with pytest.raises(ValueError, match="at least one"):
        Permutation(0, 0)
