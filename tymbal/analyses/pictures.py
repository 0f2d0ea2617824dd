"""Pictures of analyses, as SVG."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tymbal.analyses.analysis import Analysis
from tymbal.artifact import write_picture

INK, ACCENT, GREY = "#222222", "#0072b2", "#999999"
_MOST_CONCEPTS = 32
_MOST_NAMES = 40


def draw_shape(analysis: Analysis, path: Path) -> None:
    """A family's points on its two principal axes, named; true numbers, where the truth is one, as shades."""
    figure = Figure(figsize=(5.6, 5.0), layout="constrained")
    axes: Any = figure.subplots()
    names, _, across, up, places = (list(column) for column in zip(*analysis.rows, strict=True))
    if places[0] is not None and len(places[0]) == 1:
        axes.scatter(across, up, c=[place[0] for place in places], cmap="cividis", s=22)
    else:
        axes.scatter(across, up, color=ACCENT, s=22)
    for name, x, y in list(zip(names, across, up, strict=True))[: _MOST_NAMES if len(names) <= _MOST_NAMES else 0]:
        axes.annotate(name, (x, y), xytext=(4, 3), textcoords="offset points", fontsize=8, color=INK)
    axes.set_title(analysis.name, fontsize=10)
    axes.set_xlabel("first principal axis")
    axes.set_ylabel("second principal axis")
    axes.set_aspect("equal", adjustable="datalim")
    _plain(axes)
    write_picture(path, figure)


def draw_across(analysis: Analysis, path: Path) -> None:
    """Recall of each concept's feature in each language, beside that of its best token."""
    rows = list(analysis.rows)[:_MOST_CONCEPTS]
    languages = analysis.columns[4].removeprefix("recall: ").split(", ")
    figure = Figure(figsize=(1.2 * len(languages) + 4.2, 0.24 * len(rows) + 1.4), layout="constrained")
    sides: Any = figure.subplots(1, 2, sharey=True)
    for axes, column, title in ((sides[0], 4, "its feature"), (sides[1], 7, "its best token")):
        table = np.array([[np.nan if share is None else share for share in row[column]] for row in rows])
        axes.imshow(table, vmin=0, vmax=1, cmap="cividis", aspect="auto")
        axes.set_xticks(range(len(languages)), languages)
        axes.set_title(title, fontsize=10)
        for (row, place), share in np.ndenumerate(table):
            if share == share:
                shade = "white" if share < 0.6 else "black"
                axes.text(place, row, f"{share:.2f}", ha="center", va="center", fontsize=7, color=shade)
    sides[0].set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=8)
    figure.suptitle("share of a concept's mentions that are told", fontsize=10)
    write_picture(path, figure)


def draw_correlations(analysis: Analysis, path: Path) -> None:
    """How many features have a counterpart of which correlation."""
    figure = Figure(figsize=(5.2, 3.0), layout="constrained")
    axes: Any = figure.subplots()
    values = [row[analysis.columns.index("correlation")] for row in analysis.rows]
    axes.hist(values, bins=np.linspace(-0.2, 1, 49).tolist(), color=ACCENT)
    chance = analysis.findings["correlation with the counterpart"].baselines["moved along the text"]
    axes.axvline(chance.value, color=GREY, linestyle="--", linewidth=1)
    axes.annotate("by chance", (chance.value, axes.get_ylim()[1]), xytext=(4, -10), textcoords="offset points",
                  fontsize=8, color=GREY)  # fmt: skip
    axes.set_xlabel("correlation with the counterpart, passages that score")
    axes.set_ylabel("features")
    _plain(axes)
    write_picture(path, figure)


def _plain(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
