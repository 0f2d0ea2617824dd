"""Roles depend on the key and the seed alone, and come in the asked proportions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tymbal.corpora.roles import HELD_OUT, Role, roles_of


@given(
    first=st.integers(0, 1 << 40), more=st.integers(1, 200), heldout=st.floats(0, 1), seed=st.integers(0, (1 << 64) - 1)
)
def test_a_role_does_not_change_when_the_corpus_grows_or_is_read_in_pieces(first, more, heldout, seed):
    keys = np.arange(first, first + more, dtype=np.int64)
    together = roles_of(keys, heldout=heldout, seed=seed)
    alone = np.concatenate([roles_of(keys[[place]], heldout=heldout, seed=seed) for place in range(more)])
    assert (together == alone).all()


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_larger_held_out_share_holds_all_that_a_smaller_one_holds(low, high):
    low, high = sorted((low, high))
    keys = np.arange(2000, dtype=np.int64)
    smaller, larger = (roles_of(keys, heldout=share, seed=1) for share in (low, high))
    held = smaller != Role.TRAIN
    assert (larger[held] == smaller[held]).all()


def test_shares_are_as_asked_and_thirds_are_equal():
    keys = np.arange(300_000, dtype=np.int64)
    roles = roles_of(keys, heldout=0.1, seed=0)
    # Five standard deviations of a binomial count.
    assert abs((roles != Role.TRAIN).sum() - 30_000) < 5 * np.sqrt(30_000 * 0.9)
    for role in HELD_OUT:
        assert abs((roles == role).sum() - 10_000) < 5 * np.sqrt(10_000)


def test_all_or_nothing_can_be_held_out():
    keys = np.arange(1000, dtype=np.int64)
    assert (roles_of(keys, heldout=0.0, seed=0) == Role.TRAIN).all()
    assert (roles_of(keys, heldout=1.0, seed=0) != Role.TRAIN).all()


def test_another_seed_draws_independently():
    keys = np.arange(100_000, dtype=np.int64)
    first, second = (roles_of(keys, heldout=0.5, seed=seed) != Role.TRAIN for seed in (0, 1))
    assert abs((first & second).mean() - 0.25) < 0.01


def test_the_first_roles_are_pinned_so_that_old_stores_keep_their_split():
    roles = roles_of(np.arange(16, dtype=np.int64), heldout=0.5, seed=0)
    assert roles.tolist() == [0, 0, 1, 0, 0, 2, 0, 3, 1, 0, 2, 2, 3, 0, 0, 1]
