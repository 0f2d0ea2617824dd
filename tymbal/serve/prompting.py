"""What the prompt page asks of the model: features on a text, likely next tokens, what made one of them likely.

The last few texts are remembered, since a reader looks at one text from many sides, each with an address of its own.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import torch

from tymbal.atlas import Contrast, PromptReading, contrast, read_prompt
from tymbal.edits import Attribution, AttributionConfig, OutputToken, attribute
from tymbal.errors import ModelError
from tymbal.serve.subject import Opened, Subject

REMEMBERED = 16
"""texts"""
LONGEST_TEXT = 4000
"""characters"""


class Candidate(NamedTuple):
    """A token that may come next."""

    token: int
    text: str
    probability: float


class Prompting:
    """Reads prompts; threads may share it."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._readings: OrderedDict[str, PromptReading] = OrderedDict()

    def reading(self, text: str) -> PromptReading:
        """Features on each token of the text; raises `ModelError` for one that is too long or empty."""
        if len(text) > LONGEST_TEXT:
            raise ModelError(
                expected=f"a text of at most {LONGEST_TEXT} characters", got=f"{len(text)}", do="shorten it"
            )
        with self._subject.at_work() as opened:
            if text not in self._readings:
                self._readings[text] = read_prompt(opened.dictionary, opened.model, opened.site, text)
            self._readings.move_to_end(text)
            while len(self._readings) > REMEMBERED:
                self._readings.popitem(last=False)
            return self._readings[text]

    def candidates(self, reading: PromptReading, position: int, count: int) -> list[Candidate]:
        """The likeliest tokens after one of the text; none for an encoder."""
        with self._subject.at_work() as opened:
            if not opened.model.causal:
                return []
            probabilities = _next(opened, reading.ids[: position + 1])
            best = probabilities.topk(min(count, len(probabilities)))
            texts = opened.model.token_text(best.indices.tolist())
        return [
            Candidate(token, text, probability)
            for token, text, probability in zip(best.indices.tolist(), texts, best.values.tolist(), strict=True)
        ]

    def token_text(self, token: int) -> str:
        """How a token of the vocabulary reads; raises `ModelError` for one that is not there."""
        with self._subject.at_work() as opened:
            if not 0 <= token < opened.model.vocabulary:
                raise ModelError(
                    expected=f"a token from 0 to {opened.model.vocabulary - 1}", got=f"{token}", do="name another"
                )
            return opened.model.token_text([token])[0]

    def attributed(self, reading: PromptReading, output: OutputToken, config: AttributionConfig) -> Attribution:
        """The output's logit, shared out among the features of the text."""
        with self._subject.at_work() as opened:
            return attribute(
                opened.model,
                opened.dictionary,
                torch.tensor(reading.ids),
                output,
                config,
                site=opened.site,
                spared=torch.tensor(reading.special),
            )

    def contrasted(self, toward: Sequence[str], away: Sequence[str]) -> Contrast:
        """Features that tell two sets of prompts apart."""
        with self._subject.at_work() as opened:
            return contrast(opened.dictionary, opened.model, opened.site, toward, away)


@torch.no_grad()
def _next(opened: Opened, ids: list[int]) -> torch.Tensor:
    given = torch.tensor([ids], device=opened.model.device)
    step = opened.model.torch_model(input_ids=given, use_cache=False, logits_to_keep=1)
    return torch.softmax(step.logits[0, -1].double(), dim=-1).cpu()
