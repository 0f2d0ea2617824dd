"""Asking a judge to rate windows, a few at a time, several questions at once.

Windows of a feature are mixed before they are cut into questions, so that their order tells nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any, NamedTuple

import numpy as np

from tymbal.explain.chat import Client, Digits, Question, Usage, ask
from tymbal.explain.judged.measures import Rated, contrasts
from tymbal.explain.judged.scorer import Case, ScoreConfig, Verdict
from tymbal.explain.prompts import numbered, quoted
from tymbal.explain.windows import Window

SUREST = 9
"""The highest digit by which a judge says how sure it is; 0 is the lowest."""


class Item(NamedTuple):
    """A window as it is shown, and what is known of it."""

    text: str
    active: bool
    hard: bool
    window: Window


class Ratings(NamedTuple):
    """What a judge said of one feature's windows."""

    items: list[Item]
    values: list[float | None]
    """None where it did not answer"""
    asked: int
    failures: int
    reason: str

    def rated(self) -> list[Rated]:
        """Each window with its rating."""
        pairs = zip(self.items, self.values, strict=True)
        return [Rated(value, item.active, item.hard, item.window.passage) for item, value in pairs]


def contrasted(
    judge: Client,
    cases: Sequence[Case],
    items_of: Callable[[Case, ScoreConfig], list[Item]],
    instructions: str,
    config: ScoreConfig,
    usage: Usage,
) -> Iterator[Verdict]:
    """How well a judge tells active windows from silent and from hard ones, by how sure it is of each."""
    ratings = rate(judge, cases, items_of, instructions, config, usage, most=SUREST)
    for case, found in zip(cases, ratings, strict=True):
        values = contrasts(found.rated(), SUREST / 2, draws=config.draws, seed=config.seed)
        yield Verdict(case.feature, values, found.asked, found.failures, found.reason)


def rate(
    judge: Client,
    cases: Sequence[Case],
    items_of: Callable[[Case, ScoreConfig], list[Item]],
    instructions: str,
    config: ScoreConfig,
    usage: Usage,
    *,
    most: int,
) -> Iterator[Ratings]:
    """A judge's ratings, from 0 to `most`, of each case's windows, in the order of the cases."""
    mixed = [_mixed(items_of(case, config), config.seed, case.feature) for case in cases]
    questions = (
        Question(
            instructions=instructions,
            prompt=f"Description: {quoted(case.words)}\nTexts:\n{numbered(quoted(item.text) for item in group)}",
            form=Digits(len(group), most),
        )
        for case, items in zip(cases, mixed, strict=True)
        for group in groups(items, config.together)
    )
    replies = ask(judge, questions, usage)
    for items in mixed:
        own = [list(group) for group in groups(items, config.together)]
        values: list[float | None] = []
        failures, reason = 0, ""
        for group, reply in zip(own, islice(replies, len(own)), strict=True):
            values += [None] * len(group) if reply.answer is None else reply.answer.values
            failures, reason = failures + reply.failures, reply.reason or reason
        yield Ratings(items, values, len(own), failures, reason)


def groups(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """As few groups as keep to a size, all about equally large."""
    count = -(-len(items) // size)
    bounds = [round(len(items) * number / count) for number in range(count + 1)] if count else [0]
    return (items[begin:end] for begin, end in pairwise(bounds))


def _mixed(items: list[Item], seed: int, feature: int) -> list[Item]:
    order = np.random.default_rng([seed, feature, 30]).permutation(len(items))
    return [items[place] for place in order]
