"""Ten colours for any number of clusters, so that neighbours on the map differ.

Largest cluster first, each takes the colour whose nearest bearer is farthest away; an unused colour counts as
infinitely far. The colours themselves are the classes c0 to c9 of app.css (Okabe and Ito's palette, extended).
"""

from collections.abc import Mapping, Sequence
from math import hypot, inf
from statistics import median

from tymbal.atlas import MapPoint

COLOURS = 10


def centres(points: Sequence[MapPoint]) -> dict[int, tuple[float, float]]:
    """The median place of each cluster, largest cluster first, in the map's units."""
    members: dict[int, list[MapPoint]] = {}
    for point in points:
        if point.cluster is not None:
            members.setdefault(point.cluster, []).append(point)
    ordered = sorted(members, key=lambda cluster: (-len(members[cluster]), cluster))
    return {
        cluster: (median(point.x for point in members[cluster]), median(point.y for point in members[cluster]))
        for cluster in ordered
    }


def coloured(places: Mapping[int, tuple[float, float]]) -> dict[int, int]:
    """A colour from 0 to 9 for each cluster, given their centres in order of importance."""
    chosen: dict[int, int] = {}
    for cluster, (x, y) in places.items():
        nearest = [inf] * COLOURS
        for other, colour in chosen.items():
            nearest[colour] = min(nearest[colour], hypot(x - places[other][0], y - places[other][1]))
        chosen[cluster] = max(range(COLOURS), key=lambda colour: nearest[colour])
    return chosen
