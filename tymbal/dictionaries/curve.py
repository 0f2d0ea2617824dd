"""The loss curve of a training run, as a table and as a picture."""

from collections.abc import Sequence
from pathlib import Path

from tymbal import artifact
from tymbal.dictionaries.trainer import Progressed

CURVE = "training.json"
POINTS = 500
"""A curve has about this many points."""


def write_curve(folder: Path, points: Sequence[Progressed]) -> None:
    """Write `training.json`: one column for each of step, loss, fvu, l0, dead and sparsity."""
    columns = {name: [getattr(point, name) for point in points] for name in Progressed._fields}
    artifact.write_json(folder / CURVE, columns)


def draw_curve(folder: Path | str, picture: Path | str) -> None:
    """Draw the loss curve of the dictionary in `folder` as an SVG; the same curve gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    curve = artifact.read_json(Path(folder) / CURVE)
    with mpl.rc_context({"svg.hashsalt": "tymbal"}):
        figure = Figure(figsize=(8, 6), layout="constrained")
        panels = figure.subplots(3, 1, sharex=True)
        for panel, name, label in zip(
            panels,
            ("fvu", "l0", "dead"),
            ("variance unexplained (share)", "active features a token", "dead features"),
            strict=True,
        ):
            panel.plot(curve["step"], curve[name], color="#1f4e79", linewidth=1)
            panel.set_ylabel(label)
            panel.set_ylim(bottom=0)
            panel.grid(alpha=0.3)
        panels[-1].set_xlabel("step")
        artifact.write_atomically(
            Path(picture), lambda place: figure.savefig(place, format="svg", metadata={"Date": None})
        )
