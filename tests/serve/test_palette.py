"""Clusters that lie side by side differ in colour."""

from tymbal.atlas import MapPoint
from tymbal.serve.palette import COLOURS, centres, coloured


def test_ten_clusters_have_ten_colours() -> None:
    assert sorted(coloured({n: (float(n), 0.0) for n in range(COLOURS)}).values()) == list(range(COLOURS))


def test_a_colour_returns_only_far_from_its_other_bearers() -> None:
    places = {n: (float(n % 7), float(n // 7)) for n in range(42)}
    chosen = coloured(places)
    for one, (x, y) in places.items():
        for two, (u, v) in places.items():
            if one != two and abs(x - u) + abs(y - v) == 1:
                assert chosen[one] != chosen[two]


def test_a_centre_is_the_median_place_and_the_largest_comes_first() -> None:
    spots = [(0, 0, 5), (2, 2, 5), (100, 4, 5), (9, 9, 1), (1, 1, None)]
    points = [MapPoint(i, float(x), float(y), c, 0.1, "") for i, (x, y, c) in enumerate(spots)]
    assert list(centres(points).items()) == [(5, (2.0, 2.0)), (1, (9.0, 9.0))]
