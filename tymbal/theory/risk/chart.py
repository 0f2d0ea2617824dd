"""Pictures of a risk report: shapes in SVG that stretch with the page, words in HTML that do not.

Every picture is rows of a name and a track, or one wide track. Places along a track are percentages of its width, so
that the same markup serves a phone and a desk. Colours come from the report's style sheet.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from tymbal.theory.risk.spread import LEVELS, Spread
from tymbal.theory.risk.words import named, percent

BINS = 72
DECADES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0)


class Axis(NamedTuple):
    """Probabilities along a track, evenly or by their logarithm."""

    low: float
    high: float
    log: bool

    def at(self, value: float) -> float:
        """The place of a value, in percent of the track, kept within it."""
        if self.log:
            share = np.log(max(value, self.low) / self.low) / np.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(100 * float(np.clip(share, 0, 1)), 2)

    def ticks(self) -> list[float]:
        """Values to name below the track."""
        if self.log:
            finer = [step * decade for decade in DECADES for step in (1, 3)]
            wide = self.high / self.low > 300
            return [v for v in (DECADES if wide else finer) if self.low <= v * 1.0001 and v <= self.high * 1.0001]
        step = 10 ** np.floor(np.log10(self.high - self.low))
        step *= next(part for part in (0.2, 0.5, 1.0, 2.0) if (self.high - self.low) / (part * step) <= 6)
        return [round(step * number, 9) for number in range(int(self.high / step) + 1) if step * number >= self.low]


def log_axis(spreads: Iterable[Spread]) -> Axis:
    """From where the distributions begin to where they end."""
    listed = list(spreads)
    return round_axis(
        min(spread.quantile(0.002).value for spread in listed), max(spread.quantile(0.998).value for spread in listed)
    )


def round_axis(low: float, high: float) -> Axis:
    """A logarithmic axis between half decades that holds both values."""
    least = 10 ** (np.floor(2 * np.log10(max(low, DECADES[0]))) / 2)
    most = 10 ** (np.ceil(2 * np.log10(max(high, 10 * least)) - 1e-9) / 2)
    return Axis(float(least), min(float(most), 1.0), True)


def ruler(axis: Axis) -> str:
    """The named values below a track; those at its ends stay within it."""
    marks = []
    for tick in axis.ticks():
        place = axis.at(tick)
        end = ' class="first"' if place < 4 else ' class="final"' if place > 96 else ""
        marks.append(f'<span{end} style="left:{place}%">{percent(tick)}</span>')
    return f'<div class="ruler" aria-hidden="true">{"".join(marks)}</div>'


def grid(axis: Axis) -> str:
    """Thin lines at the named values."""
    return "".join(f'<i class="grid" style="left:{axis.at(tick)}%"></i>' for tick in axis.ticks())


class Layer(NamedTuple):
    """One distribution in a picture of several: its name, and how it is drawn (a class of the style sheet)."""

    name: str
    look: str
    spread: Spread


def density(layers: Sequence[Layer], axis: Axis) -> str:
    """Shares of distributions along an axis; equal areas are equal shares."""
    edges = np.geomspace(axis.low, axis.high, BINS + 1) if axis.log else np.linspace(axis.low, axis.high, BINS + 1)
    shares = [_smooth(layer.spread.histogram(edges)) for layer in layers]
    most = max(float(share.max()) for share in shares) or 1.0
    middles = (np.arange(BINS) + 0.5) * 100 / BINS
    shapes, words = [], []
    for layer, share in zip(layers, shares, strict=True):
        points = " ".join(f"{x:.2f},{100 - 94 * y / most:.2f}" for x, y in zip(middles, share, strict=True))
        shapes.append(f'<polyline class="{layer.look}" points="0,100 {points} 100,100"/>')
        words.append(f'<span class="key {layer.look}">{escape(layer.name)}</span>')
    median = axis.at(layers[0].spread.quantile(0.5).value)
    told = "; ".join(f"{layer.name}: {range_in_words(layer.spread)}" for layer in layers)
    return (
        f'<figure><div class="keys">{"".join(words)}<span class="key median">median</span></div>'
        f'<div class="plot" role="img" aria-label="{escape(told)}">{grid(axis)}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{"".join(shapes)}</svg>'
        f'<i class="median" style="left:{median}%"></i></div>{ruler(axis)}</figure>'
    )


def _smooth(shares: np.ndarray) -> np.ndarray:
    """Over three bins, so that the eye is not caught by noise."""
    return np.convolve(shares, [0.25, 0.5, 0.25], mode="same")


def fan(steps: Sequence[tuple[str, Spread]], axis: Axis) -> str:
    """How a probability spreads from step to step, downwards."""
    quantiles = np.array([[axis.at(spread.quantile(level).value) for level in LEVELS] for _, spread in steps])
    heights = (np.arange(len(steps)) + 0.5) * 100 / len(steps)

    def band(low: int, high: int, look: str) -> str:
        there = [f"{x:.2f},{y:.2f}" for x, y in zip(quantiles[:, low], heights, strict=True)]
        back = [f"{x:.2f},{y:.2f}" for x, y in zip(quantiles[:, high], heights, strict=True)]
        return f'<polygon class="{look}" points="{" ".join(there + back[::-1])}"/>'

    middle = " ".join(f"{x:.2f},{y:.2f}" for x, y in zip(quantiles[:, 2], heights, strict=True))
    names = "".join(f"<li>{escape(named(name))}</li>" for name, _ in steps)
    values = "".join(f"<li>{percent(spread.quantile(0.5).value)}</li>" for _, spread in steps)
    told = "; ".join(f"{named(name)}: {range_in_words(spread)}" for name, spread in steps)
    return (
        f'<figure class="fan" style="--rows:{len(steps)}"><ol class="names">{names}</ol>'
        f'<div class="plot" role="img" aria-label="{escape(told)}">{grid(axis)}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{band(0, 4, "outer")}'
        f'{band(1, 3, "inner")}<polyline class="middle" points="{middle}"/></svg></div>'
        f'<ol class="values" aria-label="medians">{values}</ol>{ruler(axis)}</figure>'
    )


class Row(NamedTuple):
    """A name, what is said beneath it, marks on the track (HTML), and a value at its end."""

    name: str
    note: str
    marks: str
    value: str


def rows(listed: Iterable[Row], axis: Axis | None = None) -> str:
    """Rows of a name and a track."""
    lines = grid(axis) if axis else ""
    body = "".join(
        f'<li><span class="name">{escape(row.name)}<small>{escape(row.note)}</small></span>'
        f'<span class="track">{lines}{row.marks}</span><span class="value">{row.value}</span></li>'
        for row in listed
    )
    last = f'<li class="last"><span class="name"></span>{ruler(axis)}<span class="value"></span></li>' if axis else ""
    return f'<ol class="rows">{body}{last}</ol>'


def stretch(low: float, high: float, look: str) -> str:
    """A bar between two places of a track, in percent."""
    return f'<i class="{look}" style="left:{min(low, high):.2f}%;width:{max(abs(high - low), 0.3):.2f}%"></i>'


def point(place: float, look: str) -> str:
    """A mark at a place of a track, in percent."""
    return f'<i class="{look}" style="left:{place:.2f}%"></i>'


def spread_marks(spread: Spread, axis: Axis) -> str:
    """5 to 95 %, the middle half, and the median."""
    low, quarter, middle, three, high = (axis.at(spread.quantile(level).value) for level in LEVELS)
    return stretch(low, high, "outer") + stretch(quarter, three, "inner") + point(middle, "tick")


def range_in_words(spread: Spread) -> str:
    """5 to 95 % and the median, for those who do not see the picture."""
    low, _, middle, _, high = (percent(spread.quantile(level).value) for level in LEVELS)
    return f"5 to 95 % from {low} to {high}, median {middle}"
