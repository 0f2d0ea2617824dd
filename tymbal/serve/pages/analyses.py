"""The pages of analyses: a list of them, and each with its findings, its picture, and the rows that it rests on."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from tymbal.serve import chart, health
from tymbal.serve.analysed import kind_of, plainly
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.page import Asked, NothingThereError
from tymbal.serve.text import numeral, shade

ROWS = 60
"""lines of an analysis's table that a page shows"""
SHARED = 1.0


class Cell(NamedTuple):
    """One thing in a table: words, or a feature with its words, tinted where it is a share."""

    text: str
    feature: int | None = None
    """a feature of this study's dictionary"""
    number: bool = False
    tint: int = 0
    more: "Sequence[Cell]" = ()
    """further things in the same place, as a chain or a list"""


class Column(NamedTuple):
    """The head of a column."""

    name: str
    number: bool = False


class Table(NamedTuple):
    """Rows ready to be drawn."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


def has_analyses(exhibit: Exhibit) -> bool:
    """Whether any was made."""
    return bool(exhibit.analyses)


def each_analysis(exhibit: Exhibit) -> Iterable[dict[str, str]]:
    """The name of each."""
    return ({"name": name} for name in exhibit.analyses)


def fill_analyses(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """The list."""
    del asked
    return {"analyses": [(name, one, plainly(one)) for name, one in exhibit.analyses.items()]}


def fill_analysis(exhibit: Exhibit, asked: Asked) -> dict[str, Any]:
    """One analysis."""
    name = asked.values.get("name", "")
    analysis = exhibit.analyses.get(name)
    if analysis is None:
        raise NothingThereError(f"There is no analysis {name[:40]}.")
    table = table_of(analysis, len(exhibit.atlas))
    return {
        "analysis": analysis,
        "said": plainly(analysis),
        "findings": health.named(analysis["findings"]),
        "picture": _picture(analysis),
        "table": table,
        "others": max(0, len(analysis["rows"]) - len(table.rows)),
        "names": [other for other in exhibit.analyses if other != name],
    }


def table_of(analysis: Mapping[str, Any], features: int) -> Table:
    """The first rows, in the shape that the kind of analysis asks for."""
    rows, columns = analysis["rows"][:ROWS], [str(column) for column in analysis["columns"]]
    shape = _SHAPES.get(kind_of(analysis), _plain)
    try:
        return shape(rows, columns, features)
    except (IndexError, KeyError, TypeError, ValueError):
        return _plain(rows, columns, features)  # of another version


def _feature(number: Any, name: Any, features: int) -> Cell:
    inside = isinstance(number, int) and 0 <= number < features
    return Cell(str(name), feature=number if inside else None)


def _share(value: Any) -> Cell:
    if value is None:
        return Cell("", number=True)
    return Cell(numeral(float(value)), number=True, tint=shade(float(value), SHARED))


def _universality(rows: Sequence[Any], columns: Sequence[str], features: int) -> Table:
    del columns
    heads = (Column("Feature"), Column("Its counterpart in the other study"), Column("Correlation", True))
    made = [(_feature(row[0], row[1], features), Cell(f"{row[3]} (feature {row[2]})"), _share(row[4])) for row in rows]
    return Table(heads, made)


def _splitting(rows: Sequence[Any], columns: Sequence[str], features: int) -> Table:
    del columns
    heads = (Column("Feature"), Column("What the larger dictionary tells apart"), Column("Covered", True))
    made = []
    for parent, name, covered, children in rows:
        told = [Cell(f"{child[1]} (feature {child[0]})") for child in children]
        made.append((_feature(parent, name, features), Cell("", more=told), _share(covered)))
    return Table(heads, made)


def _automata(rows: Sequence[Any], columns: Sequence[str], features: int) -> Table:
    del columns
    chains = [[_feature(feature, name, features) for feature, name, _ in row[0]] for row in rows]
    return Table((Column("Chain"),), [(Cell("→", more=chain),) for chain in chains])


def _across(rows: Sequence[Any], columns: Sequence[str], features: int) -> Table:
    varieties = columns[4].removeprefix("recall: ").split(", ")
    heads = [Column("Concept"), Column("Its feature"), *(Column(one, True) for one in varieties)]
    heads += [Column("Best token"), *(Column(f"{one} ", True) for one in varieties)]
    made = []
    for concept, feature, name, _, recall, token, _, of_token in rows:
        line = [Cell(str(concept)), _feature(feature, name, features), *(_share(share) for share in recall)]
        made.append((*line, Cell(repr(token)), *(_share(share) for share in of_token)))
    return Table(heads, made)


def _geometry(rows: Sequence[Any], columns: Sequence[str], features: int) -> Table:
    del columns
    heads = (Column("Concept"), Column("Feature"), Column("Across", True), Column("Up", True))
    made = [
        (
            Cell(str(row[0])),
            _feature(row[1], f"feature {row[1]}", features),
            *(Cell(numeral(n), number=True) for n in row[2:4]),
        )
        for row in rows
    ]
    return Table(heads, made)


def _plain(rows: Sequence[Any], columns: Sequence[str], features: int) -> Table:
    del features
    made = [[Cell(numeral(cell) if isinstance(cell, float) else str(cell)) for cell in row] for row in rows]
    return Table([Column(column) for column in columns], made)


_SHAPES = {
    "universality": _universality,
    "splitting": _splitting,
    "automata": _automata,
    "across": _across,
    "geometry": _geometry,
}


def _picture(analysis: Mapping[str, Any]) -> Markup | None:
    kind = kind_of(analysis)
    try:
        if kind == "universality":
            return correlations([float(row[4]) for row in analysis["rows"]])
        if kind == "geometry":
            spots = [
                chart.Spot(str(row[0]).split(".", 1)[-1], float(row[2]), float(row[3])) for row in analysis["rows"]
            ]
            return chart.scatter(spots, describe="The members of the family on their two principal axes")
    except (IndexError, TypeError, ValueError):
        return None
    return None


def correlations(values: Sequence[float]) -> Markup:
    """How many features have a counterpart of which correlation."""
    edges = [number / 20 for number in range(-4, 21)]
    counts = [
        sum(low <= value < high or value == high == 1 for value in values) for low, high in itertools.pairwise(edges)
    ]
    return chart.histogram(
        edges,
        counts,
        describe="Histogram of features by their correlation with their counterpart",
        axis="correlation with the counterpart",
        marks=[0, 4, 14, 24],
        unit="features",
    )
