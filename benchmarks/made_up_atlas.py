"""An atlas of made-up rows, with the tables, the writer and the row groups of a real one, for what reads atlases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tymbal import artifact
from tymbal.atlas.tables import (
    EXAMPLES,
    EXAMPLES_SCHEMA,
    FEATURES,
    FEATURES_SCHEMA,
    NEIGHBOURS,
    NEIGHBOURS_SCHEMA,
    OVERVIEW,
    write_tables,
)

FEATURE_COUNT = 100_000
CLUSTERS = 120
_BLOCK = 512
_ROLES, _TOP, _SAMPLED, _WINDOW, _NEIGHBOURS = ("explain", "score", "show"), 24, 16, 37, 12


def write_atlas(folder: Path, *, examples: bool = True) -> None:
    """An atlas with the sizes that `AtlasConfig` gives by default; without examples it still has its map."""
    generator = np.random.default_rng(0)
    words = np.array([f" w{number:x}" for number in range(30_000)], dtype=object)
    block = _example_columns(generator, words)
    files = write_tables(
        folder, FEATURES, FEATURES_SCHEMA, FEATURE_COUNT, lambda *ends: [_features(generator, words, *ends)]
    )
    files += write_tables(
        folder,
        EXAMPLES,
        EXAMPLES_SCHEMA,
        FEATURE_COUNT,
        lambda *ends: _examples(block, *ends) if examples else [block[:0]],
    )
    files += write_tables(
        folder, NEIGHBOURS, NEIGHBOURS_SCHEMA, FEATURE_COUNT, lambda *ends: [_neighbours(generator, *ends)]
    )
    clusters = [
        {"cluster": number, "label": f"group {number}", "features": FEATURE_COUNT // CLUSTERS}
        for number in range(CLUSTERS)
    ]
    artifact.write_json(folder / OVERVIEW, {"features": FEATURE_COUNT, "clusters": clusters})
    artifact.seal(folder, "atlas", {}, [*files, OVERVIEW])


def _features(generator: np.random.Generator, words: np.ndarray, begin: int, end: int) -> pa.Table:
    rows = end - begin
    lists = {"promoted": 10, "suppressed": 10, "top_tokens": 5}
    numbers = {"promoted_weights": 10, "suppressed_weights": 10, "quantile_edges": 5, "histogram": 24}
    columns: dict[str, object] = {name: _lists(generator.choice(words, (rows, size))) for name, size in lists.items()}
    columns |= {name: _lists(generator.integers(0, 1000, (rows, size))) for name, size in numbers.items()}
    columns |= {"feature": np.arange(begin, end), "dead": np.zeros(rows, dtype=bool)}
    cluster = np.arange(begin, end) % CLUSTERS
    middle = np.random.default_rng(0).normal(0, 10, (CLUSTERS, 2))[cluster]
    x, y = (middle + generator.normal(0, 0.6, (rows, 2))).T
    columns |= {"cluster": cluster, "x": x, "y": y}
    columns |= {name: generator.random(rows) for name in ("density", "maximum", "mean")}
    columns |= {"count": generator.integers(0, 10**6, rows), "label": generator.choice(words, rows)}
    columns["text"] = ["".join(generator.choice(words, 4 * _WINDOW)) for _ in range(rows)]
    return _table(columns, FEATURES_SCHEMA, rows)


def _example_columns(generator: np.random.Generator, words: np.ndarray) -> pa.Table:
    """The examples of `_BLOCK` features; they serve all blocks, as reading takes no note of them."""
    each = _TOP + _SAMPLED
    rows = _BLOCK * len(_ROLES) * each
    kind = np.tile(np.repeat(["top", "quantile"], [_TOP, _SAMPLED]), _BLOCK * len(_ROLES))
    quantile = np.tile(np.r_[np.zeros(_TOP), np.repeat(np.arange(4)[::-1], 4)], _BLOCK * len(_ROLES)).astype(np.int8)
    activations = generator.gamma(2, 1, (rows, _WINDOW)) * (generator.random((rows, _WINDOW)) < 0.1)
    columns = {
        "role": np.tile(np.repeat(_ROLES, each), _BLOCK),
        "kind": kind,
        "quantile": pa.array(quantile, mask=kind == "top"),
        "rank": np.tile(np.r_[np.arange(_TOP), np.tile(np.arange(4), 4)], _BLOCK * len(_ROLES)),
        "passage": generator.integers(0, 10**5, rows),
        "position": generator.integers(0, 256, rows),
        "peak": np.full(rows, 24),
        "tokens": _lists(generator.choice(words, (rows, _WINDOW))),
        "activations": _lists(activations.astype(np.float32)),
    }
    return _table(columns, EXAMPLES_SCHEMA, rows)


def _examples(block: pa.Table, begin: int, end: int) -> Iterator[pa.Table]:
    each = block.num_rows // _BLOCK
    for first in range(begin, end, _BLOCK):
        features = np.repeat(np.arange(first, min(first + _BLOCK, end), dtype=np.int32), each)
        yield block[: len(features)].set_column(0, EXAMPLES_SCHEMA.field("feature"), pa.array(features))


def _neighbours(generator: np.random.Generator, begin: int, end: int) -> pa.Table:
    each, rows = 2 * _NEIGHBOURS, 2 * _NEIGHBOURS * (end - begin)
    columns = {
        "feature": np.repeat(np.arange(begin, end), each),
        "kind": np.tile(np.repeat(["coactivation", "cosine"], _NEIGHBOURS), end - begin),
        "rank": np.tile(np.arange(_NEIGHBOURS), 2 * (end - begin)),
        "neighbour": generator.integers(0, FEATURE_COUNT, rows),
        "value": generator.random(rows),
    }
    return _table(columns, NEIGHBOURS_SCHEMA, rows)


def _table(columns: dict, schema: pa.Schema, rows: int) -> pa.Table:
    return pa.table([_column(columns.get(field.name), field.type, rows) for field in schema], schema=schema)


def _lists(values: np.ndarray) -> pa.Array:
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()))


def _column(values: Any, kind: pa.DataType, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, kind)
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(kind)
