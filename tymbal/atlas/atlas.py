"""Reading an atlas: its Parquet tables through DuckDB, a page at a time.

1. `open_atlas` checks the manifest and the tables' checksums.
2. Every question is an SQL query; only the rows asked for become Python objects. The columns of a list of features are
   held by DuckDB (some 100 bytes a feature); all else stays in the files, of which a page touches one a table.
3. Each call takes its own cursor, so that threads may share one `Atlas`.
"""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tymbal import artifact
from tymbal.atlas.config import ROLES
from tymbal.atlas.pages import (
    Cluster,
    Example,
    FeatureFilter,
    FeaturePage,
    FeatureRow,
    FeatureText,
    MapPoint,
    Neighbour,
    TokenWeight,
)
from tymbal.atlas.tables import EXAMPLES, FEATURES, NEIGHBOURS, OVERVIEW, PART, part_path, part_paths
from tymbal.errors import ArtifactError

KIND = "atlas"
ROW_COLUMNS = tuple(FeatureRow.__dataclass_fields__)
PAGE_COLUMNS = (
    "quantile_edges",
    "histogram",
    "promoted",
    "promoted_weights",
    "suppressed",
    "suppressed_weights",
    "concept_precision",
    "concept_recall",
)
EXPLANATION_COLUMNS = ("explanation", "explanation_auroc", "explanation_correlation")
_EXPLAINED_AS = ("VARCHAR", "DOUBLE", "DOUBLE")
STORED_COLUMNS = tuple(column for column in ROW_COLUMNS if column not in EXPLANATION_COLUMNS)
ORDERS = tuple(column for column in ROW_COLUMNS if column != "top_tokens")


def open_atlas(folder: Path | str) -> "Atlas":
    """Open a finished atlas; raises `ArtifactError` when it is missing, unfinished or damaged."""
    folder = Path(folder)
    artifact.require_kind(folder, KIND)
    for damage in artifact.damage(folder):
        raise ArtifactError(
            expected=f"the table {damage.path} as it was written", got=damage.reason, do="index again with --resume"
        )
    return Atlas(folder)


class Atlas:
    """The index of a dictionary's features, read only; use `open_atlas`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._overview: dict[str, Any] = artifact.read_json(folder / OVERVIEW)
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "autoinstall_known_extensions": False})
        self._connection.execute("SET parquet_metadata_cache = true")
        unsaid = (f"NULL::{kind} AS {name}" for name, kind in zip(EXPLANATION_COLUMNS, _EXPLAINED_AS, strict=True))
        columns = ", ".join((*STORED_COLUMNS, *unsaid))
        with self._readable():
            listed = f"SELECT {columns} FROM {self._whole(FEATURES)} ORDER BY feature"
            self._connection.execute(f"CREATE TABLE listed AS {listed}")
        self._clusters = [Cluster(**cluster) for cluster in self._overview["clusters"]]

    def __len__(self) -> int:
        """Number of features, the dead ones included."""
        return int(self._overview["features"])

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def explain(self, rows: Iterable[tuple[int, str, float | None, float | None]]) -> None:
        """Put explanations beside the features (number, words, AUROC, correlation), to be listed, searched and sorted.

        To be called before the atlas is shared among threads.
        """
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        types = (pa.int32(), pa.string(), pa.float64(), pa.float64())
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        said = pa.table(arrays, names=["feature", *EXPLANATION_COLUMNS])
        self._connection.register("said", said)
        replaced = ", ".join(f"said.{column} AS {column}" for column in EXPLANATION_COLUMNS)
        query = f"SELECT listed.* REPLACE ({replaced}) FROM listed LEFT JOIN said USING (feature) ORDER BY feature"
        self._connection.execute(f"CREATE OR REPLACE TABLE listed AS {query}")
        self._connection.unregister("said")

    def overview(self) -> dict[str, Any]:
        """Health of the dictionary and provenance, as `overview.json` has it."""
        return self._overview

    def clusters(self) -> list[Cluster]:
        """The map's clusters, largest first."""
        return self._clusters

    def features(
        self,
        where: FeatureFilter | None = None,
        *,
        order: str = "feature",
        descending: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> list[FeatureRow]:
        """List features; ties keep the features' own order, and what has no value comes last.

        Raises `ValueError` for an unknown column, or a negative limit or offset.
        """
        if order not in ORDERS:
            raise ValueError(f"order must be one of {', '.join(ORDERS)}, not {order!r}")
        if limit < 0 or offset < 0:
            raise ValueError(f"limit and offset must be at least 0, not {limit} and {offset}")
        condition, values = self._condition(where or FeatureFilter())
        query = (
            f"SELECT {', '.join(ROW_COLUMNS)} FROM listed WHERE {condition} "
            f"ORDER BY {order} {'DESC' if descending else 'ASC'} NULLS LAST, feature LIMIT ? OFFSET ?"
        )
        rows = self._rows(query, [*values, limit, offset])
        return [FeatureRow(**dict(zip(ROW_COLUMNS, row, strict=True))) for row in rows]

    def rows(self, features: Iterable[int]) -> dict[int, FeatureRow]:
        """The lines of these features, by number; raises `ValueError` for one that does not exist."""
        wanted = sorted({int(feature) for feature in features})
        if wanted and not 0 <= wanted[0] <= wanted[-1] < len(self):
            raise ValueError(f"features must be from 0 to {len(self) - 1}, not {wanted[0]} to {wanted[-1]}")
        query = f"SELECT {', '.join(ROW_COLUMNS)} FROM listed WHERE feature IN (SELECT unnest(?::INTEGER[]))"
        rows = (FeatureRow(**dict(zip(ROW_COLUMNS, row, strict=True))) for row in self._rows(query, [wanted]))
        return {row.feature: row for row in rows}

    def texts(self) -> Iterator[FeatureText]:
        """What is known of each feature in words, in the features' order, a part of the table at a time."""
        columns = ", ".join(FeatureText._fields)
        for part in part_paths(FEATURES, len(self)):
            query = f"SELECT {columns} FROM {self._parquet([part])} ORDER BY feature"
            yield from (FeatureText(*row) for row in self._rows(query, []))

    def count(self, where: FeatureFilter | None = None) -> int:
        """How many features `features` would list without a limit."""
        condition, values = self._condition(where or FeatureFilter())
        return self._rows(f"SELECT count(*) FROM listed WHERE {condition}", values)[0][0]

    def feature(self, feature: int) -> FeaturePage:
        """A feature's page, but for its examples; raises `ValueError` when there is no such feature."""
        return self.feature_pages(feature, feature + 1)[0]

    def feature_pages(self, begin: int, end: int) -> list[FeaturePage]:
        """The pages of the features from `begin` to before `end`: many at once cost little more than one.

        Raises `ValueError` where not all of them exist.
        """
        parts = self._parts(FEATURES, begin, end)
        columns = STORED_COLUMNS + PAGE_COLUMNS
        query = f"SELECT {', '.join(columns)} FROM {parts} WHERE feature >= ? AND feature < ? ORDER BY feature"
        rows = [dict(zip(columns, row, strict=True)) for row in self._rows(query, [begin, end])]
        said = (
            f"SELECT {', '.join(EXPLANATION_COLUMNS)} FROM listed WHERE feature >= ? AND feature < ? ORDER BY feature"
        )
        for row, words in zip(rows, self._rows(said, [begin, end]), strict=True):
            row |= dict(zip(EXPLANATION_COLUMNS, words, strict=True))
        neighbours = self._neighbours(begin, end)
        return [self._page(row, neighbours[row["feature"]]) for row in rows]

    def _page(self, row: dict[str, Any], neighbours: dict[str, list[Neighbour]]) -> FeaturePage:
        return FeaturePage(
            **{name: row[name] for name in ROW_COLUMNS},
            quantile_edges=row["quantile_edges"],
            histogram=row["histogram"],
            promoted=_weights(row["promoted"], row["promoted_weights"]),
            suppressed=_weights(row["suppressed"], row["suppressed_weights"]),
            by_cosine=neighbours["cosine"],
            by_coactivation=neighbours["coactivation"],
            cluster_label=self._cluster_label(row["cluster"]),
            concept_precision=row["concept_precision"],
            concept_recall=row["concept_recall"],
        )

    def examples(self, feature: int, role: str = "show") -> list[Example]:
        """A feature's examples from passages of one role: the top ones by activation, then the sampled by interval.

        Raises `ValueError` when there is no such feature or role.
        """
        return self.examples_of(feature, feature + 1, role)[0]

    def examples_of(self, begin: int, end: int, role: str = "show") -> list[list[Example]]:
        """The same of the features from `begin` to before `end`; raises `ValueError` where not all of them exist."""
        if role not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}, not {role!r}")
        query = (
            f"SELECT feature, {', '.join(Example._fields)} FROM {self._parts(EXAMPLES, begin, end)} WHERE feature >= ? "
            "AND feature < ? AND role = ? ORDER BY feature, kind = 'quantile', quantile DESC, rank"
        )
        found: list[list[Example]] = [[] for _ in range(begin, end)]
        for feature, *rest in self._rows(query, [begin, end, role]):
            found[feature - begin].append(Example(*rest))
        return found

    def map(self) -> list[MapPoint]:
        """Each living feature's place on the map, in the features' order."""
        query = f"SELECT {', '.join(MapPoint._fields)} FROM listed WHERE x IS NOT NULL ORDER BY feature"
        return [MapPoint(*row) for row in self._rows(query, [])]

    def concepts(self) -> list[str]:
        """The annotated concepts that are some feature's best, in order of name."""
        query = "SELECT DISTINCT concept FROM listed WHERE concept IS NOT NULL ORDER BY concept"
        return [row[0] for row in self._rows(query, [])]

    def _neighbours(self, begin: int, end: int) -> dict[int, dict[str, list[Neighbour]]]:
        query = (
            "WITH near AS MATERIALIZED (SELECT feature AS of, kind, rank, neighbour, value "
            f"FROM {self._parts(NEIGHBOURS, begin, end)} WHERE feature >= ? AND feature < ?) "
            "SELECT of, kind, neighbour, value, label, density FROM near JOIN listed "
            "ON listed.feature = near.neighbour ORDER BY of, kind, rank"
        )
        found: dict[int, dict[str, list[Neighbour]]] = {
            feature: {"cosine": [], "coactivation": []} for feature in range(begin, end)
        }
        for feature, kind, *rest in self._rows(query, [begin, end]):
            found[feature][kind].append(Neighbour(*rest))
        return found

    def _condition(self, where: FeatureFilter) -> tuple[str, list[Any]]:
        """SQL that keeps what the filter keeps, and the values of its question marks."""
        parts: list[str] = []
        values: list[Any] = []
        comparisons = {"min_density": "density >= ?", "max_density": "density <= ?"}
        comparisons |= {name: f"{name} = ?" for name in ("dead", "concept", "cluster")}
        for name, sql in comparisons.items():
            if getattr(where, name) is not None:
                parts.append(sql)
                values.append(getattr(where, name))
        if where.search:
            columns = ("label", "array_to_string(top_tokens, ' ')", "coalesce(concept, '')", "text")
            found = " OR ".join(f"contains(lower({column}), ?)" for column in columns)
            in_words = "contains(lower(coalesce(explanation, '')), ?)"
            parts.append(f"(feature IN (SELECT feature FROM {self._whole(FEATURES)} WHERE {found}) OR {in_words})")
            values += [where.search.lower()] * (len(columns) + 1)
        return " AND ".join(parts) or "true", values

    def _cluster_label(self, cluster: int | None) -> str | None:
        return next((entry.label for entry in self._clusters if entry.cluster == cluster), None)

    def _parts(self, table: str, begin: int, end: int) -> str:
        """The parts of a table that hold these features, as SQL."""
        if not 0 <= begin < end <= len(self):
            asked = begin if end == begin + 1 else f"{begin} to {end - 1}"
            raise ValueError(f"feature must be from 0 to {len(self) - 1}, not {asked}")
        return self._parquet([part_path(table, part) for part in range(begin // PART, (end - 1) // PART + 1)])

    def _whole(self, table: str) -> str:
        """All parts of a table, as SQL."""
        return self._parquet(part_paths(table, len(self)))

    def _parquet(self, paths: list[str]) -> str:
        quoted = (str(self.folder / path).replace("'", "''") for path in paths)
        return "read_parquet([" + ", ".join(f"'{path}'" for path in quoted) + "])"

    def _rows(self, query: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with self._readable(), self._connection.cursor() as cursor:
            return cursor.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise ArtifactError(
                expected=f"readable tables in {self.folder}",
                got=str(error).splitlines()[0],
                do="index again with --resume",
            ) from error


def _weights(tokens: list[str] | None, weights: list[float] | None) -> list[TokenWeight] | None:
    if tokens is None or weights is None:
        return None
    return [TokenWeight(token, weight) for token, weight in zip(tokens, weights, strict=True)]
