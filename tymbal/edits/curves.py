"""The picture of a dose-response curve: score by strength with intervals, and below it the cost on other text."""

from pathlib import Path

from tymbal import artifact
from tymbal.edits.doses import BIAS, PROMPT, RANDOM, VECTOR, Dose, DoseResponse

STYLES = {VECTOR: ("#1b6ca8", "o"), RANDOM: ("#8a8a8a", "s"), BIAS: ("#c9732b", "^")}


def draw_response(response: DoseResponse, path: Path | str) -> None:
    """Write the picture as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    plain = response.of(VECTOR)[_zero(response)]
    for system, (colour, marker) in STYLES.items():
        doses = response.of(system)
        if system != VECTOR:
            doses = sorted([*doses, plain], key=lambda dose: dose.strength)
        strengths = [dose.strength for dose in doses]
        values = [dose.score.value for dose in doses]
        errors = [
            [dose.score.value - dose.score.low for dose in doses],
            [dose.score.high - dose.score.value for dose in doses],
        ]
        above.errorbar(strengths, values, errors, color=colour, marker=marker, capsize=3, label=system)
        costs = [dose.effects.kl if dose.effects else float("nan") for dose in doses]
        below.plot(strengths, costs, color=colour, marker=marker)
    for dose in response.of(PROMPT):
        above.axhline(dose.score.value, color="#5a8f3d", linestyle="--", label="wanted text as a prompt")
    above.set_ylabel(f"score, {response.unit}")
    above.legend(frameon=False)
    below.set_ylabel("KL on other text,\nnats a token")
    below.set_xlabel("strength, multiples of the vector")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    artifact.write_atomically(Path(path), lambda temporary: figure.savefig(temporary, format="svg"))


def as_rows(response: DoseResponse) -> list[dict[str, object]]:
    """The doses as JSON values."""
    return [_row(dose) for dose in response.doses]


def _row(dose: Dose) -> dict[str, object]:
    effects = None if dose.effects is None else {**dose.effects._asdict(), "loss_change": dose.effects.loss_change}
    return {**dose._asdict(), "score": vars(dose.score), "wrong": vars(dose.wrong), "effects": effects}


def _zero(response: DoseResponse) -> int:
    return [dose.strength for dose in response.of(VECTOR)].index(0.0)
