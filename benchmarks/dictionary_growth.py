"""How the cost of a TopK training step grows over width, features, k and batch, with the screen and without.

One size at a time is changed from width 512, 8,192 features, k 32, batch 4,096. Each cost is in units of one
encoder-sized fp32 `torch.mm` of the same sizes, step and unit in turns; medians of CPU-time ratios. The last column
says how many times as fast the step is with the screen; below 1 the fast path no longer wins.

`--picture PATH` draws the table (SVG).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from dictionary_step import BATCH, FEATURES, WIDTH, K, config_of, planted, stepping
from matplotlib import pyplot
from report import Line, show
from turns import in_turns

BASE = {"width": WIDTH, "features": FEATURES, "k": K, "batch": BATCH}
GRID = {
    "width": (64, 128, 256, 512, 1024, 2048),
    "features": (1024, 2048, 4096, 8192, 16384, 32768),
    "k": (8, 16, 32, 64, 128, 256),
    "batch": (512, 1024, 2048, 4096, 8192),
}
INK, BLUE, GREY = "#1d2b34", "#1f6f8b", "#8a979e"


def child(sizes: dict[str, int]) -> dict[str, float]:
    """Costs of a step at these sizes, in units."""
    torch.manual_seed(0)
    batches = planted(2, width=sizes["width"], batch=sizes["batch"])
    config = config_of("topk", sizes["features"], sizes["k"], sizes["batch"])
    costs = {}
    for name, screened in (("screened", True), ("dense", False)):
        step = stepping(config, batches, screened=screened)
        costs[name] = in_turns(step, batches, sizes["features"])["cpu"]
    return costs


def measured() -> dict[str, list[tuple[int, dict[str, float]]]]:
    """For each size that is changed, its values and the costs there."""
    table = {}
    for name, values in GRID.items():
        rows = []
        for value in values:
            sizes = json.dumps({**BASE, name: value})
            done = subprocess.run(
                [sys.executable, __file__, "--child", sizes], capture_output=True, text=True, check=True
            )
            rows.append((value, json.loads(done.stdout.splitlines()[-1])))
        table[name] = rows
    return table


def draw(table: dict[str, list[tuple[int, dict[str, float]]]], path: Path) -> None:
    """One panel a size; the unit is the dotted line."""
    mpl.rcParams.update({"svg.hashsalt": "tymbal", "font.size": 9, "text.color": INK, "axes.edgecolor": GREY})
    figure, panels = pyplot.subplots(1, len(table), figsize=(11, 2.9), sharey=True, constrained_layout=True)
    for panel, (name, rows) in zip(panels, table.items(), strict=True):
        values = [value for value, _ in rows]
        panel.plot(values, [costs["dense"] for _, costs in rows], color=GREY, marker="o", markersize=3)
        panel.plot(values, [costs["screened"] for _, costs in rows], color=BLUE, marker="o", markersize=3)
        panel.axhline(1, color=INK, linewidth=0.6, linestyle=":")
        panel.set_xscale("log", base=2)
        panel.set_yscale("log", base=2)
        panel.set_xticks(values, [f"{value:,}" for value in values], rotation=45)
        panel.set_yticks([0.5, 1, 2, 4, 8], ["½", "1", "2", "4", "8"])
        panel.minorticks_off()
        panel.set_xlabel(name)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("one step, in dense products")
    last = table["width"][0]
    panels[0].annotate(
        "fp32 throughout", (last[0], last[1]["dense"]), color=GREY, xytext=(4, 6), textcoords="offset points"
    )
    panels[0].annotate(
        "screened", (last[0], last[1]["screened"]), color=BLUE, xytext=(4, -12), textcoords="offset points"
    )
    figure.savefig(path, metadata={"Date": None})


def lines(table: dict[str, list[tuple[int, dict[str, float]]]]) -> list[Line]:
    """The table."""
    rows = []
    for name, found in table.items():
        for value, costs in found:
            what = f"topk step, {name} {value:,}"
            rows.append(Line(name=what, system="tymbal", value=costs["screened"], unit="products, CPU"))
            rows.append(Line(name=f"{what}, no screen", system="tymbal", value=costs["dense"], unit="products, CPU"))
            gain = costs["dense"] / costs["screened"]
            rows.append(Line(name=f"{what}, gain", system="tymbal", value=gain, unit="times"))
    return rows


def options() -> argparse.Namespace:
    """`--json` and `--real` as every script, and `--picture`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    parser.add_argument("--real", type=Path, default=None, help="not used here")
    parser.add_argument("--picture", type=Path, default=None, help="where to draw the table")
    return parser.parse_args()


def main() -> None:
    """Measure, print, draw."""
    if sys.argv[1:2] == ["--child"]:
        sizes: dict[str, Any] = json.loads(sys.argv[2])
        print(json.dumps(child(sizes)))
        return
    asked = options()
    table = measured()
    show(lines(table), as_json=asked.json)
    if asked.picture is not None:
        draw(table, asked.picture)


if __name__ == "__main__":
    main()
