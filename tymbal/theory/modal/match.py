"""Matches, games and tournaments: outcome, trace and certificate of each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from tymbal.artifact import write_atomically
from tymbal.errors import TheoryError, listed
from tymbal.theory.modal import checker
from tymbal.theory.modal.agent import Agent, game_equations, match_equations
from tymbal.theory.modal.derivation import Certificate, certify
from tymbal.theory.modal.evaluation import Trace, evaluate
from tymbal.theory.modal.formula import Action
from tymbal.theory.modal.library import LIBRARY
from tymbal.theory.modal.parser import WORDS


@dataclass(frozen=True)
class Match:
    """One game that has been played out, by two or by many."""

    players: Mapping[str, Agent]
    actions: tuple[Action, ...]
    """what each player does in this game"""
    trace: Trace

    @property
    def outcome(self) -> str:
        """C or D for each player: what they do, that is, what is true."""
        return "".join("DC"[self.trace.cooperates(action)] for action in self.actions)

    @property
    def levels(self) -> tuple[int, ...]:
        """For each player the least n such that PA+n proves what they do; 0 is Peano arithmetic itself."""
        return tuple(self.trace.level(action) for action in self.actions)

    @property
    def equations(self) -> dict[str, str]:
        """What the certificate rests on: each action and the formula that it is equivalent to."""
        return {str(action): str(formula) for action, formula in self.trace.equations.items()}

    @cached_property
    def certificate(self) -> Certificate:
        """A derivation in GL of what each player does, and a Kripke countermodel where PA alone cannot prove it."""
        return certify(self.trace, list(dict.fromkeys(self.actions)))

    def verified(self) -> list[str]:
        """What the independent checker says that the certificate shows; raises `checker.RejectedError`."""
        return checker.check(self.certificate, self.equations)

    def write_certificate(self, path: Path) -> None:
        """Write equations and certificate as JSON; `python tymbal/theory/modal/checker.py < FILE` reads it."""
        written = json.dumps({"equations": self.equations, "certificate": self.certificate}, indent=1)
        write_atomically(path, lambda file: file.write_text(written + "\n", encoding="utf-8"))


@dataclass(frozen=True)
class Table:
    """A tournament: every agent against every one, itself included; `table[FairBot, "DefectBot"]` is a match."""

    agents: Mapping[str, Agent]
    matches: Mapping[tuple[str, str], Match]

    def __getitem__(self, pair: tuple[Agent | str, Agent | str]) -> Match:
        row, column = (self._name(which) for which in pair)
        return self.matches[row, column]

    def _name(self, which: Agent | str) -> str:
        wanted = as_agent(which) if isinstance(which, Agent) else which
        for name, agent in self.agents.items():
            if wanted in (name, agent):
                return name
        raise TheoryError(expected=f"one of {listed(self.agents)}", got=str(which), do="name an agent of the table")


def duel(left: Agent | str, right: Agent | str) -> Match:
    """Two agents, or formulas, or names from the library, against each other. Raises `TheoryError`."""
    pair = [as_agent(left), as_agent(right)]
    agents = distinct_names(pair, unnamed=("Left", "Right"))
    names = {agent: name for name, agent in agents.items()}
    return _match(agents, names[pair[0]], names[pair[1]])


def tournament(agents: Iterable[Agent | str]) -> Table:
    """Every agent against every one, itself included. Raises `TheoryError`."""
    names = distinct_names([as_agent(agent) for agent in agents])
    return Table(names, {(row, column): _match(names, row, column) for row in names for column in names})


def play(players: Mapping[str, Agent | str] | Sequence[Agent | str]) -> Match:
    """One game of all the players at once, such as `play({"Alice": "[]Bob", "Bob": "[]Alice"})`.

    Players without a name are called `P1`, `P2`, ... Raises `TheoryError`.
    """
    named = players if isinstance(players, Mapping) else {f"P{n}": player for n, player in enumerate(players, 1)}
    agents = {name: as_agent(player) for name, player in named.items()}
    return Match(agents, tuple(map(Action, agents)), evaluate(game_equations(agents)))


def as_agent(given: Agent | str) -> Agent:
    """An agent by its name in the library or by its formula; a nameless one with a formula from there is that one."""
    if isinstance(given, str) and given in LIBRARY:
        return LIBRARY[given]
    if isinstance(given, str) and given.isidentifier() and given not in ("true", "false", *WORDS):
        near = get_close_matches(given, LIBRARY, n=1)
        advice = f"did you mean {near[0]}?" if near else "name one of these, or write a formula"
        raise TheoryError(expected=f"one of the agents {listed(LIBRARY)}", got=repr(given), do=advice)
    agent = Agent(given) if isinstance(given, str) else given
    if agent.name or agent.knows:
        return agent
    return next((known for known in LIBRARY.values() if known.formula == agent.formula), agent)


def distinct_names(agents: Sequence[Agent], unnamed: Sequence[str] = ()) -> dict[str, Agent]:
    """The agents by name, each listed once; a nameless one takes its name from `unnamed`, or is Agent1, Agent2, ...

    Raises `TheoryError` where one name stands for two different agents.
    """
    named: dict[str, Agent] = {}
    for place, agent in enumerate(dict.fromkeys(agents)):
        name = agent.name or (unnamed[place] if place < len(unnamed) else f"Agent{place + 1}")
        if name in named:
            raise TheoryError(
                expected="one agent of each name",
                got=f"two called {name}: {named[name].source} and {agent.source}",
                do="rename one of them",
            )
        named[name] = agent
    return named


def _match(agents: Mapping[str, Agent], left: str, right: str) -> Match:
    players = {name: agents[name] for name in (left, right)}
    return Match(players, (Action(left, right), Action(right, left)), evaluate(match_equations(agents, left, right)))
