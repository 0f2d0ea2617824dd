"""Everybody against everybody, millions of matches a second.

An agent that speaks of me and them alone is a small machine. Its state is the set of its boxes that still stand; the
state says whether it cooperates; from the state and the other's action in this round follows the next state. So each
agent becomes a table of 2 ** boxes states by 2 actions, and a round of many matches at once is one look-up a side.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tymbal.errors import TheoryError
from tymbal.theory.modal.agent import Agent, against
from tymbal.theory.modal.formula import Action, Box, Formula, actions, boxes, where

ME, THEM = Action("me", "them"), Action("them", "me")
MOST_BOXES = 7
"""distinct boxes of an agent, so that a state and an action fit into a byte"""
BLOCK = 1 << 16
"""matches at a time, so that their states stay in the processor's cache"""


class Played(NamedTuple):
    """Who cooperates, match by match."""

    left: NDArray[np.bool_]
    right: NDArray[np.bool_]


def round_robin(agents: Sequence[Agent]) -> NDArray[np.bool_]:
    """Who cooperates with whom: entry `[a, b]` says whether agent a cooperates with agent b.

    Raises `TheoryError` as `matches` does.
    """
    machines = _Machines(agents)
    left, right = np.triu_indices(len(agents))
    played = machines.play(left, right)
    cooperates = np.empty((len(agents), len(agents)), bool)
    cooperates[left, right] = played.left
    cooperates[right, left] = played.right
    return cooperates


def matches(agents: Sequence[Agent], left: NDArray[np.integer], right: NDArray[np.integer]) -> Played:
    """Match i is played by the agents of number `left[i]` and `right[i]`.

    The formulas may speak of me, them and E, with at most `MOST_BOXES` distinct boxes each. Raises `TheoryError`.
    """
    return _Machines(agents).play(left, right)


class _Machines:
    """The tables of all agents, one after the other. A state is the boxes that stand, plus `states` if it acts."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        formulas = [against(agent, ME) for agent in agents]
        found = [boxes([formula]) for formula in formulas]
        for agent, formula, of_agent in zip(agents, formulas, found, strict=True):
            _check_fit(agent, formula, len(of_agent))
        self.states = 1 << max(map(len, found), default=0)
        machines = [_machine(*each, self.states) for each in zip(formulas, found, strict=True)]
        self.first = np.array([first for first, _ in machines], np.uint8)
        self.next = np.concatenate([table for _, table in machines]) if machines else np.empty(0, np.uint8)

    def play(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> Played:
        """All the matches, a block at a time."""
        played = Played(np.empty(len(left), bool), np.empty(len(left), bool))
        for start in range(0, len(left), BLOCK):
            block = slice(start, start + BLOCK)
            played.left[block], played.right[block] = self._block(left[block], right[block])
        return played

    def _block(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> Played:
        mine, theirs = self.first[left], self.first[right]
        my_table, their_table = ((side * (2 * self.states)).astype(np.int32) for side in (left, right))
        standing, acts = np.uint8(self.states - 1), np.uint8(self.states)
        while True:
            my_next = self.next[my_table + (mine & standing | theirs & acts)]
            their_next = self.next[their_table + (theirs & standing | mine & acts)]
            if np.array_equal(my_next, mine) and np.array_equal(their_next, theirs):
                return Played(mine & acts != 0, theirs & acts != 0)
            mine, theirs = my_next, their_next


def _check_fit(agent: Agent, formula: Formula, many_boxes: int) -> None:
    if many_boxes > MOST_BOXES:
        raise TheoryError(
            expected=f"at most {MOST_BOXES} distinct boxes ([n] counts n + 1)",
            got=f"{many_boxes} in {agent}",
            do="use tournament()",
        )
    for action in actions(formula):
        if action not in (ME, THEM):
            raise TheoryError(
                expected="me, them and E alone in a round robin", got=f"{action} in {agent}", do="use tournament()"
            )


def _machine(formula: Formula, found: Sequence[Box], states: int) -> tuple[int, NDArray[np.uint8]]:
    """The first state, where all boxes stand, and the next state by `standing + states * (the other cooperates)`."""
    cases = 2 * states
    everywhere = (1 << cases) - 1
    known: dict[Formula, int] = {box: _pattern(1 << bit, cases) for bit, box in enumerate(found)}
    acts = where(formula, known, everywhere)
    known |= {ME: acts, THEM: _pattern(states, cases)}
    standing = np.arange(cases, dtype=np.uint8) % states
    for bit, box in enumerate(found):
        fails = everywhere ^ where(box.body, known, everywhere)
        standing &= ~(np.uint8(1 << bit) * _bits(fails, cases))
    first = (1 << len(found)) - 1
    return first + states * (acts >> first & 1), standing + np.uint8(states) * _bits(acts, cases)[standing]


def _pattern(period: int, cases: int) -> int:
    """The cases, as bits, in whose number the bit of this value is set."""
    return sum(((1 << period) - 1) << start for start in range(period, cases, 2 * period))


def _bits(chosen: int, cases: int) -> NDArray[np.uint8]:
    packed = np.frombuffer(chosen.to_bytes((cases + 7) // 8, "little"), np.uint8)
    return np.unpackbits(packed, count=cases, bitorder="little")
