"""Pictures of dose and response, with intervals: of a treatment, with its cost on other text, and of a causal score."""

from collections.abc import Sequence
from pathlib import Path

from tymbal import artifact
from tymbal.dictionaries import Number
from tymbal.edits.causal import CausalScore
from tymbal.edits.doses import BIAS, PROMPT, RANDOM, STEERED, WORDS, Dose, DoseResponse

STYLES = {STEERED: ("#1b6ca8", "o"), RANDOM: ("#8a8a8a", "s"), BIAS: ("#c9732b", "^"), WORDS: ("#7b3f8c", "v")}


def draw_response(response: DoseResponse, path: Path | str) -> None:
    """Write the picture as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    plain = response.of(STEERED)[_zero(response)]
    for system, (colour, marker) in STYLES.items():
        doses = response.of(system)
        if not doses:
            continue
        if system != STEERED:
            doses = sorted([*doses, plain], key=lambda dose: dose.strength)
        strengths = [dose.strength for dose in doses]
        numbers = [dose.score for dose in doses]
        above.errorbar(strengths, *_with_errors(numbers), color=colour, marker=marker, capsize=3, label=system)
        costs = [dose.effects.kl if dose.effects else float("nan") for dose in doses]
        below.plot(strengths, costs, color=colour, marker=marker)
    for dose in response.of(PROMPT):
        above.axhline(dose.score.value, color="#5a8f3d", linestyle="--", label="wanted text as a prompt")
    above.set_ylabel(f"score, {response.unit}")
    above.legend(frameon=False)
    below.set_ylabel("KL on other text,\nnats a token")
    below.set_xlabel(f"strength, {response.treatment.unit}")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    artifact.write_atomically(Path(path), lambda temporary: figure.savefig(temporary, format="svg"))


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


def _zero(response: DoseResponse) -> int:
    return [dose.strength for dose in response.of(STEERED)].index(0.0)
