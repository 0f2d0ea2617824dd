"""`tymbal steer`: add a vector to a model's activations, and measure what that does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from tymbal.errors import TymbalError

if TYPE_CHECKING:
    from tymbal.edits import Dose, DoseResponse

READABLE = 0.5
"""nats a token of divergence on other text, up to which a steered model is shown"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Steer a model and measure dose and response, beside a random vector, a token bias and a prompt."""

    model: Annotated[Positional[str], arg(metavar="MODEL")]
    """a Hugging Face model: local folder or hub id; 'bundled' is the one that comes with Tymbal"""
    toward: Annotated[str, arg(metavar="TEXT|FILE")]
    """what to steer toward: a text, or a file with one text a line"""
    away: Annotated[str, arg(metavar="TEXT|FILE")]
    """what to steer away from, likewise; in pairs with toward, except for --method mean"""
    prompts: Annotated[Path, arg(metavar="FILE")]
    """prompts to steer, one a line"""
    site: str | None = None
    """where to add the vector; the residual stream after the middle block unless given"""
    method: Literal["difference", "mean", "pca"] = "difference"
    """how the vector is made: at the last token of each pair, over all tokens, or as a principal component"""
    strengths: tuple[float, ...] = (-0.4, -0.2, -0.1, 0.1, 0.2, 0.4)
    """the vector's length as a share of the mean length of activations at the site"""
    tokens: int = 40
    """new tokens of each text"""
    unrelated: Annotated[Path | None, arg(metavar="FILE")] = None
    """text to measure side effects on; the prompts unless given"""
    out: Annotated[Path, arg(metavar="DIR")] = Path("steer")
    """where response.svg and response.json are written"""
    seed: int = 0
    """of random vectors and intervals"""
    device: str = "cpu"
    """where to compute: cpu or cuda"""


def main(arguments: Sequence[str]) -> None:
    """Parse, steer, print the tables and where the picture lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal steer")

    from tymbal import artifact
    from tymbal.edits import (
        DoseConfig,
        Propensity,
        as_rows,
        dose_response,
        draw_response,
        mean_length,
        steering_vector,
    )
    from tymbal.study.sources import open_subject

    prompts = _lines(options.prompts)
    toward, away = _texts(options.toward), _texts(options.away)
    if options.method != "mean" and len(toward) != len(away):
        raise TymbalError(
            expected="as many texts toward as away, in pairs",
            got=f"{len(toward)} and {len(away)}",
            do="add the missing ones, or choose --method mean",
        )
    model = open_subject(options.model, options.device)
    site = options.site or f"resid_post.{model.layers // 2}"
    vector = steering_vector(model, toward, away, site=site, method=options.method)
    vector = vector.of_length(mean_length(model, prompts, site))
    others = prompts if options.unrelated is None else _lines(options.unrelated)
    response = dose_response(
        model,
        vector,
        prompts,
        score=Propensity(toward, away),
        unrelated=[model.tokenize(others[start : start + 16]) for start in range(0, len(others), 16)],
        config=DoseConfig(strengths=options.strengths, tokens=options.tokens, seed=options.seed),
        lead=toward[0],
    )
    draw_response(response, options.out / "response.svg")
    artifact.write_json(options.out / "response.json", {"site": vector.site, "doses": as_rows(response)})
    _show(response)
    print(options.out / "response.svg")


def _lines(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TymbalError(
            expected=f"a text file at {path}", got=type(error).__name__, do="check the file's name"
        ) from error
    if not lines:
        raise TymbalError(expected=f"at least one line in {path}", got="none", do="write one text a line")
    return lines


def _texts(named: str) -> list[str]:
    return _lines(Path(named)) if len(named) < 256 and Path(named).is_file() else [named]


def _show(response: "DoseResponse") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"dose and response, {response.vector.site}, n = {len(response.prompts)} prompts")
    for name in ("system", "strength", f"score, {response.unit}", "wrong way", "KL", "loss", "repeats", "surprise"):
        table.add_column(name, justify="left" if name == "system" else "right")
    for dose in response.doses:
        table.add_row(*_cells(dose))
    console.print(table)
    texts = Table(title=f"side by side, at the strongest doses whose KL on other text is at most {READABLE:g}")
    shown = _side_by_side(response)
    for dose in shown:
        texts.add_column(f"{dose.system} {dose.strength:+g}" if dose.strength else "unsteered", ratio=1)
    for row in zip(*(dose.texts for dose in shown), strict=True):
        texts.add_row(*row, end_section=True)
    console.print(texts)


def _cells(dose: "Dose") -> list[str]:
    score, wrong, effects = dose.score, dose.wrong, dose.effects
    return [
        dose.system,
        "" if dose.system == "prompt" else f"{dose.strength:g}",
        f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]",
        f"{wrong.value:.0%} [{wrong.low:.0%}, {wrong.high:.0%}]" if dose.strength else "",
        "" if effects is None else f"{effects.kl:.3f}",
        "" if effects is None else f"{effects.loss_change:+.3f}",
        f"{dose.repetition:.0%}",
        f"{dose.surprise:.2f}",
    ]


def _side_by_side(response: "DoseResponse") -> list["Dose"]:
    """Away, unsteered, toward, and the random vector at the strength of toward; as far as these were measured."""
    from tymbal.edits.doses import RANDOM, VECTOR

    doses = response.of(VECTOR)
    plain = next(dose for dose in doses if dose.strength == 0)
    readable = [dose for dose in doses if dose.effects is None or dose.effects.kl <= READABLE]
    away, toward = min(readable, key=_strength), max(readable, key=_strength)
    control = [dose for dose in response.of(RANDOM) if dose.strength == toward.strength]
    return [*({dose.strength: dose for dose in (away, plain, toward)}.values()), *control]


def _strength(dose: "Dose") -> float:
    return dose.strength
