"""The atlas's Parquet tables: their columns, and a writer whose bytes depend on the rows alone.

A table is a folder of Parquet files, each with the rows of 2,048 features, sorted by feature, in small row groups. For
DuckDB looks at each row group of a file in turn and decodes the right one whole, so that one large file would be slow
with small groups and with large ones.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tymbal import artifact

FEATURES = "features"
EXAMPLES = "examples"
NEIGHBOURS = "neighbours"
OVERVIEW = "overview.json"

_STRINGS = pa.list_(pa.string())
_FLOATS = pa.list_(pa.float32())
FEATURES_SCHEMA = pa.schema(
    [
        ("feature", pa.int32()),
        ("label", pa.string()),
        ("top_tokens", _STRINGS),
        ("density", pa.float64()),
        ("count", pa.int64()),
        ("dead", pa.bool_()),
        ("maximum", pa.float32()),
        ("mean", pa.float64()),
        ("cluster", pa.int32()),
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("concept", pa.string()),
        ("concept_f1", pa.float64()),
        ("concept_precision", pa.float64()),
        ("concept_recall", pa.float64()),
        ("quantile_edges", _FLOATS),
        ("histogram", pa.list_(pa.int64())),
        ("promoted", _STRINGS),
        ("promoted_weights", _FLOATS),
        ("suppressed", _STRINGS),
        ("suppressed_weights", _FLOATS),
        ("text", pa.string()),
    ]
)
EXAMPLES_SCHEMA = pa.schema(
    [
        ("feature", pa.int32()),
        ("role", pa.string()),
        ("kind", pa.string()),
        ("quantile", pa.int8()),
        ("rank", pa.int16()),
        ("passage", pa.int64()),
        ("position", pa.int32()),
        ("peak", pa.int16()),
        ("tokens", _STRINGS),
        ("activations", _FLOATS),
    ]
)
NEIGHBOURS_SCHEMA = pa.schema(
    [
        ("feature", pa.int32()),
        ("kind", pa.string()),
        ("rank", pa.int16()),
        ("neighbour", pa.int32()),
        ("value", pa.float32()),
    ]
)
PART = 2048
"""features a file"""
ROW_GROUPS = {FEATURES: 128, EXAMPLES: 2048, NEIGHBOURS: 4096}
"""rows a row group"""


def part_path(table: str, number: int) -> str:
    """Where a table's part lies, relative to the atlas's folder."""
    return f"{table}/part-{number:05d}.parquet"


def part_paths(table: str, features: int) -> list[str]:
    """Where all parts of a table lie, relative to the atlas's folder."""
    return [part_path(table, number) for number in range(max(1, -(-features // PART)))]


def write_tables(
    folder: Path, table: str, schema: pa.Schema, features: int, rows: Callable[[int, int], Iterable[pa.Table]]
) -> list[str]:
    """Write a table's parts, each atomically; `rows(begin, end)` makes the rows of a range of features, sorted.

    Returns the parts' paths relative to `folder`.
    """
    paths = part_paths(table, features)
    for number, path in enumerate(paths):
        made = rows(number * PART, min((number + 1) * PART, features))
        artifact.write_atomically(folder / path, partial(_write_part, schema, made, ROW_GROUPS[table]))
    return paths


def _write_part(schema: pa.Schema, rows: Iterable[pa.Table], row_group: int, path: Path) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, store_schema=False) as writer:
        for table in rows:
            writer.write_table(table, row_group_size=row_group)
