"""How explanations are printed: how well they hold beside their baselines, and some of them by themselves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tymbal.errors import ArtifactError

if TYPE_CHECKING:
    from tymbal.explain import Explanations

MEASURES = {"f1": "F1", "auroc": "AUROC", "correlation": "correlation", "hard_auroc": "hard AUROC"}
SYSTEMS = {
    "features": "features",
    "random": "random directions",
    "neurons": "neurons",
    "untrained": "features of an untrained copy",
}
RIVALS = {"token": "best single token", "shuffled": "another feature's words"}
SHOWN = 10
LEGEND = (
    "Medians over features that fire on the score passages, with 95 % intervals over features; 1 is perfect, AUROC 0.5 "
    "and the others 0 is chance. What is unclear predicts nothing. Hard AUROC: of the silent tokens only those spelled "
    "like one on which the feature fired."
)


def show_explanations(
    explanations: "Explanations",
    features: Sequence[int] = (),
    console: Console | None = None,
    *,
    untrained: "Explanations | None" = None,
) -> None:
    """Print the summary, then the explanations of these features, or of ten drawn at random.

    `untrained` are those of the study's untrained twin.
    Raises `ArtifactError` for a feature that was not explained.
    """
    console = console or Console()
    said, scores = explanations.by_feature(), explanations.by_feature("exact")
    unknown = [feature for feature in features if feature not in said]
    if unknown:
        raise ArtifactError(
            expected=f"features from 0 to {max(said, default=0)}", got=str(unknown[0]), do="name others by --features"
        )
    twin = {} if untrained is None else {"untrained": untrained.summary["systems"]["features"]}
    console.print(summary_table({**explanations.summary["systems"], **twin}))
    console.print(LEGEND, highlight=False)
    for line in naming_lines(explanations.summary["naming"]):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print()
    console.print(examples_table(said, scores, list(features) or _drawn(scores)))


def summary_table(systems: Mapping[str, Any]) -> Table:
    """How well explanations hold: the features', their rivals', and the baselines'."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in MEASURES.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for system, words in SYSTEMS.items():
        found = systems.get(system)
        if found is None:
            continue
        name = f"{found['features']:,} {words}, {found['unclear']:,} unclear"
        table.add_row(name, *(_written(found["medians"][measure]["explanation"]) for measure in MEASURES))
        for rival, of in RIVALS.items():
            if system == "features" or rival == "token":
                table.add_row(f"  {of}", *(_written(found["medians"][measure][rival]) for measure in MEASURES))
    return table


def _written(number: Mapping[str, Any]) -> str:
    """A median, and how far its interval reaches at most."""
    if number["value"] is None:
        return ""
    reach = max(number["high"] - number["value"], number["value"] - number["low"])
    return f"{number['value']:.3f} ±" + f"{reach:.3f}".removeprefix("0")


def show_intervention(made: "Explanations", console: Console | None = None) -> None:
    """Print whether clamping features changes the output as their explanations say."""
    console, summary = console or Console(), made.summary
    medians = {name: _written(number) for name, number in summary["medians"].items()}
    console.print(
        f"Clamped: {summary['features']} features of which the next token is said. The tokens named get likelier by "
        f"{medians['effect']} nats (a random direction: {medians['control']}). At {medians['raised']} of the places "
        "the clamp raises them more than the random direction does (chance 0.5; tokens that another feature's words "
        f"name: {medians['shuffled']}), beyond chance for {summary['above_control']} of the features. Medians.",
        highlight=False,
    )


def naming_lines(naming: Mapping[str, Any]) -> Iterator[str]:
    """How many of the concepts that a feature tells are named by its explanation."""
    for unit, found in naming.items():
        interval = f"{100 * found['low']:.0f}–{100 * found['high']:.0f}"
        yield (
            f"Concepts with a feature of F1 >= 0.8 by {unit}: {found['concepts']}; its explanation names "
            f"{found['named']} of them ({100 * found['value']:.0f} %, {interval}), "
            f"{found['fires_on']} of these as what it fires on."
        )


def examples_table(
    said: Mapping[int, Mapping[str, Any]], scores: Mapping[int, Mapping[str, Any]], features: Sequence[int]
) -> Table:
    """Explanations with their scores beside the best single token's."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("feature", "F1", "AUROC", "token's"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("fires on")
    for feature in features:
        row = scores[feature]
        numbers = ("" if row[key] is None else f"{row[key]:.3f}" for key in ("f1", "auroc", "token_auroc"))
        table.add_row(str(feature), *numbers, Text(said[feature]["text"]))
    return table


def _drawn(scores: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """Ten features at random, of those that fire on the score passages."""
    measured = [feature for feature, row in scores.items() if row["auroc"] is not None]
    return sorted(np.random.default_rng(0).permutation(measured)[:SHOWN].tolist())
