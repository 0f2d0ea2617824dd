"""The page that lays all living features out in the plane, alike beside alike. `map.js` draws `data/map.js`."""

from typing import Any

from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked


def fill_map(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The legend: each cluster with its colour and size."""
    del asked
    return {
        "clusters": exhibit.atlas.clusters(),
        "colours": exhibit.colours,
        "placed": len(exhibit.points),
        "loose": sum(point.cluster is None for point in exhibit.points),
    }
