"""Splits keep groups whole; p-values are uniform where there is nothing to find; intervals hold the truth."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from tymbal.errors import ProbeError
from tymbal.probes import Classes, Numbers
from tymbal.probes.scores import score
from tymbal.probes.splits import GroupDraws, grouped_split, p_value, permuted


@given(
    groups=st.lists(st.integers(0, 30), min_size=2, max_size=120).filter(lambda names: len(set(names)) > 1),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 1000),
)
def test_a_split_never_shares_a_group_and_loses_no_row(groups: list[int], share: float, seed: int) -> None:
    names = torch.tensor(groups)
    split = grouped_split(names, share, seed)
    assert not set(names[split.train].tolist()) & set(names[split.held_out].tolist())
    assert sorted([*split.train.tolist(), *split.held_out.tolist()]) == list(range(len(groups)))
    assert len(split.train)
    assert len(split.held_out)


def test_about_the_asked_share_is_held_out() -> None:
    split = grouped_split(torch.arange(1000) // 4, 0.25, 3)
    assert 250 <= len(split.held_out) < 254


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(ProbeError, match="at least two groups"):
        grouped_split(torch.zeros(9, dtype=torch.long), 0.2, 0)


def test_groups_of_one_row_exchange_labels_beside_a_group_with_several() -> None:
    groups = torch.tensor([0, 0, *range(1, 40)])
    target = Classes(torch.tensor([0, 1, *(n % 2 for n in range(1, 40))]), ("a", "b"))
    moved = [permuted(target, groups, torch.Generator().manual_seed(seed)).ids for seed in range(20)]
    assert all(int(ids.sum()) == int(target.ids.sum()) for ids in moved)
    assert all(sorted(ids[:2].tolist()) == [0, 1] for ids in moved)
    assert sum(not torch.equal(ids[2:], target.ids[2:]) for ids in moved) == 20


@given(st.integers(0, 10_000))
def test_a_permutation_keeps_labels_of_groups_together_or_groups_of_labels(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    groups = torch.randint(0, 8, (40,), generator=generator)
    constant = Classes(torch.randint(0, 2, (8,), generator=generator)[groups], ("a", "b"))
    moved = permuted(constant, groups, generator)
    for group in groups.unique():
        assert len(moved.ids[groups == group].unique()) == 1
    varied = Numbers(torch.rand(40, 1, generator=generator).double(), ("u",))
    mixed = permuted(varied, groups, generator)
    for group in groups.unique():
        own = groups == group
        if int(own.sum()) == 1:
            continue  # groups of one row have one label, and exchange it
        assert sorted(mixed.values[own, 0].tolist()) == sorted(varied.values[own, 0].tolist())


@pytest.mark.parametrize("grouped", [False, True])
def test_p_values_are_uniform_where_there_is_nothing_to_find(grouped: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    groups = torch.arange(60) // 3
    once = torch.ones(1, 60, dtype=torch.float64)
    found = []
    for trial in range(200):
        # Scores agree within a group, as do the labels: a permutation of rows would be far too sure of itself.
        scores = torch.randn(20, 1, generator=generator)[groups] + 0.1 * torch.randn(60, 1, generator=generator)
        labels = torch.randn(20, 1, generator=generator)[groups].double()
        if not grouped:
            scores, labels = (torch.randn(60, 1, generator=generator) for _ in range(2))
        target = Numbers(labels.double(), ("u",))

        def statistic(target: Numbers, scores: torch.Tensor = scores) -> float:
            return float(score(scores, target, once))

        own = groups if grouped else torch.arange(60)
        found.append(p_value(statistic(target), statistic, target, own, permutations=49, seed=trial))
    assert kstest(found, "uniform").pvalue > 0.01
    assert kstest([p**2 for p in found], "uniform").pvalue < 0.01  # the test can tell


def test_a_real_relation_has_the_least_p_value_there_is() -> None:
    scores = torch.arange(50.0)[:, None]
    target = Classes((torch.arange(50) > 24).long(), ("a", "b"))
    once = torch.ones(1, 50, dtype=torch.float64)
    found = p_value(1.0, lambda t: float(score(scores, t, once)), target, torch.arange(50), permutations=199, seed=0)
    assert found == 1 / 200


def test_intervals_by_groups_are_as_wide_as_the_groups_are_few() -> None:
    # Twenty groups of fifty equal rows are twenty observations.
    values = torch.randn(20, generator=torch.Generator().manual_seed(0)).double()
    groups = torch.arange(1000) // 50
    number = GroupDraws(groups, draws=1000, seed=0).number(lambda w: w @ values[groups] / w.sum(1))
    expected = 2 * 1.96 * float(values.std(correction=0)) / 20**0.5
    assert number.high - number.low == pytest.approx(expected, rel=0.15)
