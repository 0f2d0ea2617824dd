"""Intervals from resampled passages."""

import math

import pytest
import torch

from tymbal.dictionaries.bootstrap import Bootstrap


def ratio(sums):
    return sums["above"] / sums["below"]


def test_the_value_is_the_statistic_of_all_passages() -> None:
    columns = {"above": torch.tensor([1.0, 2.0, 6.0]).double(), "below": torch.tensor([2.0, 2.0, 2.0]).double()}
    number = Bootstrap(3, draws=50, seed=0).over(columns).number(ratio)
    assert number.value == 1.5
    assert number.low <= 1.5 <= number.high


def test_equal_passages_leave_no_doubt() -> None:
    columns = {"above": torch.full((9,), 3.0).double(), "below": torch.full((9,), 4.0).double()}
    number = Bootstrap(9, draws=20, seed=1).over(columns).number(ratio)
    assert (number.low, number.value, number.high) == (0.75, 0.75, 0.75)


def test_each_draw_takes_as_many_passages_as_there_are() -> None:
    weights = Bootstrap(13, draws=40, seed=2).weights
    assert (weights.sum(1) == 13).all()
    assert torch.equal(weights, Bootstrap(13, draws=40, seed=2).weights)
    assert not torch.equal(weights, Bootstrap(13, draws=40, seed=3).weights)


def test_intervals_of_a_mean_hold_the_truth_about_95_times_in_100() -> None:
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for trial in range(200):
        sample = torch.randn(60, generator=generator).double()
        columns = {"above": sample, "below": torch.ones(60).double()}
        number = Bootstrap(60, draws=200, seed=trial).over(columns).number(ratio)
        hits += number.low <= 0 <= number.high
        assert number.high - number.low < 8 / math.sqrt(60)
    assert 180 <= hits <= 198


def test_columns_of_vectors_are_summed_as_vectors() -> None:
    columns = {"vector": torch.arange(6.0).double().reshape(3, 2)}
    number = Bootstrap(3, draws=5, seed=0).over(columns).number(lambda sums: sums["vector"][:, 1])
    assert number.value == 9


def test_a_statistic_without_a_value_has_no_interval() -> None:
    columns = {"above": torch.zeros(4).double(), "below": torch.zeros(4).double()}
    number = Bootstrap(4, draws=10, seed=0).over(columns).number(ratio)
    assert math.isnan(number.value)
    assert math.isnan(number.low)


def test_a_single_passage_has_an_interval_of_no_length() -> None:
    columns = {"above": torch.tensor([2.0]).double(), "below": torch.tensor([8.0]).double()}
    number = Bootstrap(1, draws=10, seed=0).over(columns).number(ratio)
    assert (number.low, number.high) == pytest.approx((0.25, 0.25))
