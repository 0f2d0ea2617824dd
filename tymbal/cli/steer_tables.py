"""What `tymbal steer` prints: what was tried, dose and response, and texts side by side."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tymbal.edits import Dose, DoseResponse, Tried
from tymbal.edits.doses import PROMPT, RANDOM, STEERED

READABLE = 0.5
"""nats a token of divergence on other text, up to which a steered model is shown"""
SHOWN_PROMPTS = 12
SHOWN_TRIED = 12


def show_tried(tried: Sequence[Tried]) -> None:
    """The best that a search tried."""
    table = Table(title=f"the best of {len(tried)} tried, on the half of the prompts that is not reported")
    for name in ("treatment", "strength", "score", "KL"):
        table.add_column(name, justify="left" if name == "treatment" else "right")
    for one in tried[:SHOWN_TRIED]:
        score = "diverges" if one.score is None else f"{one.score:.3f}"
        table.add_row(one.name, f"{one.strength:g}", score, f"{one.divergence:.3f}")
    Console().print(table)


def show(response: DoseResponse) -> None:
    """Dose and response, and texts side by side."""
    console = Console()
    table = Table(title=f"dose and response, {response.treatment.made}, n = {len(response.prompts)} prompts")
    columns = ("system", "strength", f"score, {response.unit}", "wrong way", "KL", "loss", "repeats", "surprise")
    for name in columns:
        table.add_column(name, justify="left" if name == "system" else "right")
    for dose in response.doses:
        table.add_row(*_cells(dose))
    console.print(table)
    texts = Table(title=f"side by side, at the strongest doses whose KL on other text is at most {READABLE:g}")
    shown = _side_by_side(response)
    for dose in shown:
        texts.add_column(f"{dose.system} {dose.strength:+g}" if dose.strength else "unsteered", ratio=1)
    rows = list(dict.fromkeys(zip(*(dose.texts for dose in shown), strict=True)))
    for row in rows[:SHOWN_PROMPTS]:
        texts.add_row(*row, end_section=True)
    console.print(texts)


def _cells(dose: Dose) -> list[str]:
    score, wrong, effects = dose.score, dose.wrong, dose.effects
    return [
        dose.system,
        "" if dose.system == PROMPT else f"{dose.strength:g}",
        f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]",
        f"{wrong.value:.0%} [{wrong.low:.0%}, {wrong.high:.0%}]" if dose.strength else "",
        "" if effects is None else f"{effects.kl:.3f}",
        "" if effects is None else f"{effects.loss_change:+.3f}",
        f"{dose.repetition:.0%}",
        f"{dose.surprise:.2f}",
    ]


def _side_by_side(response: DoseResponse) -> list[Dose]:
    """Away, unsteered, toward, and the random direction at the strength of toward; as far as these were measured."""
    doses = response.of(STEERED)
    plain = next(dose for dose in doses if dose.strength == 0)
    readable = [dose for dose in doses if dose.effects is None or dose.effects.kl <= READABLE]
    away, toward = min(readable, key=_strength), max(readable, key=_strength)
    control = [dose for dose in response.of(RANDOM) if dose.strength == toward.strength]
    return [*({dose.strength: dose for dose in (away, plain, toward)}.values()), *control]


def _strength(dose: Dose) -> float:
    return dose.strength
