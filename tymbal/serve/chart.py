"""Small charts as inline SVG, drawn on the server: the same in the live app and in the export, and without a script.

Sizes are in units of a 360-wide view box, so that text stays legible when a chart shrinks to the width of a phone.
Colours come from app.css by class (`bar`, `axis`, `rule`), hence light and dark follow the reader's setting.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from tymbal.serve.text import Number, clipped, tick

WIDTH = 360
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 16, 34


def histogram(
    edges: Sequence[Number],
    counts: Sequence[Number],
    *,
    describe: str,
    axis: str,
    write: Callable[[Number], str] = tick,
    marks: Sequence[int] = (),
    unit: str = "tokens",
    height: int = 150,
) -> Markup:
    """Bars over `edges` (one more than `counts`), each naming its range and count on hover.

    `describe` is the sentence a screen reader hears, `axis` the caption under the axis, `write` puts an edge into
    words, and `marks` are the edges to be written under the axis (five of them unless told).
    Bars are of equal width even where bins are not, so edges that grow by a factor read as a logarithmic axis.
    """
    if len(edges) != len(counts) + 1:
        raise ValueError(f"expected {len(counts) + 1} edges for {len(counts)} counts; got {len(edges)}")
    tallest = max([*counts, 0]) or 1
    step = (WIDTH - LEFT - RIGHT) / max(len(counts), 1)
    room = height - TOP - BOTTOM
    bars = []
    for index, count in enumerate(counts):
        tall = max(room * count / tallest, 1.0 if count else 0.0)
        words = f"{write(edges[index])} to {write(edges[index + 1])}: {count:,.0f} {unit}"
        bars.append(
            f'<g><title>{escape(words)}</title><rect class="reach" x="{LEFT + index * step:.1f}" y="{TOP}" '
            f'width="{step:.1f}" height="{room}"/><rect class="bar" x="{LEFT + index * step + 0.5:.1f}" '
            f'y="{TOP + room - tall:.1f}" width="{max(step - 1, 0.5):.1f}" height="{tall:.1f}"/></g>'
        )
    last = len(edges) - 1
    chosen = list(marks) or sorted({round(last * part / 4) for part in range(5)})
    written = {index: write(edges[index]) for index in chosen}
    inside = "".join(bars) + _axis(written, last, step, height, axis) + _crest(counts, step, unit)
    return _framed(inside, describe, height)


def _crest(counts: Sequence[Number], step: float, unit: str) -> str:
    """The count of the tallest bar, written above it: the only number the vertical direction needs."""
    if not counts or not max(counts):
        return ""
    place = LEFT + (counts.index(max(counts)) + 0.5) * step
    anchor = "start" if place < 60 else "end" if place > WIDTH - 60 else "middle"
    return f'<text class="crest" x="{place:.1f}" y="11" text-anchor="{anchor}">{max(counts):,.0f} {escape(unit)}</text>'


def _axis(written: Mapping[int, str], last: int, step: float, height: int, axis: str) -> str:
    base = height - BOTTOM
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>']
    for index, words in written.items():
        anchor = "start" if index == 0 else "end" if index == last else "middle"
        parts.append(
            f'<text x="{LEFT + index * step:.1f}" y="{base + 13}" text-anchor="{anchor}">{escape(words)}</text>'
        )
    parts.append(f'<text class="caption" x="{WIDTH / 2}" y="{base + 28}" text-anchor="middle">{escape(axis)}</text>')
    return "".join(parts)


def interval(
    value: Number, low: Number | None, high: Number | None, baselines: Sequence[Number], *, describe: str
) -> Markup:
    """A number between 0 and 1 on a line: a dot with its interval, and a hollow mark for each baseline."""
    width, middle, height = 160, 9, 18

    def place(number: Number) -> float:
        return 6 + (width - 12) * min(max(number, 0), 1)

    parts = [f'<line class="rule" x1="6" x2="{width - 6}" y1="{middle}" y2="{middle}"/>']
    parts += [f'<circle class="hollow" cx="{place(mark):.1f}" cy="{middle}" r="3.5"/>' for mark in baselines]
    if low is not None and high is not None:
        parts.append(
            f'<line class="whisker" x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{middle}" y2="{middle}"/>'
        )
    parts.append(f'<circle class="dot" cx="{place(value):.1f}" cy="{middle}" r="3.5"/>')
    return _framed("".join(parts), describe, height, width, "interval")


class Point(NamedTuple):
    """A number with its interval and baselines."""

    name: str
    """under the axis"""
    value: float
    low: float
    high: float
    baselines: Sequence[float]


def shares(points: Sequence[Point], *, describe: str, axis: str = "", height: int = 190) -> Markup:
    """Shares from 0 to 1, side by side: a dot with its interval, and a hollow mark for each baseline."""
    left, base, top = 34, height - BOTTOM, 10

    def tall(share: Number) -> float:
        return float(base - (base - top) * share)

    parts = [
        f'<line class="rule" x1="{left}" x2="{WIDTH - RIGHT}" y1="{tall(share):.1f}" y2="{tall(share):.1f}"/>'
        f'<text x="{left - 5}" y="{tall(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.5, 1)
    ]
    parts += _points(points, "{:.0%}", tall, left, base, axis)
    return _framed("".join(parts), describe, height)


def changes(points: Sequence[Point], *, describe: str, axis: str = "", height: int = 170) -> Markup:
    """Numbers of either sign around a line at zero: a dot with its interval, and a hollow mark for each baseline."""
    left, base, top = 44, height - BOTTOM, 12
    every = [number for point in points for number in (point.value, point.low, point.high, *point.baselines)]
    low, high = min([*every, 0.0]), max([*every, 0.0])
    span = (high - low) or 1.0

    def tall(number: Number) -> float:
        return float(base - (base - top) * (number - low) / span)

    parts = [
        f'<line class="{"axis" if number == 0 else "rule"}" x1="{left}" x2="{WIDTH - RIGHT}" y1="{tall(number):.1f}" '
        f'y2="{tall(number):.1f}"/><text x="{left - 5}" y="{tall(number) + 4:.1f}" text-anchor="end">'
        f"{escape(tick(float(f'{number:.2g}')))}</text>"
        for number in dict.fromkeys((low, 0.0, high))
        if number == 0 or abs(tall(number) - tall(0)) > 12
    ]
    parts += _points(points, "{:.3g}", tall, left, base, axis)
    return _framed("".join(parts), describe, height)


def _points(
    points: Sequence[Point], form: str, tall: Callable[[Number], float], left: int, base: int, axis: str
) -> Iterator[str]:
    """A dot with its interval, and a hollow mark for each baseline, side by side over their names; then the axis' name.

    `form` writes a number, `tall` says how high it lies.
    """
    step = (WIDTH - left - RIGHT) / max(len(points), 1)
    for number, point in enumerate(points):
        x = left + (number + 0.5) * step
        value, low, high = (form.format(one) for one in (point.value, point.low, point.high))
        yield f"<g><title>{escape(f'{point.name}: {value}, interval {low} to {high}')}</title>"
        for mark in point.baselines:
            yield f'<circle class="hollow" cx="{x:.1f}" cy="{tall(mark):.1f}" r="3.5"/>'
        ends = f'y1="{tall(point.low):.1f}" y2="{tall(point.high):.1f}"'
        yield f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" {ends}/>'
        yield f'<circle class="dot" cx="{x:.1f}" cy="{tall(point.value):.1f}" r="4"/></g>'
        yield f'<text x="{x:.1f}" y="{base + 13}" text-anchor="middle">{escape(point.name)}</text>'
    yield f'<text class="caption" x="{WIDTH / 2}" y="{base + 28}" text-anchor="middle">{escape(axis)}</text>'


class Spot(NamedTuple):
    """A named place in the plane."""

    name: str
    x: float
    y: float


def scatter(spots: Sequence[Spot], *, describe: str) -> Markup:
    """Named places in the plane, one scale for both directions."""
    height, margin, most_names = 320, 24, 40
    xs, ys = [spot.x for spot in spots], [spot.y for spot in spots]
    left, bottom = min(xs, default=0.0), min(ys, default=0.0)
    span = max(max(xs, default=1.0) - left, max(ys, default=1.0) - bottom) or 1.0
    room = height - 2 * margin
    parts = []
    for spot in spots:
        x = (WIDTH - room) / 2 + room * (spot.x - left) / span
        y = height - margin - room * (spot.y - bottom) / span
        name = escape(clipped(spot.name, 40))
        parts.append(f'<g><title>{name}</title><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/></g>')
        if len(spots) <= most_names:
            anchor, shift = ("end", -6) if x > WIDTH * 0.7 else ("start", 6)
            parts.append(f'<text x="{x + shift:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{name}</text>')
    return _framed("".join(parts), describe, height)


def signed(value: Number, most: Number) -> Markup:
    """A bar to the right of a middle line for a positive number, to the left for a negative; `most` fills a side."""
    width, middle, height = 120, 60, 12
    long = (middle - 2) * min(abs(value) / most, 1) if most > 0 else 0
    left = middle if value >= 0 else middle - long
    side = "bar" if value >= 0 else "bar against"
    inside = (
        f'<line class="rule" x1="{middle}" x2="{middle}" y1="0" y2="{height}"/>'
        f'<rect class="{side}" x="{left:.1f}" y="2" width="{long:.1f}" height="{height - 4}"/>'
    )
    return Markup(f'<svg class="signed" viewBox="0 0 {width} {height}" aria-hidden="true">{inside}</svg>')


def _framed(inside: str, describe: str, height: int, width: int = WIDTH, kind: str = "chart") -> Markup:
    label = escape(clipped(describe, 300))
    box = f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
    return Markup(f"{box}{inside}</svg>")
