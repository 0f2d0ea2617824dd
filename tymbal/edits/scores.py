"""Scores of steering that need no judge: how likely the wanted words are, or what a parser counts in generated text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float64
from torch import Tensor

from tymbal.corpora.world import GeneratedWorld
from tymbal.models import LanguageModel

BATCH = 32  # texts


@runtime_checkable
class Score(Protocol):
    """A number for each prompt, measured on the model as it is edited at that moment; higher is nearer the aim."""

    @property
    def unit(self) -> str:
        """What the number counts."""
        ...

    def __call__(self, model: LanguageModel, prompts: Sequence[str], *, lead: str = "") -> Float64[Tensor, " prompt"]:
        """One number a prompt; `lead` is put before each prompt and is not itself counted."""
        ...


@dataclass(frozen=True)
class Propensity:
    """How much likelier the model goes on with the wanted texts than with the others (Tan et al. 2024), in nats.

    The mean log-probability of the texts toward, less that of the texts away.
    """

    toward: Sequence[str]
    away: Sequence[str]
    unit: str = "nats"

    def __call__(self, model: LanguageModel, prompts: Sequence[str], *, lead: str = "") -> Float64[Tensor, " prompt"]:
        """One difference a prompt."""
        toward, away = (
            torch.stack(
                [log_probability(model, [f"{lead}{prompt} {text}" for prompt in prompts]) for text in texts]
            ).mean(0)
            for texts in (self.toward, self.away)
        )
        return toward - away


@dataclass(frozen=True)
class Counted:
    """The share of drawn continuations of which `judge` says yes; the same draws at each strength."""

    judge: Callable[[str], bool]
    tokens: int = 254
    temperature: float = 1.0
    seed: int = 0
    unit: str = "share of texts"

    def __call__(self, model: LanguageModel, prompts: Sequence[str], *, lead: str = "") -> Float64[Tensor, " prompt"]:
        """0 or 1 a prompt."""
        led = [lead + prompt for prompt in prompts]
        texts = model.generate_all(led, max_new_tokens=self.tokens, temperature=self.temperature, seed=self.seed)
        return torch.tensor([float(self.judge(text[len(lead) :])) for text in texts], dtype=torch.float64)


def carries(world: GeneratedWorld, concept: str) -> Callable[[str], bool]:
    """Whether the world's parser reads a text and finds this concept in it (`language.de`, `tone.formal`, `town.7`).

    A part in which the text breaks off carries nothing but its language and form: let tones run to their end.
    """

    def judge(text: str) -> bool:
        parse = world.parse(text, partial=True)
        return parse is not None and any(span.concept == concept for span in parse.spans)

    return judge


def log_probability(model: LanguageModel, texts: Sequence[str]) -> Float64[Tensor, " text"]:
    """Each text's log-probability in nats, its first token given."""
    found = []
    for start in range(0, len(texts), BATCH):
        tokens = model.tokenize(texts[start : start + BATCH])
        log_probabilities = model.logits(tokens)[:, :-1].float().log_softmax(-1).cpu()
        own = log_probabilities.gather(-1, tokens.ids[:, 1:].unsqueeze(-1)).squeeze(-1)
        found.append((own.double() * tokens.mask[:, 1:]).sum(1))
    return torch.cat(found)
