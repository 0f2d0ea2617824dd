"""What questions would cost: a client that counts them and answers nothing of worth."""

import threading
from dataclasses import dataclass
from typing import Any, final

from tymbal.explain.chat.cache import Cached
from tymbal.explain.chat.client import Client, Completion, Question
from tymbal.explain.chat.forms import Digits

SIGNS_A_TOKEN = 4
"""characters a token of English text, about"""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a language model costs, in any currency, per million tokens."""

    tokens_in: float = 0.0
    tokens_out: float = 0.0

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """The price of so many."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


@final
class Tally(Client):
    """Stands in for a client: counts questions, those already answered on disk apart, and gives sample answers.

    Counts of tokens are estimates, of `SIGNS_A_TOKEN` characters each; questions that would be asked again because the
    answer cannot be read are not foreseen.
    """

    def __init__(self, client: Cached) -> None:
        self._client = client
        self.model, self.concurrency = client.model, 1
        self.calls = self.cached = self.tokens_in = self.tokens_out = 0
        self._guard = threading.Lock()

    def request(self, question: Question, attempt: int) -> dict[str, Any]:
        """As the client would make it."""
        return self._client.request(question, attempt)

    def complete(self, question: Question, attempt: int) -> Completion:  # noqa: ARG002
        """Count, and answer with a sample."""
        sample = question.form.sample()
        with self._guard:
            if self._client.holds(question):
                self.cached += 1
            else:
                self.calls += 1
                self.tokens_in += -(-len(question.instructions + question.prompt) // SIGNS_A_TOKEN)
                self.tokens_out += -(-len(sample) // SIGNS_A_TOKEN)
        # Graded, so that what a judge without log-probabilities would not be asked counts too: the price is a bound.
        form = question.form
        return Completion(
            text=sample, alternatives=[{str(form.least): 0.0}] * form.count if isinstance(form, Digits) else None
        )

    def log_probability(self, context: str, text: str) -> float | None:  # noqa: ARG002
        """None: it costs nothing."""
        return None

    def identity(self) -> dict[str, Any]:
        """As the client's."""
        return self._client.identity()

    def alive(self) -> bool:
        """Always."""
        return True

    def stop(self) -> None:
        """Nothing waits."""
