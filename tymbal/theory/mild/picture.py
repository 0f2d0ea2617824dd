"""A picture of a worst case: what the policy does with the base, and what the adversary does with the utility."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tymbal.artifact import write_atomically
from tymbal.theory.mild.maximin import Maximin

INK, QUIET, PALE, ACCENT, PAPER = "#1e1c19", "#8b857b", "#d8d2c7", "#9a3b07", "#fcfbf8"
SHOWN = 24
"""Actions in a picture: those of highest utility."""


def draw(
    path: Path,
    names: Sequence[str],
    base: Float[np.ndarray, " action"],
    utility: Float[np.ndarray, " action"],
    found: Maximin,
) -> None:
    """Write the picture as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = np.argsort(-utility, kind="stable")[:SHOWN][::-1]
    place = np.arange(len(shown))
    with mpl.rc_context({"font.family": "sans-serif", "font.size": 10, "svg.hashsalt": "tymbal", "text.color": INK}):
        figure = Figure(figsize=(8.5, 1.6 + 0.42 * len(shown)), facecolor=PAPER, layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        left.barh(place + 0.18, base[shown], 0.3, color=PALE, label="base")
        left.barh(place - 0.18, found.policy[shown], 0.3, color=ACCENT, label="policy")
        left.set_yticks(place, [names[number] for number in shown])
        left.set_title("what it does", loc="left", fontsize=11)
        left.set_xlabel("probability")
        right.hlines(place, found.adversary[shown], utility[shown], color=PALE, linewidth=2)
        right.plot(utility[shown], place, "o", color=QUIET, mfc=PAPER, label="utility as given")
        right.plot(found.adversary[shown], place, "o", color=ACCENT, label="the adversary’s")
        right.axvline(found.value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        right.set_title("what it is promised at the worst", loc="left", fontsize=11)
        right.set_xlabel(f"utility; dashed: the value, {found.value:.4g}")
        for axes in (left, right):
            axes.set_facecolor(PAPER)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.spines["bottom"].set_color(QUIET)
            axes.tick_params(length=0, colors=INK)
            axes.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        write_atomically(
            path,
            lambda temporary: figure.savefig(
                temporary, format="svg", metadata={"Date": None}, facecolor=PAPER, bbox_inches="tight", pad_inches=0.15
            ),
        )
