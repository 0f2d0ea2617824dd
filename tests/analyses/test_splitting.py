"""A feature that falls into planted parts."""

import numpy as np
from analysed import called, coded, sparse_features

from tymbal.analyses import splitting
from tymbal.analyses.splitting import families

ROWS = 9000


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Small feature 0 splits into large 1 and 2, which share its tokens out; small 1 is large 0; large 3 is noise."""
    small = sparse_features(ROWS, 2, seed=0)
    noise = sparse_features(ROWS, 1, seed=5)[:, 0]
    first = np.random.default_rng(1).random(ROWS) < 0.6
    parts = (small[:, 0] * first, small[:, 0] * ~first)
    return small, np.stack([small[:, 1], *parts, noise], 1)


def test_planted_children_are_found_with_their_parents():
    small, large = planted()
    found = families(coded(small), coded(large).active)
    assert dict(zip(found.child.tolist(), found.parent.tolist(), strict=True)) == {0: 1, 1: 0, 2: 0}
    assert found.contained.min() == 1
    assert found.covered.tolist() == [1, 1]


def test_a_child_that_has_other_tokens_too_is_contained_by_its_share():
    small, large = planted()
    extra = np.random.default_rng(7).random(ROWS) < 0.01
    large[extra & (small[:, 0] == 0), 1] = 1
    found = families(coded(small), coded(large).active)
    score = coded(small).role == 2
    active = large[score, 1] > 0
    wanted = (small[score, 0] > 0)[active].mean()
    assert 0.5 < wanted < 1
    assert found.contained[found.child.tolist().index(1)] == wanted


def test_only_split_features_are_listed_and_text_moved_along_has_none():
    small, large = planted()
    told = splitting(coded(small), coded(large), called, called)
    assert [row[0] for row in told.rows] == [0]
    assert [child[0] for child in told.rows[0][3]] in ([1, 2], [2, 1])
    split = told.findings["small features with at least two children"]
    assert split.value == 0.5
    assert split.baselines["moved along the text"].value == 0


def test_a_dense_feature_is_nobodys_parent():
    small, large = planted()
    small[:, 1] = 1
    assert 1 not in families(coded(small), coded(large).active).parent
