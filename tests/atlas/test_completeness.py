"""Concepts are binned by how often text has them; each bin's share is counted, with its interval."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.atlas import ConceptRow, completeness_bins


def row(count: int, f1: float = 0.0, random: float = 0.0, shifted: float = 0.0) -> ConceptRow:
    return ConceptRow(f"concept {count}", count, 0, f1, random, shifted)


def test_planted_concepts_are_counted_in_their_bins():
    rows = [
        row(1, 0.9),
        row(3, 0.49),
        row(4, 0.5, random=0.7),
        row(9),
        row(10, 1.0),
        row(31, 1.0),
        row(32, 0.0, shifted=1),
    ]
    bins = completeness_bins(rows, least_f1=0.5)
    assert [(one.least, one.most) for one in bins] == [(1, 3), (4, 9), (10, 31), (32, 99)]
    assert [(one.with_feature, one.concepts, one.random, one.shifted) for one in bins] == [
        (1, 2, 0, 0),
        (1, 2, 1, 0),
        (2, 2, 0, 0),
        (0, 1, 0, 1),
    ]
    assert bins[0].share == 0.5


def test_the_interval_is_that_of_wilson():
    # 8 of 10: from the formula, worked by hand with z = 1.959964.
    low, high = completeness_bins([row(5, float(number < 8)) for number in range(10)], least_f1=0.5)[0].interval
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@given(st.lists(st.integers(0, 10**6), max_size=40), st.integers(1, 5))
def test_every_concept_that_is_there_is_in_one_bin_that_holds_its_count(counts: list[int], per_decade: int):
    bins = completeness_bins([row(count) for count in counts], least_f1=0.5, per_decade=per_decade)
    assert sum(one.concepts for one in bins) == sum(count > 0 for count in counts)
    for count in filter(None, counts):
        assert sum(one.least <= count <= one.most for one in bins) == 1
    assert all(one.most < two.least for one, two in itertools.pairwise(bins))
