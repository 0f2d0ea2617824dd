"""Pictures, as SVG: a tournament, and two agents on every small Kripke frame."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tymbal.artifact import write_atomically
from tymbal.theory.modal.agent import Agent, game_equations
from tymbal.theory.modal.frames import frames, stubborn
from tymbal.theory.modal.match import Table

COLOURS = {"CC": "#8fd0c2", "DD": "#e5e3dd", "DC": "#f2b98c", "CD": "#b9a7d6"}
MEANING = {"CC": "both cooperate", "DD": "both defect", "DC": "the row exploits", "CD": "the row is exploited"}
COOPERATES, MAY_DEFECT, INK = "#8fd0c2", "#d9683c", "#2b2b2b"
COLUMNS = 53
"""squares in a row of the picture of all 530 frames"""


def draw_tournament(table: Table, path: Path) -> None:
    """Write the outcomes as coloured squares; a star where somebody's action has no proof in plain arithmetic."""
    names = list(table.agents)
    figure = Figure(figsize=(2.6 + 0.62 * len(names), 1.7 + 0.55 * len(names)), layout="constrained")
    axes = figure.subplots()
    for row, left in enumerate(names):
        for column, right in enumerate(names):
            match = table[left, right]
            axes.add_patch(_square(column, row, COLOURS[match.outcome], 0.94))
            star = "*" if any(match.levels) else ""
            axes.text(column, row, match.outcome + star, ha="center", va="center", fontsize=10, color=INK)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    _plain(axes, len(names), len(names))
    axes.xaxis.tick_top()
    keys = [_square(0, 0, colour, 1.0) for colour in COLOURS.values()]
    figure.legend(keys, list(MEANING.values()), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    _save(figure, path)


def draw_frames(agents: list[Agent], path: Path) -> None:
    """Write, for two copies of each agent, which of the 530 frames of at most three worlds let somebody defect."""
    all_frames = [frame for worlds in (1, 2, 3) for frame in frames(worlds)]
    figure = Figure(figsize=(8, 1.65 * len(agents) + 0.5), layout="constrained")
    for axes, agent in zip(figure.subplots(len(agents), squeeze=False)[:, 0], agents, strict=True):
        equations = game_equations({"Alice": agent, "Bob": agent})
        defect = [stubborn(equations, frame) is not None for frame in all_frames]
        for may, colour in ((True, MAY_DEFECT), (False, COOPERATES)):
            places = [divmod(place, COLUMNS) for place, found in enumerate(defect) if found is may]
            squares = (_square(column, row, colour, 0.86) for row, column in places)
            axes.add_collection(PatchCollection(list(squares), match_original=True))
        axes.set_title(
            f"two {agent}s, {agent.source}: may fail to cooperate on {sum(defect)} of {len(defect)} frames",
            loc="left",
            fontsize=10,
            color=INK,
        )
        _plain(axes, COLUMNS, -(-len(defect) // COLUMNS))
        axes.set_xticks([])
        axes.set_yticks([])
    _save(figure, path)


def _square(column: int, row: int, colour: str, size: float) -> Rectangle:
    return Rectangle((column - size / 2, row - size / 2), size, size, color=colour, linewidth=0)


def _plain(axes: Axes, columns: int, rows: int) -> None:
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.tick_params(length=0, labelsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    """The same picture gives the same bytes."""
    with rc_context({"svg.hashsalt": "tymbal", "svg.fonttype": "none"}):
        write_atomically(
            path, lambda file: figure.savefig(file, format="svg", metadata={"Date": None}, facecolor="white")
        )
