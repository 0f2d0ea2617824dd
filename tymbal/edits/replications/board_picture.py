"""An Othello board as SVG: the discs, the legal moves, and how likely a model holds each square for the next move."""

from pathlib import Path
from typing import Any, NamedTuple

from jaxtyping import Bool, Float, Int
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from tymbal.artifact import write_picture
from tymbal.corpora.othello import NAMES

SIDE = 6
_FACES = {1: "#333333", 2: "#ffffff"}


class Panel(NamedTuple):
    """One board."""

    title: str
    contents: Int[Tensor, " square"]
    """0 nothing, 1 mine (drawn dark), 2 yours (light)"""
    legal: Bool[Tensor, " square"]
    chances: Float[Tensor, " square"]
    """the model's probability of each square"""


def draw_boards(panels: list[Panel], turned: int, title: str, path: Path) -> None:
    """Boards side by side; the disc that was turned has a red rim, legal moves are framed."""
    figure = Figure(figsize=(3.1 * len(panels), 3.6), layout="constrained")
    places: Any = figure.subplots(1, len(panels), squeeze=False)
    most = max(float(panel.chances.max()) for panel in panels)
    for axes, panel in zip(places[0], panels, strict=True):
        _draw(axes, panel, turned, most)
    figure.suptitle(title, fontsize="medium")
    write_picture(path, figure)


def _draw(axes: Any, panel: Panel, turned: int, most: float) -> None:
    for square in range(SIDE * SIDE):
        row, column = divmod(square, SIDE)
        chance = float(panel.chances[square])
        axes.add_patch(
            Rectangle((column, row), 1, 1, facecolor=_shade(chance / most), edgecolor="#bbbbbb", linewidth=0.6)
        )
        content = int(panel.contents[square])
        if content:
            rim = ("#d55e00", 2.5) if square == turned else ("#333333", 0.8)
            face = _FACES[content]
            axes.add_patch(Circle((column + 0.5, row + 0.5), 0.36, facecolor=face, edgecolor=rim[0], linewidth=rim[1]))
        elif chance >= 0.005:
            axes.text(column + 0.5, row + 0.5, f"{chance:.0%}", ha="center", va="center", fontsize=7)
        if bool(panel.legal[square]):
            axes.add_patch(
                Rectangle((column + 0.06, row + 0.06), 0.88, 0.88, fill=False, edgecolor="#0072b2", linewidth=1.5)
            )
    axes.set(xlim=(0, SIDE), ylim=(SIDE, 0), aspect="equal")
    axes.set_xticks([column + 0.5 for column in range(SIDE)], [name[0] for name in NAMES[:SIDE]])
    axes.set_yticks([row + 0.5 for row in range(SIDE)], [name[1] for name in NAMES[::SIDE]])
    axes.tick_params(length=0)
    axes.set_title(panel.title, fontsize="small")


def _shade(share: float) -> tuple[float, float, float]:
    """White for 0, the deeper green the likelier."""
    return (1 - 0.75 * share, 1 - 0.3 * share, 1 - 0.65 * share)
