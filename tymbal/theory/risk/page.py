"""The report of an assessment: one HTML file that needs no network, in the reader's light or dark."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from tymbal.artifact import write_text
from tymbal.theory.risk.assessment import Assessment, factor_in_words
from tymbal.theory.risk.sections import (
    distribution_section,
    drivers_section,
    experts_section,
    steps_section,
    structures_section,
)
from tymbal.theory.risk.spread import LEVELS, Spread
from tymbal.theory.risk.words import named, percent

STYLE = Path(__file__).with_name("report.css")


def write_report(
    path: Path, found: Assessment, *, before: Assessment | None = None, changes: Mapping[str, str] | None = None,
    command: str = "",
) -> None:  # fmt: skip
    """Write the report; with `before`, the model as it was, the difference that `changes` make comes first."""
    write_text(path, report(found, before=before, changes=changes, command=command))


def report(
    found: Assessment, *, before: Assessment | None = None, changes: Mapping[str, str] | None = None, command: str = ""
) -> str:  # fmt: skip
    """The report as one HTML page."""
    model = found.model
    body = [
        f'<p class="over">Tymbal · a risk model</p><h1>{escape(model.title)}</h1>',
        f'<p class="lead">{escape(model.question)}</p>',
        _figures(found),
    ]
    if before is not None:
        body.append(_difference(found, before, changes or {}))
    if found.overall is not None:
        body += [
            distribution_section(found, before),
            drivers_section(found),
            steps_section(found),
            structures_section(found),
            _model_error(found),
        ]
    body += [experts_section(found), _margins(found), _inputs(found), _made(found, command)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(model.title)}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _figures(found: Assessment) -> str:
    if found.overall is None or found.given_model is None:
        return ""
    structure, error = found.structure_effect, found.error_effect
    assert structure is not None
    assert error is not None
    leading = " and ".join(named(driver.name) for driver in found.drivers[:2]) or "no input: all are taken as known"
    share = sum(driver.shapley.value for driver in found.drivers[:2])
    cards = [
        (_range(found.overall), f"5 to 95 % of the distribution; median {percent(found.overall.quantile(0.5).value)}"),
        (f"{100 * share:.0f} %", f"of the spread within the model comes from {escape(leading)}"),
        (
            f"{percent(structure.low)} to {percent(structure.high)}" if len(found.structures) > 1 else "not considered",
            f"mean under each of {len(found.structures)} structures" if len(found.structures) > 1
            else "other structures: the model has only one",
        ),
        (f"{percent(error.low)} → {percent(error.high)}", "mean if the model is right, and allowing that it is wrong"),
    ]  # fmt: skip
    return f'<ul class="figures">{"".join(f"<li><b>{big}</b><span>{small}</span></li>" for big, small in cards)}</ul>'


def _range(spread: Spread) -> str:
    low, high = spread.quantile(0.05).value, spread.quantile(0.95).value
    return f"{percent(low)} to {percent(high)}"


def _difference(found: Assessment, before: Assessment, changes: Mapping[str, str]) -> str:
    told = "; ".join(f"<b>{escape(named(name))}</b> {escape(what)}" for name, what in changes.items())
    lines = []
    if found.overall is not None and before.overall is not None:
        for level in LEVELS:
            old, new = before.overall.quantile(level).value, found.overall.quantile(level).value
            name = "median" if level == 0.5 else f"{100 * level:.0f} %"
            lines.append(_compared(name, percent(old), percent(new), new / old))
        old, new = before.overall.mean().value, found.overall.mean().value
        lines.append(_compared("mean", percent(old), percent(new), new / old))
    for old_margin, margin in zip(before.margins, found.margins, strict=True):
        lines.append(_compared(margin.margin.name, factor_in_words(old_margin), factor_in_words(margin), None))
    return (
        f'<section class="changed"><h2>What if</h2><p>{told}</p><div class="wide"><table><thead><tr><th></th>'
        '<th class="number">before</th><th class="number">after</th><th class="number">times</th></tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _compared(name: str, before: str, after: str, ratio: float | None) -> str:
    times = "" if ratio is None else f"{ratio:.2f}"
    return f'<tr><th scope="row">{escape(name)}</th>' + "".join(
        f'<td class="number">{text}</td>' for text in (escape(before), escape(after), times)
    ) + "</tr>"  # fmt: skip


def _model_error(found: Assessment) -> str:
    error, moved = found.model.error, found.error_effect
    assert error is not None
    assert moved is not None
    return (
        "<section><h2>If the model itself is wrong</h2>"
        '<p class="formula">P = P(X | model right) P(right) + P(X | model wrong) P(wrong)</p>'
        f"<p>P(right): {escape(error.right.describe())}. P(X | model wrong): {escape(error.if_wrong.describe())}. "
        f"This moves the mean from {percent(moved.low)} to {percent(moved.high)} and makes "
        f"{100 * moved.variance_share:.0f} % of the overall variance.</p><p>{escape(error.argument)}</p></section>"
    )


def _margins(found: Assessment) -> str:
    if not found.margins:
        return ""
    listed = "".join(
        f"<dt>{escape(result.margin.name)}</dt><dd>{escape(factor_in_words(result))}.</dd>"
        f'<dd>{escape(result.margin.argument)}</dd><dd class="quiet">{escape(result.margin.source)}</dd>'
        for result in found.margins
    )
    return (
        "<section><h2>Margins</h2><p>Where nobody can honestly name a probability, the question is how much larger the "
        f"loss is than the gain, and why that should hold.</p><dl>{listed}</dl></section>"
    )


def _inputs(found: Assessment) -> str:
    if not found.model.inputs:
        return ""
    listed = "".join(
        f"<dt>{escape(named(name))}</dt><dd>{escape(given.about)}</dd>"
        f'<dd class="quiet">{escape(given.belief.describe())}{"; " if given.source else ""}{escape(given.source)}</dd>'
        for name, given in found.model.inputs.items()
    )
    return f"<section><h2>What goes in</h2><dl>{listed}</dl></section>"


def _made(found: Assessment, command: str) -> str:
    computed = ""
    if found.overall is not None:
        scrambles, points = found.structures[0].outcome.draws.shape
        mean = found.overall.mean()
        computed = (
            f"Computed from {scrambles} independent scrambles of {points:,} Sobol’ points for each structure; the mean "
            f"overall is exact to ±{percent((mean.high - mean.low) / 2)} (95 %). "
        )
    made = f"Made by <code>{escape(command)}</code>. " if command else ""
    return f'<footer class="quiet"><p>{computed}{made}</p><p>Source: {escape(found.model.source)}</p></footer>'
