"""Pictures of dose and response, with intervals: of a treatment, with its cost on other text, and of a causal score."""

import textwrap
from collections.abc import Sequence
from math import nan
from pathlib import Path

from tymbal import artifact
from tymbal.dictionaries import Number
from tymbal.edits.causal import CausalScore
from tymbal.edits.doses import BIAS, PROMPT, RANDOM, STEERED, WORDS, Dose, DoseResponse

STYLES = {STEERED: ("#1b6ca8", "o"), RANDOM: ("#8a8a8a", "s"), BIAS: ("#c9732b", "^"), WORDS: ("#7b3f8c", "v")}


def draw_response(response: DoseResponse, path: Path | str) -> None:
    """Write the picture as SVG. Systems stand side by side at each strength, so that no interval hides another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    strengths = [dose.strength for dose in response.of(STEERED)]
    step = 0.012 * (max(strengths) - min(strengths) or 1.0)
    for place, (system, (colour, marker)) in enumerate(STYLES.items()):
        doses = _with_plain(response, system)
        aside = [dose.strength + step * (place - (len(STYLES) - 1) / 2) for dose in doses]
        style = {"color": colour, "marker": marker, "linewidth": 2.2 if system == STEERED else 1.2}
        if doses:
            values, errors = _with_errors([dose.score for dose in doses])
            if system != STEERED:  # the unedited model is the same for all: its interval is drawn once
                for side in errors:
                    side[:] = [nan if not dose.strength else size for dose, size in zip(doses, side, strict=True)]
            order = len(STYLES) - place + 2  # the first, what is measured, lies on top
            above.errorbar(aside, values, errors, capsize=3, label=system, zorder=order, **style)
        if system in (STEERED, RANDOM):  # biases are scaled to the divergence of what is steered
            costs = [dose.effects.kl if dose.effects else float("nan") for dose in doses]
            below.plot(aside, costs, **style)
    for dose in response.of(PROMPT):
        above.axhline(dose.score.value, color="#5a8f3d", linestyle="--", label="wanted text as a prompt")
    title = f"{textwrap.shorten(response.treatment.made, 60)}, n = {len(response.prompts)}"
    above.set_title(title, fontsize="medium", parse_math=False)
    above.set_ylabel(f"score, {response.unit}")
    above.legend(frameon=False, fontsize="small")
    below.set_ylabel("KL on other text,\nnats a token")
    below.set_xlabel(f"strength, {response.treatment.unit}")
    below.set_xticks(strengths, [f"{strength:g}" for strength in strengths])
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    artifact.write_atomically(Path(path), lambda temporary: figure.savefig(temporary, format="svg"))


def _with_plain(response: DoseResponse, system: str) -> list[Dose]:
    """A system's doses by strength, the unedited model among them; none where the system was not measured."""
    doses = response.of(system)
    plain = [dose for dose in response.of(STEERED) if dose.strength == 0]
    return sorted([*doses, *(plain if system != STEERED else [])], key=lambda dose: dose.strength) if doses else []


def draw_causal(score: CausalScore, title: str, path: Path | str) -> None:
    """Write the behaviour by dose as SVG, moved along the direction and along random ones."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    doses = [response.dose for response in score.responses]
    for name, style in (("along the direction", STEERED), ("along random directions, mean", RANDOM)):
        numbers = [response.moved if style == STEERED else response.random for response in score.responses]
        colour, marker = STYLES[style]
        axes.errorbar(doses, *_with_errors(numbers), color=colour, marker=marker, capsize=3, label=name)
    axes.set_xlabel("dose, share of the mean length of activations")
    axes.set_ylabel(f"behaviour, {score.unit}")
    axes.set_title(title, fontsize="medium")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    artifact.write_atomically(Path(path), lambda temporary: figure.savefig(temporary, format="svg"))


def _with_errors(numbers: Sequence[Number]) -> tuple[list[float], list[list[float]]]:
    """Values, and how far below and above them the intervals reach."""
    values = [number.value for number in numbers]
    return values, [
        [number.value - number.low for number in numbers],
        [number.high - number.value for number in numbers],
    ]


def as_rows(response: DoseResponse) -> list[dict[str, object]]:
    """The doses as JSON values."""
    return [_row(dose) for dose in response.doses]


def _row(dose: Dose) -> dict[str, object]:
    effects = None if dose.effects is None else {**dose.effects._asdict(), "loss_change": dose.effects.loss_change}
    return {**dose._asdict(), "score": vars(dose.score), "wrong": vars(dose.wrong), "effects": effects}
