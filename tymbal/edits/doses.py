"""Dose and response of a steering vector or of clamped features, beside what they must beat.

At each strength, on the same prompts: the score with its interval, the share of prompts that move the wrong way, what
the edit does to unrelated text, and how the generated text holds together. Beside it, at the same strength, random
directions, as far; and at the same divergence on unrelated text two biases that know no context: the one that the edit
itself amounts to, and that of the wanted words, where they are given. Once, the wanted text as a prompt.

Source: Tan et al. 2024, "Analyzing the generalization and reliability of steering vectors", for the measures by prompt.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from tymbal.dictionaries import Number
from tymbal.dictionaries.bootstrap import Bootstrap, Resampled
from tymbal.edits.scores import Counted, Score
from tymbal.edits.side_effects import SideEffects, measured
from tymbal.edits.token_bias import biased, of_divergence, token_bias
from tymbal.edits.treatments import Treatment, as_treatment
from tymbal.edits.vectors import SteeringVector
from tymbal.models import LanguageModel, PlacedEdit, Tokens

DRAWS = 2000
STEERED, RANDOM, BIAS, WORDS, PROMPT = "steered", "random direction", "token bias", "word bias", "prompt"
Changed = AbstractContextManager[object]


@dataclass(frozen=True, kw_only=True)
class DoseConfig:
    """How a dose-response curve is measured."""

    strengths: tuple[float, ...] = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
    """in the treatment's unit: multiples of the vector, or of the feature's maximum"""
    tokens: int = 40
    """new tokens of each text"""
    randoms: int = 3
    """random directions, whose scores are averaged by prompt"""
    seed: int = 0
    """of random directions and resampling"""
    prompt: int | None = None
    """tokens of each unrelated text that count as its prompt, for edits of prompts or of what is generated"""

    def __post_init__(self) -> None:
        if not self.strengths or self.tokens < 1 or self.randoms < 1:
            raise ValueError("expected at least one strength, one token and one random direction")


class Dose(NamedTuple):
    """One system at one strength."""

    system: str
    strength: float
    score: Number
    """mean over prompts"""
    wrong: Number
    """share of prompts that moved away from the aim; those that stayed are not counted"""
    effects: SideEffects | None
    repetition: float
    """share of four-word sequences of a text that stood in it before"""
    surprise: float
    """nats a token: how unlikely the unedited model finds the texts"""
    texts: tuple[str, ...]
    """prompts with their continuations: the ones that were counted, else greedy ones"""


@dataclass(frozen=True, kw_only=True)
class DoseResponse:
    """All doses; the plain model is the treatment at strength 0."""

    doses: tuple[Dose, ...]
    prompts: tuple[str, ...]
    unit: str
    """of the score"""
    treatment: Treatment

    def of(self, system: str) -> list[Dose]:
        """The doses of one system, by strength."""
        return sorted((dose for dose in self.doses if dose.system == system), key=lambda dose: dose.strength)


def dose_response(
    model: LanguageModel,
    treated: Treatment | SteeringVector,
    prompts: Sequence[str],
    *,
    score: Score,
    unrelated: Sequence[Tokens],
    config: DoseConfig | None = None,
    lead: str | None = None,
    words: Float[Tensor, " vocabulary"] | None = None,
) -> DoseResponse:
    """Measure the curve.

    `lead` is the text that, put before each prompt, does as a prompt what the treatment should; `words` the token bias
    of the wanted words (`word_bias`). Without unrelated text there is no divergence to match, and no bias is measured.
    """
    config, treatment = config or DoseConfig(), as_treatment(treated)
    bench = _Bench(model, tuple(prompts), score, unrelated, config)
    doses = [bench.unsteered()]
    for strength in config.strengths:
        if strength:
            doses += _at_strength(bench, treatment, strength, words)
    if lead is not None:
        doses.append(bench.led(lead))
    return DoseResponse(doses=tuple(doses), prompts=bench.prompts, unit=score.unit, treatment=treatment)


def _at_strength(bench: "_Bench", treatment: Treatment, strength: float, words: Tensor | None) -> list[Dose]:
    model, config = bench.model, bench.config
    edits = treatment.edits(strength)
    controls = [treatment.random(config.seed + number).edits(strength) for number in range(config.randoms)]
    steered = bench.steered(STEERED, strength, [edits])
    doses = [steered, bench.steered(RANDOM, strength, controls)]
    if steered.effects is None:
        return doses
    biases = {BIAS: token_bias(model, bench.unrelated, *edits, prompt=config.prompt)}
    if words is not None:
        biases[WORDS] = words if strength > 0 else -words
    for system, bias in biases.items():
        own = of_divergence(model, bench.unrelated, bias, steered.effects.kl)
        doses.append(bench.biased(system, strength, own))
    return doses


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
        self.plain, self.plain_texts = self._scored(prompts, "", texts_wanted=True)
        self.bootstrap = Bootstrap(len(prompts), draws=DRAWS, seed=config.seed)

    def unsteered(self) -> Dose:
        """The unedited model."""
        effects = measured(self.model, self.unrelated, nullcontext()) if self.unrelated else None
        return self._told(STEERED, 0.0, self.plain.unsqueeze(0), tuple(self.plain_texts), effects)

    def steered(self, system: str, strength: float, ways: Sequence[Sequence[PlacedEdit]]) -> Dose:
        """Edits at one strength; several ways are averaged by prompt, the first one is shown."""
        as_used = [self.model.edited(*edits) for edits in ways]
        on_whole_texts = self.model.edited(*ways[0], prompt=self.config.prompt)
        return self._dose(system, strength, as_used, on_whole_texts)

    def biased(self, system: str, strength: float, bias: Float[Tensor, " vocabulary"]) -> Dose:
        """A bias of the logits."""
        return self._dose(system, strength, [biased(self.model, bias)], biased(self.model, bias))

    def _dose(self, system: str, strength: float, ways: Sequence[Changed], on_whole_texts: Changed) -> Dose:
        scores, texts = [], []
        for way in ways:
            with way:
                found, shown = self._scored(self.prompts, "", texts_wanted=not texts)
            scores.append(found)
            texts = texts or shown
        effects = measured(self.model, self.unrelated, on_whole_texts) if self.unrelated else None
        return self._told(system, strength, torch.stack(scores), tuple(texts), effects)

    def led(self, lead: str) -> Dose:
        """The unedited model with `lead` before each prompt."""
        scores, texts = self._scored(self.prompts, f"{lead} ", texts_wanted=True)
        return self._told(PROMPT, 1.0, scores.unsqueeze(0), tuple(texts), None)

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
        wrong = (moved < 0).double().mean(0) if strength else torch.zeros_like(self.plain)
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

    def _scored(
        self, prompts: Sequence[str], lead: str, *, texts_wanted: bool
    ) -> tuple[Float64[Tensor, " prompt"], list[str]]:
        """Scores, and texts to show: those that were counted, else greedy ones where they are wanted."""
        if isinstance(self.score, Counted):
            texts = self.score.drawn(self.model, prompts, lead=lead)
            return self.score.of(texts), texts
        scores = self.score(self.model, prompts, lead=lead)
        if not texts_wanted:
            return scores, []
        led = [lead + prompt for prompt in prompts]
        return scores, self.model.generate_all(led, max_new_tokens=self.config.tokens)


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
