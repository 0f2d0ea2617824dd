"""Asking many questions: several at once, again where an answer cannot be read, and every failure counted.

Replies come in the order of the questions. A question that stays unanswered though the client answers others is counted
as a failure. Where the client answers nothing any more, or refuses one question after the other, it is taken to be out
of order and `EndpointError` is raised; with a `Cached` client all that was answered is on disk by then.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tymbal.errors import EndpointError
from tymbal.explain.chat.client import Client, Completion, Question, Unanswered, Usage
from tymbal.explain.chat.forms import Unreadable

ATTEMPTS = 2
"""how often a question is asked whose answer cannot be read"""
PATIENCE = 5
"""questions in a row that may be refused"""
RESUME = "the answers so far are kept: give the same command again to go on"


@dataclass(frozen=True)
class Reply:
    """What became of a question."""

    answer: Any
    """as the question's form reads it; None where nothing usable came"""
    failures: int
    """attempts without a usable answer"""
    reason: str = ""
    """why the last of them was none"""
    unanswered: bool = False
    """whether nothing came at all, as opposed to something unreadable"""


def ask(client: Client, questions: Iterable[Question], usage: Usage | None = None) -> Iterator[Reply]:
    """One reply a question, in their order; `usage` is added to. Raises `EndpointError`."""
    usage = usage if usage is not None else Usage()
    left = iter(questions)
    pool = ThreadPoolExecutor(max_workers=client.concurrency, thread_name_prefix="ask")
    waiting: deque[Future[tuple[Reply, list[Completion]]]] = deque()
    in_a_row = 0
    try:
        while True:
            for question in islice(left, 2 * client.concurrency - len(waiting)):
                waiting.append(pool.submit(_asked, client, question))
            if not waiting:
                return
            reply, made = waiting.popleft().result()
            for completion in made:
                usage.add(completion)
            in_a_row = in_a_row + 1 if reply.unanswered else 0
            if in_a_row >= PATIENCE:
                raise EndpointError(expected=f"{client.model} to answer", got=reply.reason, do=RESUME)
            yield reply
    except GeneratorExit:
        raise
    except BaseException:
        client.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _asked(client: Client, question: Question) -> tuple[Reply, list[Completion]]:
    """What became of one question, and the completions that this took."""
    made: list[Completion] = []
    reason = ""
    for attempt in range(ATTEMPTS):
        try:
            made.append(client.complete(question, attempt))
        except Unanswered as error:
            if error.passing and not client.alive():
                raise EndpointError(expected=f"{client.model} to answer", got=str(error), do=RESUME) from error
            return Reply(None, attempt + 1, str(error), unanswered=True), made
        try:
            return Reply(question.form.read(made[-1].text, made[-1].alternatives), attempt), made
        except Unreadable as error:
            reason = str(error)
    return Reply(None, ATTEMPTS, reason), made
