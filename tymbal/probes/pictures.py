"""Pictures of probe results as SVG: score by layer, transfer from data set to data set, true and predicted places."""

from pathlib import Path
from typing import Any

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from tymbal.artifact import write_picture
from tymbal.dictionaries import Number
from tymbal.probes.probing import ProbeReport
from tymbal.probes.result import TransferMatrix

_LINES = {
    "control task": ("control_task", "#d55e00", "--"),
    "untrained model": ("untrained", "#0072b2", "--"),
    "bag of tokens": ("bag_of_tokens", "#009e73", ":"),
    "position": ("position", "#999999", ":"),
}
"""Controls with a colour that also the colour-blind can tell apart (Okabe & Ito 2008) and a dash."""


def draw_scores(report: ProbeReport, path: Path) -> None:
    """Score by site with its interval, beside the controls."""
    figure, axes = _figure(6.4, 3.6)
    places = range(len(report.results))
    _line(axes, places, [_as_number(result.score) for result in report.results], report.best.reader, "#000000", "-")
    for name, (field, colour, dash) in _LINES.items():
        _line(axes, places, [getattr(result.controls, field) for result in report.results], name, colour, dash)
    axes.axhline(report.best.controls.chance, color="#cccccc", linewidth=0.8)
    axes.set_xticks(list(places), [result.site for result in report.results], rotation=30, ha="right")
    axes.set_ylabel(f"{report.best.score.unit} on held-out groups")
    axes.set_title(f"{report.concept} in {report.model_name}")
    low = min(result.controls.chance for result in report.results)
    axes.set_ylim(bottom=min(low, axes.get_ylim()[0] if axes.get_ylim()[0] > low - 0.5 else low - 0.5))
    axes.legend(frameon=False, fontsize="small")
    write_picture(path, figure)


def draw_transfer(matrix: TransferMatrix, title: str, path: Path) -> None:
    """The transfer matrix as a heat map with its numbers."""
    size = 1.6 + 0.5 * len(matrix.names)
    figure, axes = _figure(size + 1, size)
    values = [[number.value for number in row] for row in matrix.scores]
    axes.imshow(values, vmin=0, vmax=1, cmap="cividis")
    for row, numbers in enumerate(values):
        for column, value in enumerate(numbers):
            if value == value:
                axes.text(
                    column, row, f"{value:.2f}", ha="center", va="center", fontsize=7,
                    color="white" if value < 0.6 else "black",
                )  # fmt: skip
    axes.set_xticks(range(len(matrix.names)), matrix.names, rotation=45, ha="right", fontsize="small")
    axes.set_yticks(range(len(matrix.names)), matrix.names, fontsize="small")
    axes.set_xlabel("judged by")
    axes.set_ylabel("fitted to")
    axes.set_title(title, fontsize="medium")
    write_picture(path, figure)


def draw_map(
    true: Float[Tensor, "place 2"], predicted: Float[Tensor, "place 2"], labels: tuple[str, str], title: str, path: Path
) -> None:
    """True places beside where the probe puts them, in the same colours; the columns are across and up."""
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    sides: Any = figure.subplots(1, 2, sharex=True, sharey=True)
    colours = _by_place(true)
    for axes, points, name in zip(sides, (true, predicted), ("true", "predicted, held out"), strict=True):
        axes.scatter(*points.T.tolist(), c=colours, s=8, linewidths=0)
        axes.set_title(name)
        axes.set_xlabel(labels[0])
    sides[0].set_ylabel(labels[1])
    low, high = true.amin(0), true.amax(0)
    edge = (high - low) / 10
    sides[0].set_xlim(float((low - edge)[0]), float((high + edge)[0]))
    sides[0].set_ylim(float((low - edge)[1]), float((high + edge)[1]))
    figure.suptitle(title)
    write_picture(path, figure)


def _by_place(true: Tensor) -> list[tuple[float, float, float]]:
    """A colour for each place: red grows across, blue up."""
    low, high = true.amin(0), true.amax(0)
    share = (true - low) / (high - low).clamp(min=1e-9)
    return [(float(across), 0.35, float(up)) for across, up in share]


def _as_number(finding: Any) -> Number:
    return Number(value=finding.value, low=finding.low, high=finding.high)


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _line(axes: Any, places: range, numbers: list[Number], name: str, colour: str, dash: str) -> None:
    axes.plot(places, [number.value for number in numbers], dash, color=colour, label=name, marker=".")
    axes.fill_between(
        places,
        [number.low for number in numbers],
        [number.high for number in numbers],
        color=colour,
        alpha=0.12,
        linewidth=0,
    )
