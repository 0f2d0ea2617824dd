"""Games of very many players, solved event by event.

`evaluation` computes every box anew in every round, which for a ring of n players with n rounds takes n * n steps. Here
the players' formulas become one network of threshold gates (`and`: all inputs, `or`: one, `E >= k`: k), kept as arrays;
after the first round only what hangs on a change is computed again, so that the work is in proportion to the changes.

Nodes are numbered so that each gate comes after its inputs: boxes, gates that decide actions, counts of actions, gates
inside boxes. An edge may invert. The edge from a body to its box takes a round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tymbal.errors import TheoryError
from tymbal.theory.modal.agent import Agent
from tymbal.theory.modal.formula import (
    Action,
    And,
    AtLeast,
    Box,
    Constant,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
)


@dataclass(frozen=True)
class Settled:
    """What each player does in the end."""

    cooperates: NDArray[np.bool_]
    level: NDArray[np.int64]
    """the least n such that PA+n proves what the player does"""
    rounds: int
    """rounds until nothing changes"""


class _Input(NamedTuple):
    """Where a gate's value comes from: a box or gate of the same player, `me`, `next`, or a count; perhaps inverted."""

    source: int | str
    inverted: bool = False

    def inverse(self) -> "_Input":
        return _Input(self.source, not self.inverted)


class _Gate(NamedTuple):
    """True where at least `threshold` inputs are."""

    threshold: int
    inputs: tuple[_Input, ...]
    inside: bool
    """whether it stands inside a box, and so may depend on actions"""


class _Template:
    """One agent's formula as gates and boxes, which its players share. Box number b is the source -1 - b."""

    def __init__(self, agent: Agent, players: int) -> None:
        self.agent = agent
        self.players = players
        self.gates: list[_Gate] = []
        self.bodies: list[_Input] = []
        self.counts: set[int] = set()
        self._boxes: dict[Box, int] = {}
        self._known: dict[Formula, _Input] = {}
        acts = self._input(agent.formula, False)
        self.acts = self._gate(1, [acts], False).source if acts.inverted else acts.source
        while len(self.bodies) < len(self._boxes):
            self.bodies.append(self._input(list(self._boxes)[len(self.bodies)].body, True))

    def _input(self, formula: Formula, inside: bool) -> _Input:
        if isinstance(formula, Not):
            return self._input(formula.body, inside).inverse()
        if isinstance(formula, Box):
            return _Input(-1 - self._boxes.setdefault(formula, len(self._boxes)))
        if formula not in self._known:
            self._known[formula] = self._made(formula, inside)
        return self._known[formula]

    def _made(self, formula: Formula, inside: bool) -> _Input:
        def gate(threshold: int, *parts: Formula) -> _Input:
            return self._gate(threshold, [self._input(part, inside) for part in parts], inside)

        match formula:
            case Constant(value):
                return gate(0 if value else 1)
            case And(parts):
                return gate(len(parts), *parts)
            case Or(parts):
                return gate(1, *parts)
            case Implies(left, right):
                return gate(1, Not(left), right)
            case Iff(left, right):
                return gate(1, And((left, right)), And((Not(left), Not(right))))
            case Action("me" | "next" as word, ""):
                return _Input(word)
            case Action("E", ""):
                return self._count(self.players)
            case Action("others", ""):
                return self._others(self.players - 1)
            case AtLeast(count, (Action("E"),)):
                return self._count(count)
            case AtLeast(count, (Action("others"),)):
                return self._others(count)
        raise TheoryError(
            expected="me, next, others and E alone in a game of very many",
            got=f"{formula} in {self.agent}",
            do="name no players, or use play()",
        )

    def _others(self, count: int) -> _Input:
        """At least `count` others: of everybody it takes one more where I am one of them."""
        me = _Input("me")
        with_me = self._gate(2, [me, self._count(count + 1)], True)
        without_me = self._gate(2, [me.inverse(), self._count(count)], True)
        return self._gate(1, [with_me, without_me], True)

    def _count(self, count: int) -> _Input:
        self.counts.add(count)
        return _Input(f"E{count}")

    def _gate(self, threshold: int, inputs: list[_Input], inside: bool) -> _Input:
        self.gates.append(_Gate(threshold, tuple(inputs), inside))
        return _Input(len(self.gates) - 1)


class _Edges(NamedTuple):
    """Edges sorted by source: those of node s are at start[s] .. start[s + 1]."""

    start: list[int]
    target: list[int]
    inverted: list[bool]


class _Network:
    """All players' nodes, and their values in the first round, where every box is true."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self.players = len(agents)
        kinds = list({id(agent): agent for agent in agents}.values())
        number = {id(agent): kind for kind, agent in enumerate(kinds)}
        kind_of = np.fromiter((number[id(agent)] for agent in agents), np.int64, self.players)
        self.templates = [_Template(agent, self.players) for agent in kinds]
        self.seats = [np.flatnonzero(kind_of == kind) for kind in range(len(kinds))]
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        """Number the nodes, box by box and gate by gate, each for all players of a template."""
        self.box_at: list[list[int]] = []
        self.gate_at: list[list[int]] = [[0] * len(template.gates) for template in self.templates]
        self.nodes = 0
        for template, seats in zip(self.templates, self.seats, strict=True):
            self.box_at.append([self._numbers(len(seats)) for _ in template.bodies])
        self.boxes = self.nodes
        self._lay_gates(inside=False)
        self.count_at = {count: self._numbers(1) for count in sorted(set().union(*(t.counts for t in self.templates)))}
        self._lay_gates(inside=True)
        self.acts = np.empty(self.players, np.int64)
        for kind, (template, seats) in enumerate(zip(self.templates, self.seats, strict=True)):
            assert isinstance(template.acts, int)
            self.acts[seats] = self._own(kind, template.acts) + np.arange(len(seats))

    def _lay_gates(self, *, inside: bool) -> None:
        for kind, template in enumerate(self.templates):
            for place, gate in enumerate(template.gates):
                if gate.inside == inside:
                    self.gate_at[kind][place] = self._numbers(len(self.seats[kind]))

    def _numbers(self, many: int) -> int:
        self.nodes += many
        return self.nodes - many

    def _own(self, kind: int, source: int) -> int:
        return self.gate_at[kind][source] if source >= 0 else self.box_at[kind][-1 - source]

    def _sources(self, kind: int, input_: _Input) -> NDArray[np.int64]:
        """The node of this input for each player of a template."""
        seats = self.seats[kind]
        match input_.source:
            case int(own):
                return self._own(kind, own) + np.arange(len(seats))
            case "me":
                return self.acts[seats]
            case "next":
                return self.acts[(seats + 1) % self.players]
            case str(count):
                return np.full(len(seats), self.count_at[int(count[1:])])

    def _connect(self) -> None:
        value = np.zeros(self.nodes, bool)
        value[: self.boxes] = True
        true_inputs, threshold = np.zeros(self.nodes, np.int64), np.zeros(self.nodes, np.int64)
        into_gates: list[tuple[NDArray[np.int64], NDArray[np.int64], bool]] = []

        def connect(kind: int, place: int, gate: _Gate) -> None:
            at = self.gate_at[kind][place] + np.arange(len(self.seats[kind]))
            for input_ in gate.inputs:
                sources = self._sources(kind, input_)
                into_gates.append((sources, at, input_.inverted))
                true_inputs[at] += value[sources] != input_.inverted
            threshold[at] = gate.threshold
            value[at] = true_inputs[at] >= gate.threshold

        for inside in (False, True):
            for kind, template in enumerate(self.templates):
                for place, gate in enumerate(template.gates):
                    if gate.inside == inside:
                        connect(kind, place, gate)
            if not inside:
                for count, at in self.count_at.items():
                    into_gates.append((self.acts, np.full(self.players, at), False))
                    true_inputs[at], threshold[at] = value[self.acts].sum(), count
                    value[at] = true_inputs[at] >= count
        into_boxes = [
            (self._sources(kind, body), self.box_at[kind][box] + np.arange(len(self.seats[kind])), body.inverted)
            for kind, template in enumerate(self.templates)
            for box, body in enumerate(template.bodies)
        ]
        self.value, self.true_inputs, self.threshold = value, true_inputs, threshold
        self.into_gates, self.into_boxes = self._edges(into_gates), self._edges(into_boxes)
        failing = [at[value[sources] == inverted] for sources, at, inverted in into_boxes]
        self.failing: list[int] = np.concatenate([np.empty(0, np.int64), *failing]).tolist()

    def _edges(self, parts: list[tuple[NDArray[np.int64], NDArray[np.int64], bool]]) -> _Edges:
        empty = np.empty(0, np.int64)
        source = np.concatenate([empty, *(part[0] for part in parts)])
        target = np.concatenate([empty, *(part[1] for part in parts)])
        inverted = np.concatenate([np.empty(0, bool), *(np.full(len(part[0]), part[2]) for part in parts)])
        order = np.argsort(source, kind="stable")
        start = np.searchsorted(source[order], np.arange(self.nodes + 1))
        return _Edges(start.tolist(), target[order].tolist(), inverted[order].tolist())


def settle(agents: Sequence[Agent]) -> Settled:
    """One game of all the agents at once, in the order of `next`, for games too large for `play`.

    Their formulas may speak of me, next, others, E and counts of these. Raises `TheoryError` for others.
    """
    if len(agents) < 2:
        raise TheoryError(expected="two players or more", got=str(len(agents)), do="add players")
    network = _Network(agents)
    values = _Values(network)
    rounds, failing = 0, network.failing
    while failing:
        rounds += 1
        failing = values.fail(values.strike(failing, rounds))
    return Settled(np.array(values.value)[network.acts], np.array(values.level)[network.acts], rounds)


class _Values:
    """The values of all nodes as rounds go by; plain lists, since each event touches few of them."""

    def __init__(self, network: _Network) -> None:
        self.value: list[bool] = network.value.tolist()
        self.level = [0] * network.nodes
        """the round of each node's last change"""
        self._true_inputs: list[int] = network.true_inputs.tolist()
        self._threshold: list[int] = network.threshold.tolist()
        self._gates, self._boxes, self._first_gate = network.into_gates, network.into_boxes, network.boxes

    def strike(self, boxes: list[int], round_: int) -> list[int]:
        """Let these boxes be false from this round on; return all nodes that change."""
        value, true_inputs, threshold = self.value, self._true_inputs, self._threshold
        start, targets, inverted = self._gates
        changed: list[int] = []
        waiting = sorted(boxes)
        queued = set(waiting)
        while waiting:
            node = heappop(waiting)  # after all its inputs, which have lower numbers
            if node >= self._first_gate and (true_inputs[node] >= threshold[node]) == value[node]:
                continue
            value[node] = not value[node]
            self.level[node] = round_
            changed.append(node)
            for edge in range(start[node], start[node + 1]):
                target = targets[edge]
                true_inputs[target] += 1 if value[node] != inverted[edge] else -1
                if target not in queued:
                    queued.add(target)
                    heappush(waiting, target)
        return changed

    def fail(self, changed: list[int]) -> list[int]:
        """The boxes that stand and whose body one of these changes has made false."""
        value = self.value
        start, targets, inverted = self._boxes
        return [
            targets[edge]
            for node in changed
            for edge in range(start[node], start[node + 1])
            if value[targets[edge]] and value[node] == inverted[edge]
        ]
