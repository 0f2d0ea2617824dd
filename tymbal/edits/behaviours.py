"""Behaviours of a model of the generated world, for the causal score of a probe of its concepts.

    verdict.…     text that has just asked "Is that so? That is": log-odds of the answer "true" against "false"
    a family      text in which a concept is annotated (tone, language, animal, …): how likely the annotated words are,
                  counted for those of one class and against those of the others

Both are exact functions of logits.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from jaxtyping import Float64
from torch import Tensor

from tymbal.corpora.world.lexicon import LANGUAGES
from tymbal.edits.causal import CausalConfig, CausalScore, causal_score
from tymbal.edits.scores import log_probability
from tymbal.edits.vectors import probe_vector
from tymbal.edits.written import Written, part_log_probabilities, tokens_of_parts
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel
from tymbal.probes import Example, LabelledTexts, ProbeReport
from tymbal.probes.world import READ_AT, asking

BATCH = 32  # texts


@dataclass(frozen=True, kw_only=True)
class AnswerOdds:
    """How much likelier one of two answers is than the other, a pair a prompt, in nats."""

    answers: Sequence[tuple[str, str]]
    """the answer that counts for, and the one that counts against, spaces included"""
    unit: str = "nats"

    def __call__(self, model: LanguageModel, prompts: Sequence[str], *, lead: str = "") -> Float64[Tensor, " prompt"]:
        """One difference of log-probabilities a prompt."""
        yes, no = (
            log_probability(
                model, [lead + prompt + pair[side] for prompt, pair in zip(prompts, self.answers, strict=True)]
            )
            for side in (0, 1)
        )
        return yes - no


@dataclass(frozen=True, kw_only=True)
class SpanLikelihood:
    """The log-probability of a span of each text, in nats, counted with the sign and weight of each text."""

    spans: Sequence[tuple[int, int]]
    """characters from, to before"""
    weights: Sequence[float]
    unit: str = "nats"

    def __call__(self, model: LanguageModel, prompts: Sequence[str], *, lead: str = "") -> Float64[Tensor, " prompt"]:
        """One weighted log-probability a text."""
        found = []
        for start in range(0, len(prompts), BATCH):
            batch = zip(prompts[start : start + BATCH], self.spans[start : start + BATCH], strict=True)
            passages = [Written(lead + text, len(lead) + first, len(lead) + end) for text, (first, end) in batch]
            tokens, inside = tokens_of_parts(model, passages)
            found.append(part_log_probabilities(tokens, inside, model.logits(tokens)).cpu())
        return torch.cat(found) * torch.tensor(self.weights, dtype=torch.float64)


def behaviour(concept: str, examples: Sequence[Example], toward: str) -> AnswerOdds | SpanLikelihood:
    """The behaviour that a concept of the world goes with, for texts of these examples; it rises with `toward`.

    Raises `TymbalError` for a concept without one: facts and numbers, and statements read at their end.
    """
    family, _, fact = concept.partition(".")
    if family == READ_AT[1]:
        endings = [asking(_language(example.text)) for example in examples]
        answers = [(end.true, end.false) if toward == "true" else (end.false, end.true) for end in endings]
        return AnswerOdds(answers=answers)
    if fact or any(isinstance(example.label, tuple) for example in examples):
        raise TymbalError(
            expected="a concept that shows in what is said: a family of spans, or verdict.true, .honest, .likely",
            got=concept,
            do="measure another behaviour with causal_score",
        )
    is_toward = [example.label == toward for example in examples]
    wanted = sum(is_toward)
    if not 0 < wanted < len(examples):
        raise TymbalError(
            expected=f"texts with and without {toward!r}", got=f"{wanted} of {len(examples)} with it", do="give more"
        )
    # Both sides weigh the same, however many texts they have.
    share = len(examples) / 2
    weights = [share / wanted if yes else -share / (len(examples) - wanted) for yes in is_toward]
    return SpanLikelihood(spans=[(example.start, example.end) for example in examples], weights=weights)


def probed_causal_score(
    model: LanguageModel,
    report: ProbeReport,
    texts: LabelledTexts,
    *,
    toward: str | None = None,
    prompts: int = 64,
    config: CausalConfig | None = None,
) -> CausalScore:
    """The causal score of the probe of a report's best site, on held-out texts, as many of `toward` as of others.

    `toward` is the second of two classes unless given, else the most frequent. Raises `TymbalError` for a concept that
    no behaviour goes with, a class that the probe lacks, and a probe that is not linear.
    """
    held = [texts.examples[number] for number in report.held_out]
    fitted = report.fitted[report.best.site]
    names = list(fitted.target.names)
    frequent = Counter(str(example.label) for example in held).most_common(1)[0][0]
    toward = toward or (names[1] if len(names) == 2 else frequent)
    random = Random(report.config.seed)
    sides = [[one for one in held if (one.label == toward) is yes] for yes in (True, False)]
    chosen = [one for side in sides for one in random.sample(side, min(len(side), prompts // 2))]
    aimed = behaviour(report.concept, chosen, toward)
    vector = probe_vector(
        fitted.probe,
        site=report.best.site,
        model=report.model,
        output=names.index(toward) if len(names) > 2 else 0,
    )
    groups = {name: number for number, name in enumerate(dict.fromkeys(one.group for one in chosen))}
    return causal_score(
        model,
        vector.reversed() if toward == names[0] and len(names) == 2 else vector,
        [one.text for one in chosen],
        score=aimed,
        config=config or CausalConfig(randoms=8, seed=report.config.seed),
        groups=torch.tensor([groups[one.group] for one in chosen]),
    )


def _language(text: str) -> str:
    """Of a text that ends by asking whether something is so."""
    return next(language for language in LANGUAGES if text.endswith(asking(language).text))
