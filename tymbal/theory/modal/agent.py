"""Agents as formulas about each other, and the equations that a game between them gives.

The program "search for a proof that the other cooperates with me; if there is one, cooperate" is the formula
`[]them(me)`. A match between two programs gives two such sentences about each other; they are the unknowns of a system
of equations that has one solution only, since every unknown stands inside a box (the fixed point theorem of GL).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tymbal.errors import TheoryError, listed
from tymbal.theory.modal import formula as formulas
from tymbal.theory.modal.formula import Action, Formula, conjunction
from tymbal.theory.modal.parser import WORDS, parse, pointed

Equations = Mapping[Action, Formula]
"""For each action the formula that it is equivalent to, provably."""


@dataclass(frozen=True)
class Agent:
    """An agent that cooperates if and only if its formula holds. `parser` says how a formula is written.

    `knows` are the agents that the formula may name beside those of the library. Raises `TheoryError`.
    """

    source: str
    name: str = ""
    knows: Sequence["Agent"] = ()
    formula: Formula = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if self.name and (self.name in WORDS or not re.fullmatch(r"[A-Za-z_]\w*", self.name)):
            raise TheoryError(
                expected=f"an agent's name of letters, digits and _, none of {listed(WORDS)}",
                got=repr(self.name),
                do="choose another name",
            )
        object.__setattr__(self, "knows", tuple(self.knows))
        object.__setattr__(self, "formula", parse(self.source, self.acquaintances()))

    def acquaintances(self) -> dict[str, "Agent"]:
        """The agents that the formula may name: those of the library, and `knows`."""
        return {**_library(), **{agent.name: agent for agent in self.knows}}

    @property
    def depth(self) -> int:
        """How deep its boxes are nested, `[n]` counting n + 1: what its proofs cost, in the paper's sense."""
        return formulas.depth(self.formula)

    def __str__(self) -> str:
        return self.name or self.source


def _library() -> Mapping[str, Agent]:
    from tymbal.theory.modal import library  # which is made of agents, and empty while it makes them

    return getattr(library, "LIBRARY", {})


def match_equations(agents: Mapping[str, Agent], left: str, right: str) -> dict[Action, Formula]:
    """The equations of a match between two of the agents, which may be the same, and of every match that it refers to.

    Raises `TheoryError` where one name stands for two agents, or where a formula names a player who is not there.
    """
    known = dict(agents)
    equations: dict[Action, Formula] = {}
    open_ = [Action(right, left), Action(left, right)]
    while open_:
        action = open_.pop()
        if action in equations:
            continue
        agent = known[action.player]
        _introduce(known, agent)
        equations[action] = against(agent, action)
        open_ += list(formulas.actions(equations[action]))[::-1]
    return equations


def _introduce(known: dict[str, Agent], agent: Agent) -> None:
    acquaintances = agent.acquaintances()
    for mention in formulas.actions(agent.formula):
        for name in (mention.player, mention.against):
            if name in acquaintances and known.setdefault(name, acquaintances[name]) != acquaintances[name]:
                raise TheoryError(
                    expected="one agent of each name",
                    got=f"two different ones called {name}: {known[name].source} and {acquaintances[name].source}",
                    do="rename one of them",
                )


def against(agent: Agent, action: Action) -> Formula:
    """The agent's formula as it acts in `action`: with the players of that match in it. Raises `TheoryError`."""
    return formulas.with_actions(agent.formula, partial(_in_match, agent, action))


def _in_match(agent: Agent, mine: Action, mention: Action) -> Formula:
    me, them = mine.player, mine.against
    theirs = Action(them, me)
    if mention.against:
        names = {"me": me, "them": them}
        return Action(names.get(mention.player, mention.player), names.get(mention.against, mention.against))
    match mention.player:
        case "me":
            return mine
        case "them" | "others" | "next":
            return theirs
        case "E":
            return conjunction((mine, theirs))
    raise _absent(agent, mention.player, "write me or them, or P(Q) for what P does against Q")


def game_equations(players: Mapping[str, Agent]) -> dict[Action, Formula]:
    """The equations of one game that all the players play at once; `next` goes round in the order given.

    Raises `TheoryError` for a formula about another game (`P(Q)`), a player who is not there, or a lone player.
    """
    seats = [Action(name) for name in players]
    if len(seats) < 2:
        raise TheoryError(expected="two players or more", got=str(len(seats)), do="add players")
    equations: dict[Action, Formula] = {}
    for place, (seat, agent) in enumerate(zip(seats, players.values(), strict=True)):
        others = seats[:place] + seats[place + 1 :]
        words: dict[str, Formula] = {
            **{name: Action(name) for name in players},
            "me": seat,
            "next": seats[(place + 1) % len(seats)],
            "E": conjunction(seats),
            "others": conjunction(others),
        }
        if len(others) == 1:
            words["them"] = others[0]
        equations[seat] = formulas.with_actions(agent.formula, partial(_in_game, agent, list(players), words))
    return equations


def _in_game(agent: Agent, players: Sequence[str], words: Mapping[str, Formula], mention: Action) -> Formula:
    if mention.against:
        raise TheoryError(
            expected="formulas about this game alone",
            got=f"{mention} in {agent}",
            do="name a player, or write me, next, others or E",
        )
    if mention.player not in words:
        raise _absent(agent, mention.player, f"the players here are {listed(players)}")
    return words[mention.player]


def _absent(agent: Agent, name: str, advice: str) -> TheoryError:
    place = re.search(rf"\b{re.escape(name)}\b", agent.source)
    return TheoryError(
        expected="players of this game",
        got=f"{name!r} in the formula of {agent}",
        do=advice + pointed(agent.source, place.start() if place else 0),
    )
