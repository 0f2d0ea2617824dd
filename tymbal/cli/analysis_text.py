"""An analysis in a terminal: its findings beside their baselines, and the first rows of its table."""

from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from tymbal.analyses import Analysis
    from tymbal.dictionaries import Finding, Number

_SHOWN = 20


def print_analysis(analysis: "Analysis", console: Console | None = None) -> None:
    """Print question, findings, sample and the first rows."""
    console = console or Console()
    counted = ", ".join(f"{name} {count:,}" for name, count in analysis.sample.items())
    lines = [analysis.question, ""]
    lines += [_finding(name, finding) for name, finding in analysis.findings.items()]
    lines += ["", f"Counted: {counted}. In brackets: 95 % intervals.", "", " | ".join(analysis.columns)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in list(analysis.rows)[:_SHOWN]]
    if len(analysis.rows) > _SHOWN:
        lines.append(f"... {len(analysis.rows) - _SHOWN:,} more in analysis.json")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _finding(name: str, finding: "Finding") -> str:
    beside = "".join(f"; {key} {_number(number)}" for key, number in finding.baselines.items())
    return f"{name}: {_number(finding)} {finding.unit}{beside}"


def _number(number: "Number | Finding") -> str:
    between = "" if number.low != number.low else f" [{number.low:.3f}, {number.high:.3f}]"
    return f"{number.value:.3f}{between}"


def _cell(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.2f}"
    if isinstance(cell, list):
        return "(" + ", ".join(_cell(part) for part in cell) + ")"
    return "-" if cell is None else str(cell)
