"""The same features under other numbers, and features that have nothing to do with each other."""

import numpy as np
import pytest
from analysed import called, coded, sparse_features

from tymbal.analyses import universality
from tymbal.analyses.universality import LEAST_TOKENS, counterparts
from tymbal.errors import TymbalError

ROWS = 6000


def test_permuted_features_are_found_under_their_new_numbers():
    values = sparse_features(ROWS, 12, seed=0)
    order = np.random.default_rng(1).permutation(12)
    noisy = values[:, order] * np.random.default_rng(2).uniform(0.9, 1.1, (ROWS, 12))
    found = counterparts(coded(values), coded(noisy).codes)
    assert order[found.counterpart].tolist() == list(range(12))
    assert found.correlation.min() > 0.9


def test_correlations_are_those_of_the_dense_columns_where_passages_score():
    left, right = sparse_features(ROWS, 5, seed=0), sparse_features(ROWS, 7, seed=3)
    right[:, 2] += left[:, 1]
    mine, other = coded(left), coded(right)
    found = counterparts(mine, other.codes)
    score = mine.role == 2
    for feature, counterpart, correlation in zip(*found, strict=True):
        dense = np.corrcoef(left[score, feature].astype(np.float32), right[score, counterpart].astype(np.float32))
        assert correlation == pytest.approx(dense[0, 1], abs=1e-6)


def test_unrelated_features_are_not_found_again_and_chance_is_no_better():
    told = universality(
        coded(sparse_features(ROWS, 20, seed=0)), coded(sparse_features(ROWS, 20, seed=1)), called, called
    )
    again = told.findings["found again (r >= 0.5)"]
    assert again.value == 0
    assert again.baselines["moved along the text"].value == 0
    assert abs(told.findings["correlation with the counterpart"].value) < 0.05


def test_the_same_features_are_found_again_and_those_of_moved_text_are_not():
    values = sparse_features(ROWS, 20, seed=0)
    told = universality(coded(values), coded(values), called, called)
    again = told.findings["found again (r >= 0.9)"]
    assert again.value == 1
    assert again.baselines["moved along the text"].value == 0
    assert told.rows[0][0] == told.rows[0][2]


def test_features_that_are_too_rare_are_counted_and_left_out():
    values = sparse_features(ROWS, 4, seed=0)
    values[:, 3] = 0
    values[: LEAST_TOKENS - 1, 3] = 1
    told = universality(coded(values), coded(values), called, called)
    assert told.sample["too rare"] == 1
    assert told.sample["features"] == 3


def test_another_text_is_refused():
    values = sparse_features(300, 3, seed=0)
    with pytest.raises(TymbalError, match="same held-out text"):
        universality(coded(values), coded(values, tokens=np.arange(300)), called, called)
