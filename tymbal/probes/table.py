"""A report as a table in Markdown, for the terminal and for pages."""

from collections.abc import Iterable

from tymbal.dictionaries import Finding, Number
from tymbal.probes.probing import ProbeReport
from tymbal.probes.result import ProbeResult

HEAD = (
    "site", "score", "control task", "selectivity", "untrained", "bag of tokens", "position",
    "bits a label", "uniform", "bits, control", "p",
)  # fmt: skip


def report_table(report: ProbeReport) -> str:
    """One line a site; the one to report is set in bold."""
    head = [report.best.score.unit if name == "score" else name for name in HEAD]
    if report.best.score.unit == "R2":
        head[head.index("uniform")] = "bits, mean only"
    return markdown(head, (_row(result, best=result is report.best) for result in report.results))


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def interval(number: Number | Finding, form: str = ".2f") -> str:
    """A number with its interval."""
    return f"{number.value:{form}} [{number.low:{form}}, {number.high:{form}}]"


def _row(result: ProbeResult, *, best: bool) -> list[str]:
    controls = result.controls
    bold = "**" if best else ""
    return [
        f"{bold}{result.site}{bold}",
        f"{bold}{interval(result.score)}{bold}",
        interval(controls.control_task),
        interval(controls.selectivity),
        interval(controls.untrained),
        f"{controls.bag_of_tokens.value:.2f}",
        f"{controls.position.value:.2f}",
        f"{controls.description.bits.value:.2f}",
        f"{controls.description.without.value:.2f}",
        f"{controls.control_description.bits.value:.2f}",
        f"{controls.p_value:.3g}",
    ]
