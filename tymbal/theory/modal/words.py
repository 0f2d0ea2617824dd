"""The outcome of a match and its reason, in words that ask for no logic."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from textwrap import fill

from tymbal.theory.modal.agent import Agent
from tymbal.theory.modal.equilibrium import Equilibrium
from tymbal.theory.modal.formula import (
    FALSE,
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
    actions,
    children,
    split_level,
)
from tymbal.theory.modal.frames import LOOP, frames, stubborn
from tymbal.theory.modal.match import Match, Table

Said = Callable[[Action, bool], str]
"""Words for "this action is taken" or, with False, for "it is not"."""

WIDTH = 110
METHOD = (
    "How it is decided: suppose at first that every proof exists, and see what the players would do. Then strike out, "
    "round by round, each proof of something that was false in the round. What is never struck out can be proved."
)
LOEB = (
    "This takes Löb's theorem: what would follow from its own proof has a proof. Thinking of each other thinking of "
    "each other is not enough: in a world where all that is believed is so, they might as well not cooperate, each "
    "waiting for the other."
)
PAYOR = (
    "No Löb's theorem is needed here: on every frame of two worlds, whatever a world thinks possible, all of them "
    "cooperate. Nobody waits for the other; a choice to cooperate that can be read is met in kind (Payor's lemma)."
)
BEYOND = (
    "This is true, but has no proof in Peano arithmetic (PA), which cannot prove of anything that it has no proof "
    "(Gödel); PA+{level} proves it, which adds that {more}."
)


def policy(agent: Agent, name: str = "") -> str:
    """What an agent does, such as "FairBot cooperates if it can prove that the other cooperates"."""
    name = name or str(agent)
    if isinstance(agent.formula, Constant):
        return f"{name} always {'cooperates' if agent.formula.value else 'defects'}"
    return f"{name} cooperates if {_said(agent.formula, _in_general, 'it can prove')}"


def explain(match: Match) -> str:
    """Outcome, policies, rounds, reason and certificate of a match, as lines of text."""
    policies = (f"{_wrapped(policy(agent, name), 2)}.\n      {agent.source}" for name, agent in match.players.items())
    reasons = (_reason(match, action) for action in dict.fromkeys(match.actions))
    parts = [
        headline(match),
        "\n".join(policies),
        _wrapped(METHOD),
        _rounds(match),
        "\n\n".join(reasons),
        _lesson(match),
    ]
    return "\n\n".join([*filter(None, parts), _certified(match)])


def headline(match: Match) -> str:
    """Who does what, in a line."""
    names = list(match.players)
    if len(names) == 1:
        return f"{names[0]} against its copy: both {_does(match, match.actions[0])}."
    if len(set(match.outcome)) == 1:
        everybody = "both" if len(names) == 2 else "all"
        return f"{_listed(names)}: {everybody} {_does(match, match.actions[0])}."
    deeds = (f"{name} {_does(match, action)}s" for name, action in zip(names, match.actions, strict=True))
    return f"{_listed(names)}: {_listed(deeds)}."


def table_text(table: Table) -> str:
    """The outcomes of a tournament; a star where somebody's action is beyond the proofs of plain arithmetic."""
    width = max(len(name) for name in table.agents) + 2
    column = max(width, 5)
    rows = ["".ljust(width) + "".join(name.ljust(column) for name in table.agents)]
    for row in table.agents:
        cells = (table[row, other] for other in table.agents)
        marked = (cell.outcome + ("*" if any(cell.levels) else "") for cell in cells)
        rows.append((row.ljust(width) + "".join(cell.ljust(column) for cell in marked)).rstrip())
    return "\n".join(
        [rows[0].rstrip(), *rows[1:], "", "C cooperates, D defects: first the row, then the column.", _STAR]
    )


_STAR = (
    "* what somebody does there is true but has no proof in Peano arithmetic (PA); it has one in PA+n, which adds\n"
    "  that arithmetic is consistent, and that this is consistent, n times over."
)


def equilibria_text(found: Sequence[Equilibrium]) -> str:
    """Each equilibrium: its shares, and what everybody gets."""
    lines = ["Equilibria, the most valuable first; nobody gains by choosing another agent:"]
    for shares, value in found:
        mixture = ", ".join(f"{name} {_number(share)}" for name, share in shares.items())
        lines.append(f"  everybody gets {_number(value)}: {mixture}")
    return "\n".join(lines)


def _number(number: Fraction) -> str:
    return f"{float(number):.4g}"


def _does(match: Match, action: Action) -> str:
    return "cooperate" if match.trace.cooperates(action) else "defect"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _in_general(action: Action, taken: bool) -> str:
    """An action in an agent's formula: seen from itself."""
    who = {"me": "it", "them": "the other", "E": "everybody", "others": "every other", "next": "the next player"}
    player = who.get(action.player, action.player)
    against = {"me": "itself", "them": "the other", "": ""}.get(action.against, action.against)
    if not taken and action.player in ("E", "others"):
        return "somebody" + (" else" if action.player == "others" else "") + " defects"
    if taken:
        return f"{player} cooperates" + (f" with {against}" if against else "")
    return f"{player} defects" + (f" against {against}" if against else "")


def _by_name(action: Action, taken: bool) -> str:
    """An action of players with names."""
    other = "its copy" if action.against == action.player else action.against
    if taken:
        return f"{action.player} cooperates" + (f" with {other}" if other else "")
    return f"{action.player} defects" + (f" against {other}" if other else "")


def _said(formula: Formula, said: Said, prove: str = "it is provable") -> str:
    """The formula in words; `prove` begins the outermost boxes."""

    of = partial(_said, said=said, prove=prove)
    match formula:
        case Constant(value):
            return "a triviality holds" if value else "a contradiction holds"
        case Action():
            return said(formula, True)
        case Not(Action() as action):
            return said(action, False)
        case Box():
            return _proved(formula, said, prove)
        case Not(Box() as box):
            return _proved(box, said, {"it can prove": "it cannot prove"}.get(prove, "it is not provable"))
        case Not(Not(body)):
            return of(body)
        case Not(body):
            return f"it is not so that {of(body)}"
        case And(parts):
            return " and ".join(map(of, parts))
        case Or(parts):
            return "either " + " or ".join(map(of, parts))
        case Implies(left, right):
            return f"(if {of(left)}, then {of(right)})"
        case Iff(left, right):
            return f"({of(left)} exactly if {of(right)})"
        case AtLeast(count, (Action(group),)):
            return f"at least {count} {'others' if group == 'others' else 'players'} cooperate"
        case AtLeast(count, parts):
            return f"at least {count} of these: {', '.join(map(of, parts))}"
    raise AssertionError(formula)


def _proved(box: Box, said: Said, prove: str) -> str:
    level, body = split_level(box)
    system = f" in PA+{level}" if level else ""
    if body == FALSE:
        return f"{prove}{system} a contradiction"
    return f"{prove}{system} that {_said(body, said)}"


def _rounds(match: Match) -> str:
    """A line a round: what everybody does, and what is struck out after it."""
    trace = match.trace
    shown = list(dict.fromkeys(match.actions))
    others = [action for action in trace.equations if action not in shown]
    lines = []
    for number, round_ in enumerate(trace.rounds):
        deeds = "; ".join(_by_name(action, round_.taken[action]) for action in shown)
        lines.append(fill(deeds, WIDTH, initial_indent=f"  round {number}: ", subsequent_indent=" " * 11))
        if others:
            lines.append(_wrapped("; ".join(_by_name(action, round_.taken[action]) for action in others), 11))
        struck = dict.fromkeys(_content(box) for box in trace.boxes if trace.struck(box) == number)
        lines += [_wrapped(f"struck out: the proof that {content}", 11) for content in struck]
    return "\n".join([*lines, "           nothing more is struck out"])


def _content(box: Box) -> str:
    level, body = split_level(box)
    what = "0 = 1" if body == FALSE else _said(body, _by_name)
    return what + (f" (in PA+{level})" if level else "")


def _reason(match: Match, action: Action) -> str:
    """What an action comes down to: which proofs there are, and how far the fact itself can be proved."""
    trace = match.trace
    taken, level = trace.cooperates(action), trace.level(action)
    lines = [f"{_by_name(action, taken)}, since"]
    for box in _outermost(trace.equations[action]):
        round_ = trace.struck(box)
        if round_ is None:
            lines.append(_wrapped(f"there is a proof that {_content(box)}", 2))
        else:
            lines.append(_wrapped(f"there is no proof that {_content(box)}: that was false in round {round_}", 2))
    if len(lines) == 1:
        lines = [f"{_by_name(action, taken)}, whatever can be proved."]
    if level:
        more = "PA is consistent" + (", and so on" if level > 2 else ", and that PA with this is" if level == 2 else "")
        lines.append(_wrapped(BEYOND.format(level=level, more=more), 2))
    return "\n".join(lines)


def _outermost(formula: Formula) -> list[Box]:
    """The boxes of a formula that stand in no other."""
    if isinstance(formula, Box):
        return [formula]
    return list(dict.fromkeys(box for child in children(formula) for box in _outermost(child)))


def _lesson(match: Match) -> str:
    """Where all cooperate because all do: whether that takes Löb's theorem. Judged on small frames of the logic K."""
    equations = match.trace.equations
    if any(match.levels) or "D" in match.outcome or not any(_returns(match, action) for action in match.actions):
        return ""
    if stubborn(equations, LOOP) is not None:
        return _wrapped(LOEB)
    if len(equations) <= 3 and all(stubborn(equations, frame) is None for frame in frames(2)):
        return _wrapped(PAYOR)
    return ""


def _returns(match: Match, start: Action) -> bool:
    """Whether an action depends on itself, by way of others or not."""
    seen: set[Action] = set()
    open_ = list(actions(match.trace.equations[start]))
    while open_:
        action = open_.pop()
        if action not in seen:
            seen.add(action)
            open_ += actions(match.trace.equations[action])
    return start in seen


def _wrapped(text: str, indent: int = 0) -> str:
    space = " " * indent
    return fill(text, WIDTH, initial_indent=space, subsequent_indent=space + "    " * bool(indent))


def _certified(match: Match) -> str:
    lines, models = len(match.certificate["lines"]), len(match.certificate["countermodels"])
    match.verified()
    with_models = f" and {models} countermodel{'s' if models > 1 else ''}" if models else ""
    return f"Certificate: a derivation of {lines} lines{with_models}, accepted by the independent checker."
