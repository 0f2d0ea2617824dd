"""The end of `tymbal study`: a table of the dictionary's health and the way to open the atlas."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tymbal.study import Study


class Line(NamedTuple):
    """What a finding is called here, and how its numbers read."""

    finding: str
    name: str
    form: str


LINES = (
    Line("fvu", "variance unexplained (-> 0)", ".3f"),
    Line("recovered.zero", "loss recovered, zero (-> 1)", ".3f"),
    Line("recovered.mean", "recovered, mean (-> 1)", ".3f"),
    Line("loss", "loss, spliced in (nats)", ".3f"),
    Line("loss.plain", "loss, unedited (nats)", ".3f"),
    Line("kl", "KL from unedited (nats)", ".3f"),
    Line("cosine", "cosine to unedited (-> 1)", ".3f"),
    Line("l0", "features active on a token", ".1f"),
    Line("dead", "dead features", ".0f"),
    Line("dense", "dense features", ".0f"),
)
BASELINES = {
    "random dictionary": "random",
    "PCA with k components": "PCA",
    "zero ablation": "zero",
    "mean ablation": "mean",
}
LEGEND = (
    "Intervals are 95 %, over passages. Baselines: a random dictionary, PCA with k components, and zero or the mean "
    "in place of each activation."
)


def summarise(study: "Study", console: Console | None = None) -> None:
    """Print the health of the dictionary, where the study lies, and the command that opens it."""
    console = console or Console()
    console.print(health_table(study.evaluation))
    console.print(LEGEND, highlight=False)
    for line in (*_concepts(study.evaluation), *_closing(study)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def health_table(evaluation: Mapping[str, Any]) -> Table:
    """Each number with its interval and its baselines."""
    title = (
        f"Health of the dictionary on {evaluation['tokens']:,} held-out tokens ({evaluation['passages']:,} passages)"
    )
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for heading in ("value", "interval", *BASELINES.values()):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in LINES:
        finding = evaluation["findings"].get(line.finding)
        if finding is not None:
            found = finding["baselines"]
            baselines = [f"{found[name]['value']:{line.form}}" if name in found else "" for name in BASELINES]
            interval = f"{finding['low']:{line.form}}–{finding['high']:{line.form}}"
            table.add_row(line.name, f"{finding['value']:{line.form}}", interval, *baselines)
    return table


def _concepts(evaluation: Mapping[str, Any]) -> Iterator[str]:
    found = evaluation.get("concepts")
    if found is None:
        return
    if "not_measured" in found:
        yield f"Concepts were not measured: {found['not_measured']}"
        return
    yield "Concepts with a feature (F1 >= 0.8), of {}: {}; {}.".format(
        len(found["by_token"]["concepts"]),
        _told(found["by_mention"], "counting each mention once"),
        _told(found["by_token"], "counting every token"),
    )


def _told(match: Mapping[str, Any], how: str) -> str:
    good, random = match["good"]["dictionary"], match["good"]["random"]
    return f"{good['value']:.0f} {how} ({good['low']:.0f}–{good['high']:.0f}; random dictionary {random['value']:.0f})"


def _closing(study: "Study") -> Iterator[str]:
    yield ""
    yield f"study   {study.folder}"
    yield f"atlas   {study.atlas}"
    yield f"open    tymbal serve {study.folder}"
