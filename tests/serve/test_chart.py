"""Charts draw what they are given."""

import re
from xml.etree import ElementTree

import pytest

from tymbal.serve.chart import Point, Spot, changes, histogram, interval, scatter


def bars(markup: str) -> list[float]:
    return [float(height) for height in re.findall(r'class="bar"[^>]*height="([\d.]+)"', markup)]


def test_bars_are_as_tall_as_their_counts() -> None:
    heights = bars(histogram([0, 1, 2, 3], [10, 20, 5], describe="d", axis="a"))
    assert heights == pytest.approx([heights[1] / 2, heights[1], heights[1] / 4])


def test_a_rare_bin_is_still_seen_and_an_empty_one_is_not() -> None:
    assert bars(histogram([0, 1, 2, 3], [100_000, 1, 0], describe="d", axis="a"))[1:] == [1.0, 0.0]


def test_charts_are_well_formed_and_escape_their_words() -> None:
    chart = histogram([0, 1], [3], describe='<"&', axis="<b>", unit="<i>", write=lambda _: "<u>")
    line = interval(0.5, 0.4, 0.6, [0.9], describe='<"&')
    for markup in (chart, line):
        assert ElementTree.fromstring(markup).get("aria-label") == '<"&'
        assert "style=" not in markup


def test_edges_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 edges for 1 counts; got 1"):
        histogram([0], [3], describe="d", axis="a")


def test_an_interval_places_its_dot_in_proportion() -> None:
    places = [
        float(x) for x in re.findall(r'<circle[^>]*cx="([\d.]+)"', interval(0.25, 0.2, 0.3, [0.0, 1.0], describe="d"))
    ]
    left, right, dot = places
    assert (dot - left) / (right - left) == pytest.approx(0.25)


def test_numbers_of_either_sign_stand_above_and_below_zero() -> None:
    points = [Point("a", 2.0, 1.0, 3.0, ()), Point("b", -1.0, -2.0, 0.0, (0.5,))]
    markup = changes(points, describe="d")
    zero = float(re.findall(r'class="axis"[^>]*y1="([\d.]+)"', markup)[0])
    up, down = (float(y) for y in re.findall(r'class="dot" cx="[\d.]+" cy="([\d.]+)"', markup))
    assert up < zero < down
    assert (zero - up) == pytest.approx(2 * (down - zero), abs=0.2)
    ElementTree.fromstring(markup)
    ElementTree.fromstring(changes([], describe="d"))


def test_places_keep_one_scale_and_hostile_names_stay_text() -> None:
    markup = scatter([Spot("<b>", 0, 0), Spot("x", 2, 0), Spot("y", 0, 1)], describe="d")
    places = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', markup)]
    assert places[1][0] - places[0][0] == pytest.approx(2 * (places[0][1] - places[2][1]), abs=0.3)
    assert "<b>" not in markup
    ElementTree.fromstring(markup)
