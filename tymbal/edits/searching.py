"""Find the treatment and strength that steer best, on prompts that the report does not use.

Each treatment is tried at each strength on the prompts given; among those whose divergence on unrelated text stays
within bounds the one of the highest score is chosen. What it is worth must be measured on other prompts: the best of
many looks better than it is where it was chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tymbal.edits.scores import Score
from tymbal.edits.side_effects import measured
from tymbal.edits.treatments import Treatment
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel, Tokens

UNSTEERED = "unsteered"


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """What is tried."""

    strengths: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """in each treatment's unit"""
    divergence: float = 0.5
    """nats a token on unrelated text, at most"""
    prompt: int | None = None
    """tokens of each unrelated text that count as its prompt, for edits of prompts or of what is generated"""

    def __post_init__(self) -> None:
        if not self.strengths or 0 in self.strengths or not self.divergence > 0:
            raise ValueError("expected at least one strength, none of them 0, and a divergence above 0")


class Tried(NamedTuple):
    """One treatment at one strength."""

    name: str
    strength: float
    score: float | None
    """mean over prompts; None where it diverged too far to be scored"""
    divergence: float
    """nats a token on unrelated text"""


def search(
    model: LanguageModel,
    treatments: Mapping[str, Treatment],
    prompts: Sequence[str],
    *,
    score: Score,
    unrelated: Sequence[Tokens],
    config: SearchConfig | None = None,
) -> list[Tried]:
    """All that was tried, the best first, and at the end the model as it is.

    Raises `TymbalError` where everything diverges too far.
    """
    config = config or SearchConfig()
    tried = []
    for name, treatment in treatments.items():
        for strength in config.strengths:
            edits = treatment.edits(strength)
            divergence = measured(model, unrelated, model.edited(*edits, prompt=config.prompt)).kl
            found = None
            if divergence <= config.divergence:
                with model.edited(*edits):
                    found = float(score(model, prompts).mean())
            tried.append(Tried(name, strength, found, divergence))
    # Of equal scores the one that costs least.
    tried.sort(key=lambda one: (one.score is None, -(one.score or 0.0), one.divergence))
    if tried[0].score is None:
        raise TymbalError(
            expected=f"a strength whose divergence is at most {config.divergence:g} nats a token",
            got=f"at least {min(one.divergence for one in tried):.3g}",
            do="lower the strengths or allow more",
        )
    return [*tried, Tried(UNSTEERED, 0.0, float(score(model, prompts).mean()), 0.0)]
