"""The Parquet tables of explanations and of their scores: one row a feature, sorted, in files of `UNIT` features.

    explanations/part-00000.parquet    what is said of each feature
    SCORER/part-00000.parquet          how well that holds, one folder a scorer
    BASELINE/explanations/..., BASELINE/SCORER/...    the same of what is set against the features
    units.json                         of what, how, and the SHA-256 of each finished file
    summary.json                       numbers about all features

A file is one unit of work: it is listed in `units.json` as soon as it is on disk, so that a killed process goes on with
the next.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tymbal import artifact
from tymbal.errors import ArtifactError

KIND = "explanations"
EXPLANATIONS = "explanations"
SUMMARY = "summary.json"
UNITS = "units.json"
UNIT = 256
"""features a file"""
EXPLANATIONS_SCHEMA = pa.schema(
    [
        ("feature", pa.int32()),
        ("text", pa.string()),
        ("kind", pa.string()),
        ("predicate", pa.string()),
        ("complexity", pa.int32()),
        ("concept", pa.string()),
        ("threshold", pa.float64()),
        ("label", pa.string()),
        ("lay", pa.string()),
        ("failures", pa.int32()),
    ]
)


class ExplanationFolder:
    """A folder of explanations that is being made, unit by unit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listing: dict[str, Any] = artifact.read_json(folder / UNITS)

    @classmethod
    def begin(cls, folder: Path, identity: Mapping[str, Any]) -> "ExplanationFolder":
        """Begin a folder, or take up one that was begun for the same; damaged units are forgotten.

        Raises `ArtifactError` when the folder holds explanations of something else or made in another way.
        """
        path = folder / UNITS
        listing: dict[str, Any] = {"identity": dict(identity), "files": {}}
        if path.exists():
            found = artifact.read_json(path)
            if found["identity"] != listing["identity"]:
                raise ArtifactError(
                    expected=f"explanations of these features by this explainer in {folder}",
                    got="those of another dictionary, text, explainer or choice of features",
                    do="choose another folder",
                )
            listing["files"] = {name: sha for name, sha in found["files"].items() if _checksum(folder / name) == sha}
        artifact.write_json(path, listing)
        return cls(folder)

    def missing(self, table: str, features: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
        """Each unit of a table of these features that is not on disk yet: its number and its features."""
        for number, begin in enumerate(range(0, len(features), UNIT)):
            if _part(table, number) not in self._listing["files"]:
                yield number, features[begin : begin + UNIT]

    def write(self, table: str, unit: int, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
        """Put one unit of a table on disk and list it."""
        name = _part(table, unit)
        made = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
        checksum = artifact.write_atomically(self.folder / name, partial(_write, made))
        self._listing["files"][name] = checksum
        artifact.write_json(self.folder / UNITS, self._listing)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table that are on disk, by feature."""
        return read_rows(self.folder, table)

    def seal(self, config: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """End the folder."""
        artifact.write_json(self.folder / SUMMARY, dict(summary))
        artifact.seal(self.folder, KIND, config, [UNITS, SUMMARY, *self._listing["files"]])


class Explanations:
    """A finished folder of explanations, read only; use `open_explanations`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary: dict[str, Any] = artifact.read_json(folder / SUMMARY)
        self.config: dict[str, Any] = artifact.read_json(folder / artifact.CONFIG)

    def rows(self, table: str = EXPLANATIONS) -> list[dict[str, Any]]:
        """The rows of a table, by feature: `explanations`, or a scorer's name."""
        return read_rows(self.folder, table)

    def by_feature(self, table: str = EXPLANATIONS) -> dict[int, dict[str, Any]]:
        """The same by number of feature."""
        return {row["feature"]: row for row in self.rows(table)}


def open_explanations(folder: Path | str) -> Explanations:
    """Open a finished folder of explanations; raises `ArtifactError` when it is missing, unfinished or damaged."""
    folder = Path(folder)
    artifact.require_kind(folder, KIND)
    for damage in artifact.damage(folder):
        raise ArtifactError(
            expected=f"the file {damage.path} as it was written", got=damage.reason, do="explain again with --resume"
        )
    return Explanations(folder)


def read_rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """All rows of the parts of a table that lie in a folder."""
    parts = sorted((folder / table).glob("part-*.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def _part(table: str, number: int) -> str:
    return f"{table}/part-{number:05d}.parquet"


def _write(rows: pa.Table, path: Path) -> None:
    pq.write_table(rows, path, compression="zstd", compression_level=1, store_schema=False)


def _checksum(path: Path) -> str | None:
    return artifact.file_checksum(path) if path.exists() else None
