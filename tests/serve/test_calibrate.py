"""Blind scoring: the same features for everybody; agreement is 1 for the same order, and hidden until the end."""

from pathlib import Path

import pytest

from tymbal.serve.exhibit import Exhibit, open_exhibit
from tymbal.serve.explained import Explained
from tymbal.serve.notes import Kind
from tymbal.serve.page import Asked, Gallery
from tymbal.serve.pages import PAGES
from tymbal.serve.pages.calibrate import OWN, agreements, drawn, fill_calibrate, scores_of


@pytest.fixture
def exhibit(bare: Path, tmp_path: Path) -> Exhibit:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "atlas").symlink_to(bare)
    return open_exhibit(tmp_path / "study")


def asked(exhibit: Exhibit, **query: str) -> Asked:
    return Asked(Gallery(exhibit, PAGES).links(exported=False), {}, query, "me")


def test_agreement_is_the_correlation_of_ranks():
    mine = {number: number % 5 for number in range(40)}
    same, none, opposite = agreements(
        mine,
        {
            "a same order": {number: 10.0 ** (number % 5) for number in range(40)},
            "b constant": dict.fromkeys(range(40), 1.0),
            "c opposite": {number: -float(number % 5) for number in range(60)},
        },
    )
    assert (same.n, same.correlation, same.low) == (40, pytest.approx(1), pytest.approx(1))
    assert (none.n, none.correlation) == (40, None)
    assert (opposite.n, opposite.correlation, opposite.high) == (40, pytest.approx(-1), pytest.approx(-1))


def test_fewer_than_three_features_in_common_say_nothing():
    (one,) = agreements({1: 3, 2: 4}, {"a": {1: 0.5, 2: 0.7, 3: 0.9}})
    assert (one.n, one.correlation) == (2, None)


def test_the_same_features_are_drawn_each_time_and_unclear_ones_never(exhibit: Exhibit):
    assert drawn(exhibit) == drawn(exhibit)
    assert len(drawn(exhibit)) == 50
    exhibit.explained = {
        1: Explained("cats", {"auroc": 0.9}, "token"),
        2: Explained("unclear", {}, "unclear"),
        3: Explained("dogs", {"auroc": 0.7}, "token"),
    }
    assert sorted(drawn(exhibit)) == [1, 3]
    assert scores_of(exhibit, [1, 3]) == {"auroc": {1: 0.9, 3: 0.7}}


def test_scores_are_asked_for_until_all_are_given_and_only_then_compared(exhibit: Exhibit):
    for number, feature in enumerate(drawn(exhibit)):
        filled = fill_calibrate(exhibit, asked(exhibit))
        assert filled["row"].feature == feature
        assert "agreements" not in filled
        exhibit.notes.add(feature, Kind.SCORE, str(number % 5), reader="me")
    exhibit.notes.add(drawn(exhibit)[0], Kind.SCORE, "1", reader="somebody else")
    filled = fill_calibrate(exhibit, asked(exhibit))
    assert filled["row"] is None
    assert [one.scorer for one in filled["agreements"]] == [OWN]
    assert [(one.scorer, one.n) for one in filled["among"]] == [("reader 1", 1)]
