"""The picture of `quality.py`: each bed's frontier, features a token against variance unexplained."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter
from systems import OURS, PEERS

from tymbal import artifact

if TYPE_CHECKING:
    from quality import Result

MARKERS = {"topk": "o", "batch_topk": "s", "matryoshka": "D", "jumprelu": "^", "gated": "v", "relu": "P"}
COLOURS = dict(zip((OURS, *PEERS), ("#a13d0c", "#4c6a92", "#6b8f71", "#8a8a8a"), strict=True))
INK = "#1d2b34"


def draw(results: "Sequence[Result]", file: Path) -> None:
    """One panel a bed; dictionaries of one system and kind are joined by a line."""
    beds = list(dict.fromkeys(each.bed for each in results))
    with mpl.rc_context({"svg.hashsalt": "tymbal", "font.size": 9, "text.color": INK}):
        figure = Figure(figsize=(1.5 + 3.6 * len(beds), 3.8), layout="constrained")
        panels = figure.subplots(1, len(beds), squeeze=False)[0]
        for panel, bed in zip(panels, beds, strict=True):
            for system in reversed(COLOURS):
                for kind, marker in MARKERS.items():
                    points = sorted(
                        (each.l0, each.unexplained)
                        for each in results
                        if (each.bed, each.system, each.kind) == (bed, system, kind) and each.comparable
                    )
                    if points:
                        l0, unexplained = zip(*points, strict=True)
                        panel.plot(l0, unexplained, marker=marker, ms=5, lw=0.8, color=COLOURS[system])
            panel.set(title=bed, xlabel="features a token", xscale="log", yscale="log")
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(MaxNLocator(5))
                axis.set_major_formatter(StrMethodFormatter("{x:g}"))
                axis.set_minor_locator(NullLocator())
            panel.spines[["top", "right"]].set_visible(False)
        panels[0].set_ylabel("variance unexplained, 0 is perfect")
        handles = [Line2D([], [], lw=3, color=colour, label=name) for name, colour in COLOURS.items()]
        handles += [Line2D([], [], marker=shape, ls="", color=INK, label=kind) for kind, shape in MARKERS.items()]
        figure.legend(handles=handles, frameon=False, fontsize=8, loc="outside right center")
        artifact.write_atomically(file, lambda place: figure.savefig(place, format="svg", metadata={"Date": None}))
