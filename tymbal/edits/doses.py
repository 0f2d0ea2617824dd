"""Dose and response of a steering vector, beside what it must beat.

At each strength, on the same prompts: the score with its interval, the share of prompts that move the wrong way, what
the edit does to unrelated text, and how the generated text holds together. Beside it, at the same strength: a random
vector of the same length, and the token bias that the vector amounts to; and once, the wanted text as a prompt.

Source: Tan et al. 2024, "Analyzing the generalization and reliability of steering vectors", for the measures by prompt.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from tymbal.dictionaries import Number
from tymbal.dictionaries.bootstrap import Bootstrap, Resampled
from tymbal.edits.scores import Score
from tymbal.edits.side_effects import SideEffects, measured
from tymbal.edits.token_bias import biased, token_bias
from tymbal.edits.vectors import SteeringVector
from tymbal.models import LanguageModel, Tokens

DRAWS = 2000
VECTOR, RANDOM, BIAS, PROMPT = "vector", "random vector", "token bias", "prompt"
Changed = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, kw_only=True)
class DoseConfig:
    """How a dose-response curve is measured."""

    strengths: tuple[float, ...] = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
    """multiples of the vector"""
    tokens: int = 40
    """new tokens of each text"""
    randoms: int = 3
    """random vectors, whose scores are averaged by prompt"""
    seed: int = 0
    """of random vectors and resampling"""

    def __post_init__(self) -> None:
        if not self.strengths or self.tokens < 1 or self.randoms < 1:
            raise ValueError("expected at least one strength, one token and one random vector")


class Dose(NamedTuple):
    """One system at one strength."""

    system: str
    strength: float
    score: Number
    """mean over prompts"""
    wrong: Number
    """share of prompts that moved away from the aim, or that stayed"""
    effects: SideEffects | None
    repetition: float
    """share of four-word sequences of a text that stood in it before"""
    surprise: float
    """nats a token: how unlikely the unedited model finds the texts"""
    texts: tuple[str, ...]
    """greedy continuations, prompt included"""


@dataclass(frozen=True, kw_only=True)
class DoseResponse:
    """All doses; the plain model is the vector at strength 0."""

    doses: tuple[Dose, ...]
    prompts: tuple[str, ...]
    unit: str
    vector: SteeringVector

    def of(self, system: str) -> list[Dose]:
        """The doses of one system, by strength."""
        return sorted((dose for dose in self.doses if dose.system == system), key=lambda dose: dose.strength)


def dose_response(
    model: LanguageModel,
    vector: SteeringVector,
    prompts: Sequence[str],
    *,
    score: Score,
    unrelated: Sequence[Tokens],
    config: DoseConfig | None = None,
    lead: str | None = None,
) -> DoseResponse:
    """Measure the curve. `lead` is the text that, put before each prompt, does as a prompt what the vector should."""
    config = config or DoseConfig()
    prompts = tuple(prompts)
    bench = _Bench(model, prompts, score, unrelated, config)
    controls = [vector.random(config.seed + number) for number in range(config.randoms)]
    doses = [bench.dose(VECTOR, 0.0, [lambda: model.edited()])]
    for strength in config.strengths:
        if strength == 0:
            continue
        edit = vector.steer(strength)
        bias = token_bias(model, unrelated, edit)
        doses += [
            bench.dose(VECTOR, strength, [lambda edit=edit: model.edited(edit)]),
            bench.dose(RANDOM, strength, [_steered(model, control, strength) for control in controls]),
            bench.dose(BIAS, strength, [lambda bias=bias: biased(model, bias)]),
        ]
    if lead is not None:
        doses.append(bench.led(lead))
    return DoseResponse(doses=tuple(doses), prompts=prompts, unit=score.unit, vector=vector)


def _steered(model: LanguageModel, vector: SteeringVector, strength: float) -> Changed:
    return lambda: model.edited(vector.steer(strength))


class _Bench:
    """The prompts, and what the unedited model makes of them."""

    def __init__(
        self,
        model: LanguageModel,
        prompts: tuple[str, ...],
        score: Score,
        unrelated: Sequence[Tokens],
        config: DoseConfig,
    ) -> None:
        self.model, self.prompts, self.score, self.unrelated, self.config = model, prompts, score, unrelated, config
        self.plain = score(model, prompts)
        self.bootstrap = Bootstrap(len(prompts), draws=DRAWS, seed=config.seed)

    def dose(self, system: str, strength: float, ways: Sequence[Changed]) -> Dose:
        """One system at one strength; several ways are averaged by prompt, the first one is shown."""
        scores = []
        for way in ways:
            with way():
                scores.append(self.score(self.model, self.prompts))
        with ways[0]():
            texts = self._texts(self.prompts)
        effects = measured(self.model, self.unrelated, ways[0]()) if self.unrelated else None
        return self._told(system, strength, torch.stack(scores), texts, effects)

    def led(self, lead: str) -> Dose:
        """The unedited model with `lead` before each prompt."""
        prompts = [f"{lead} {prompt}" for prompt in self.prompts]
        return self._told(PROMPT, 1.0, self.score(self.model, prompts).unsqueeze(0), self._texts(prompts), None)

    def _told(
        self,
        system: str,
        strength: float,
        scores: Float64[Tensor, "way prompt"],
        texts: tuple[str, ...],
        effects: SideEffects | None,
    ) -> Dose:
        sign = 1.0 if strength >= 0 else -1.0
        moved = sign * (scores - self.plain)
        wrong = (moved <= 0).double().mean(0) if strength else torch.zeros_like(self.plain)
        columns = {"score": scores.mean(0), "wrong": wrong, "count": torch.ones_like(self.plain)}
        sums = self.bootstrap.over(columns)
        return Dose(
            system=system,
            strength=strength,
            score=_mean(sums, "score"),
            wrong=_mean(sums, "wrong"),
            effects=effects,
            repetition=sum(map(repetition, texts)) / len(texts),
            surprise=_surprise(self.model, texts),
            texts=texts,
        )

    def _texts(self, prompts: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.model.generate_all(prompts, max_new_tokens=self.config.tokens))


def _mean(sums: Resampled, column: str) -> Number:
    return sums.number(lambda totals: totals[column] / totals["count"])


def repetition(text: str, words: int = 4) -> float:
    """The share of sequences of so many words that stood in the text before; 0 for a text that never repeats itself."""
    split = text.split()
    sequences = [tuple(split[start : start + words]) for start in range(len(split) - words + 1)]
    return 1 - len(Counter(sequences)) / len(sequences) if sequences else 0.0


def _surprise(model: LanguageModel, texts: Sequence[str]) -> float:
    total, count = 0.0, 0
    for text in texts:
        tokens = model.tokenize([text])
        if not 2 <= tokens.ids.shape[1] <= model.context:
            continue
        log_probabilities = model.logits(tokens)[0, :-1].float().log_softmax(-1).cpu()
        total -= float(log_probabilities.gather(-1, tokens.ids[0, 1:].unsqueeze(-1)).sum())
        count += tokens.ids.shape[1] - 1
    return total / count if count else float("nan")
