"""Any endpoint that speaks OpenAI's chat completions, over HTTP.

1. A request asks for one completion at temperature 0, with the form of the answer as a JSON schema, and where digits
   are asked for with log-probabilities.
2. What may pass (time-outs, broken connections, 408, 409, 425, 429, 5xx, an answer that is no JSON) is tried again,
   after a wait that doubles, is drawn at random between half and all of that, and is never shorter than `Retry-After`.
   A 429 makes all threads wait.
3. What cannot pass for any question (401, 403, 404, a redirect) raises `EndpointError`; what concerns one question,
   such as a prompt that is too long (400), leaves that one unanswered.

An answer is read in pieces up to `MOST_BYTES`, and within a time limit for the whole of it: a server that sends a byte
a minute holds nobody up. Source of the layout: OpenAI's API reference, "Create chat completion".
"""

import email.utils
import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, final

import httpx

from tymbal.errors import EndpointError
from tymbal.explain.chat.client import Client, Completion, Question, Unanswered
from tymbal.explain.chat.forms import Alternatives, Digits, Unreadable, cleaned

MOST_BYTES = 4 << 20
"""an answer beyond this is not read to its end"""
_PASSING = frozenset({408, 409, 425, 429})
_FINAL = frozenset({401, 403, 404, 405})
_RESUME = "check the address, the model's name and the key, then give the same command again"


@dataclass(frozen=True, kw_only=True)
class EndpointConfig:
    """Where a language model is asked, and how patiently."""

    url: str
    """up to and including the version, such as http://localhost:8000/v1"""
    model: str
    """its name there"""
    json_schema: bool = True
    """send the form of the answer as a JSON schema; some servers refuse that"""
    log_probabilities: bool = True
    """ask for log-probabilities where digits are asked for; some servers refuse that"""
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """the name by which the server knows the most tokens of an answer"""
    thinking_tokens: int = 0
    """tokens allowed for thoughts before the answer"""
    concurrency: int = 8
    """requests under way at once"""
    timeout: float = 120.0
    """seconds for one request, from its beginning to the last byte of its answer"""
    tries: int = 6
    """how often a request is made that fails in a way that may pass"""
    first_wait: float = 1.0
    """seconds before the second try; each further wait is twice as long"""
    longest_wait: float = 120.0
    """seconds waited at most, also when the server asks for longer"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.url.startswith(("http://", "https://")):
            raise EndpointError(
                expected="an address that begins with http:// or https://",
                got=repr(self.url),
                do="give one such as http://localhost:8000/v1",
            )
        for name in ("concurrency", "tries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("timeout", "first_wait", "longest_wait"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


@final
class Endpoint(Client):
    """A language model at an address."""

    def __init__(self, config: EndpointConfig, key: str | None = None) -> None:
        self.config = config
        self.model, self.concurrency = config.model, config.concurrency
        self._address = f"{config.url.rstrip('/')}/chat/completions"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        limits = httpx.Limits(max_connections=config.concurrency)
        self._http = httpx.Client(headers=headers, timeout=config.timeout, limits=limits)
        self._stopped = threading.Event()
        self._not_before = 0.0

    def request(self, question: Question, attempt: int) -> dict[str, Any]:
        """The address and the body."""
        config, form = self.config, question.form
        body: dict[str, Any] = {
            "model": config.model,
            "messages": [
                {"role": "system", "content": question.instructions},
                {"role": "user", "content": question.prompt},
            ],
            "temperature": 0,
            "seed": attempt,
            config.limit: form.most_tokens + config.thinking_tokens,
        }
        if config.json_schema:
            schema = {"name": "answer", "strict": True, "schema": form.schema()}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if config.log_probabilities and isinstance(form, Digits):
            body |= {"logprobs": True, "top_logprobs": 10}
        return {"address": self._address, "body": body}

    def complete(self, question: Question, attempt: int) -> Completion:
        """Ask, patiently; raises `Unanswered` and `EndpointError`."""
        body = self.request(question, attempt)["body"]
        reason = "no try"
        for turn in range(self.config.tries):
            self._wait_until(self._not_before)
            asked_to_wait = 0.0
            try:
                answer = self._post(body)
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = f"{type(error).__name__} at {self._address}"
            else:
                if answer.status == 200:
                    try:
                        return _completion(answer.content)
                    except Unreadable as error:
                        reason = f"an answer that is {error}"
                else:
                    reason = self._refusal(answer)
                    asked_to_wait = _retry_after(answer.headers)
            if turn + 1 < self.config.tries:
                self._hold(turn, asked_to_wait, everybody=reason.startswith("429"))
        raise Unanswered(f"{reason}, after {self.config.tries} tries", passing=True)

    def log_probability(self, context: str, text: str) -> float | None:  # noqa: ARG002
        """None: chat completions do not tell it of a given text."""
        return None

    def identity(self) -> dict[str, Any]:
        """The address, the model, and what changes its answers."""
        kept = ("url", "model", "json_schema", "log_probabilities", "thinking_tokens")
        return {"client": "endpoint", **{name: value for name, value in asdict(self.config).items() if name in kept}}

    def alive(self) -> bool:
        """Whether the least of questions is answered at once."""
        if self._stopped.is_set():
            return True  # nobody wants to know any more
        try:
            least = Question(instructions="Answer in JSON.", prompt='{"answers": [0]}', form=Digits(1, 0))
            return self._post(self.request(least, 0)["body"]).status == 200
        except (httpx.TransportError, httpx.DecodingError, Unanswered):
            return False

    def stop(self) -> None:
        """Let threads that wait go on at once."""
        self._stopped.set()

    def _post(self, body: dict[str, Any]) -> _Answer:
        """One request, within the limits of time and size; raises what `httpx` raises, and `Unanswered`."""
        deadline = time.monotonic() + self.config.timeout
        with self._http.stream("POST", self._address, json=body) as response:
            pieces, size = [], 0
            for piece in response.iter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    raise Unanswered(f"{response.status_code} and an answer of over {MOST_BYTES >> 20} MiB")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("an answer that does not end")
            return _Answer(response.status_code, response.headers, b"".join(pieces))

    def _refusal(self, answer: _Answer) -> str:
        """In words, where another try may help; raises where none will."""
        told = cleaned(answer.content.decode("utf-8", "replace"), 160)
        reason = f"{answer.status} {told}".strip()
        if answer.status in _FINAL or 300 <= answer.status < 400:
            raise EndpointError(expected=f"{self.config.model} at {self._address}", got=reason, do=_RESUME)
        if answer.status in _PASSING or answer.status >= 500:
            return reason
        raise Unanswered(reason)

    def _hold(self, turn: int, asked: float, *, everybody: bool) -> None:
        """Wait before another try."""
        config = self.config
        doubled = config.first_wait * 2**turn * random.uniform(0.5, 1.0)
        until = time.monotonic() + min(config.longest_wait, max(doubled, asked))
        if everybody:
            self._not_before = max(self._not_before, until)
        self._wait_until(until)

    def _wait_until(self, moment: float) -> None:
        if self._stopped.wait(max(0.0, moment - time.monotonic())):
            raise Unanswered("stopped", passing=True)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait: a number, or a date."""
    told = headers.get("retry-after", "")
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _completion(content: bytes) -> Completion:
    """What an answer holds; raises `Unreadable` where it is not laid out as it should be."""
    try:
        answer = json.loads(content)
        choice = answer["choices"][0]
        text = choice["message"]["content"]
    except (ValueError, RecursionError, KeyError, IndexError, TypeError) as error:
        raise Unreadable("no chat completion") from error
    if text is not None and not isinstance(text, str):
        raise Unreadable("no chat completion")
    usage = answer.get("usage")
    return Completion(
        text=text or "",
        alternatives=_alternatives(choice),
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
    )


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value < 1 << 40 else 0


def _alternatives(choice: dict[str, Any]) -> Alternatives | None:
    """Of the tokens that hold a digit: what else might have stood there; None where that is not properly told."""
    try:
        found = []
        for token in choice["logprobs"]["content"]:
            if any(sign.isdigit() for sign in token["token"]):
                others = {one["token"]: float(one["logprob"]) for one in token["top_logprobs"]}
                found.append(others | {token["token"]: float(token["logprob"])})
        return found or None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
