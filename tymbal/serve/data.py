"""What the scripts of the pages read: classic scripts `tymbal.data.NAME = {...}`, which also load from `file://`.

Columns instead of records keep them compact. Everything is ASCII: `<`, `>`, `&`, U+2028, U+2029 and lone surrogates
are written as `\\uXXXX`, so no text from a corpus can end the script, whatever it is embedded in.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from tymbal.atlas import FeatureRow
from tymbal.serve.exhibit import Exhibit, told
from tymbal.serve.text import clipped, numeral, percent, titled

MAP_STEPS = 65535
_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"})


def safe_json(value: Any) -> str:
    """JSON that may stand inside a script element: ASCII, without `<`, `>`, `&`, `'`; NaN and infinities are null."""
    return json.dumps(_finite(value), ensure_ascii=True, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def map_data(exhibit: Exhibit) -> dict[str, Any]:
    """Columns of the map: places as whole numbers from 0 to 65535 in each direction, one scale for both."""
    points = exhibit.points
    xs, ys = [point.x for point in points], [point.y for point in points]
    left, bottom = min(xs, default=0.0), min(ys, default=0.0)
    span = max(max(xs, default=1.0) - left, max(ys, default=1.0) - bottom) or 1.0

    def place(value: float, low: float) -> int:
        return round(MAP_STEPS * (value - low) / span)

    labels = {cluster.cluster: cluster.label for cluster in exhibit.atlas.clusters()}
    return {
        "feature": [point.feature for point in points],
        "x": [place(x, left) for x in xs],
        "y": [place(y, bottom) for y in ys],
        "colour": [-1 if point.cluster is None else exhibit.colours[point.cluster] for point in points],
        "density": [percent(point.density) for point in points],
        "label": [titled(point.label, 60) for point in points],
        "clusters": [
            {"x": place(x, left), "y": place(y, bottom), "label": titled(labels.get(cluster, ""), 40)}
            for cluster, (x, y) in exhibit.centres.items()
        ],
    }


def features_data(exhibit: Exhibit) -> dict[str, Any]:
    """Columns of the list of features, numbers beside the way they are written."""
    rows: Sequence[FeatureRow] = exhibit.atlas.features(limit=len(exhibit.atlas))
    return {
        "feature": [row.feature for row in rows],
        "label": [titled(row.label, 120) for row in rows],
        "tokens": [clipped(" ".join(row.top_tokens), 240) for row in rows],
        "dead": [int(row.dead) for row in rows],
        "cluster": [row.cluster for row in rows],
        "concept": [clipped(told(row), 120) or None for row in rows],
        "density": [row.density for row in rows],
        "maximum": [row.maximum for row in rows],
        "mean": [row.mean for row in rows],
        "concept_f1": [row.concept_f1 for row in rows],
        "explanation": [clipped(row.explanation, 240) if row.explanation else None for row in rows],
        "explanation_auroc": [row.explanation_auroc for row in rows],
        "explanation_correlation": [row.explanation_correlation for row in rows],
        "written": {
            "density": [percent(row.density) for row in rows],
            "maximum": [numeral(row.maximum) for row in rows],
            "mean": [numeral(row.mean) for row in rows],
            "concept_f1": [numeral(row.concept_f1) for row in rows],
            "explanation_auroc": [numeral(row.explanation_auroc) for row in rows],
            "explanation_correlation": [numeral(row.explanation_correlation) for row in rows],
        },
    }


DATA: dict[str, Callable[[Exhibit], dict[str, Any]]] = {"map": map_data, "features": features_data}


def script(exhibit: Exhibit, name: str) -> str:
    """The classic script that holds one set of data; raises `KeyError` for an unknown name."""
    return (
        "var tymbal = window.tymbal || {}; tymbal.data = tymbal.data || {};\n"
        f"tymbal.data.{name} = JSON.parse('{_quoted(safe_json(DATA[name](exhibit)))}');\n"
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\")
