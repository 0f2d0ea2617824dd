import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tymbal.activations.selection import RowSelection

masks = st.lists(st.integers(0, 200).flatmap(lambda n: arrays(bool, n)), max_size=5)


@given(masks)
def test_a_selection_lists_the_true_places_of_its_masks(pieces: list[np.ndarray]) -> None:
    expected = np.flatnonzero(np.concatenate([*pieces, np.zeros(0, bool)]))
    selection = RowSelection(pieces)
    assert len(selection) == len(expected)
    assert np.array_equal(selection.rows(), expected)
    assert np.array_equal(selection[np.arange(len(expected))], expected)


def test_places_may_be_asked_in_any_order_and_repeatedly() -> None:
    selection = RowSelection([np.arange(1000) % 3 == 1])
    assert selection[np.array([5, 0, 5, 332])].tolist() == [16, 1, 16, 997]


def test_a_place_beyond_the_last_is_refused() -> None:
    with pytest.raises(IndexError, match=r"0\.\.0"):
        RowSelection([np.array([False, True])])[np.array([1])]
