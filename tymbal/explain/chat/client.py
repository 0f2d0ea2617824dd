"""The abstract client: one question in, one completion out.

Each kind is one final class in a file of its own. What is common to all, asking many at once and asking again where an
answer cannot be read, is `tymbal.explain.chat.ask`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from tymbal.explain.chat.forms import Alternatives, Form


class Unanswered(Exception):  # noqa: N818 - a question is unanswered; nothing of ours is in error
    """A question to which no completion came; `passing` where that may be for want of the server, and not its own."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a language model."""

    instructions: str
    prompt: str
    form: Form


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What came back."""

    text: str
    alternatives: Alternatives | None = None
    """of those tokens of the text that hold a digit; None where they are not told"""
    tokens_in: int = 0
    tokens_out: int = 0
    cached: bool = False


@dataclass(kw_only=True)
class Usage:
    """What was asked and paid, added up over a client's life."""

    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def add(self, completion: Completion) -> None:
        """Count one completion."""
        if completion.cached:
            self.cached += 1
            return
        self.calls += 1
        self.tokens_in += completion.tokens_in
        self.tokens_out += completion.tokens_out

    def __iadd__(self, other: "Usage") -> "Usage":
        self.calls += other.calls
        self.cached += other.cached
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        return self


class Client(ABC):
    """A language model that can be asked."""

    model: str
    """its name, by which a judge is told from an explainer"""
    concurrency: int
    """questions it takes at once"""

    @abstractmethod
    def request(self, question: Question, attempt: int) -> dict[str, Any]:
        """All on which the completion depends, as JSON values; without secrets."""

    @abstractmethod
    def complete(self, question: Question, attempt: int) -> Completion:
        """Answer; raises `Unanswered`, and `EndpointError` where asking on is of no use. Called from several threads.

        `attempt` counts how often this question was answered unreadably; another attempt may answer otherwise.
        """

    @abstractmethod
    def log_probability(self, context: str, text: str) -> float | None:
        """Of a text after a context, in nats; None where this kind of client cannot tell."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Which model this is and how it is asked, as JSON values; without secrets."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether it answers at all just now: asked when a question stays unanswered."""

    @abstractmethod
    def stop(self) -> None:
        """Let threads that wait go on at once, with `Unanswered`."""
