"""Formulas of provability logic about what agents do.

`[]p` reads "p is provable in Peano arithmetic". There is only one box: the parser writes `[n]p`, provability in PA+n,
as `[](~[]^n false -> p)`, since PA+n is PA together with "PA+(n-1) is consistent" (Barasz et al., arXiv 1401.5577,
section 3); `str` writes it back as `[n]p`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import and_, or_


@dataclass(frozen=True, slots=True)
class Formula:
    """What the kinds of formula below have in common: `str` is text that the parser reads."""

    def __str__(self) -> str:
        return _text(self)[0]


@dataclass(frozen=True, slots=True)
class Constant(Formula):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Action(Formula):
    """A player cooperates, in this game or `against` somebody else; in an agent's formula also `me`, `them`, `E`."""

    player: str
    against: str = ""


@dataclass(frozen=True, slots=True)
class Not(Formula):
    """`~body`"""

    body: Formula


@dataclass(frozen=True, slots=True)
class And(Formula):
    """`a & b & ...`"""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or(Formula):
    """`a | b | ...`"""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class AtLeast(Formula):
    """At least `count` of the parts."""

    count: int
    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Implies(Formula):
    """`left -> right`"""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Iff(Formula):
    """`left <-> right`"""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Box(Formula):
    """`[]body`: provable in Peano arithmetic."""

    body: Formula


TRUE, FALSE = Constant(True), Constant(False)


def children(formula: Formula) -> tuple[Formula, ...]:
    """The formulas that this one is made of."""
    match formula:
        case Not(body) | Box(body):
            return (body,)
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return parts
        case Implies(left, right) | Iff(left, right):
            return (left, right)
        case _:
            return ()


def boxes(formulas: Iterable[Formula]) -> list[Box]:
    """The distinct boxed subformulas, inner before outer."""
    found: dict[Box, None] = {}
    for formula in formulas:
        found |= dict.fromkeys(boxes(children(formula)))
        if isinstance(formula, Box):
            found.setdefault(formula)
    return list(found)


def actions(formula: Formula) -> Iterator[Action]:
    """Every mention of an action, from left to right."""
    if isinstance(formula, Action):
        yield formula
    for child in children(formula):
        yield from actions(child)


def depth(formula: Formula) -> int:
    """How many boxes stand inside one another at most."""
    return max(map(depth, children(formula)), default=0) + isinstance(formula, Box)


def with_actions(formula: Formula, named: Callable[[Action], Formula]) -> Formula:
    """The formula with each action replaced; a count of a group becomes one of its members."""
    match formula:
        case Action():
            return named(formula)
        case AtLeast(count, (Action() as group,)):
            members = named(group)
            return AtLeast(count, members.parts if isinstance(members, And) else (members,))
        case Not(body):
            return Not(with_actions(body, named))
        case Box(body):
            return Box(with_actions(body, named))
        case And(parts):
            return And(tuple(with_actions(part, named) for part in parts))
        case Or(parts):
            return Or(tuple(with_actions(part, named) for part in parts))
        case AtLeast(count, parts):
            return AtLeast(count, tuple(with_actions(part, named) for part in parts))
        case Implies(left, right):
            return Implies(with_actions(left, named), with_actions(right, named))
        case Iff(left, right):
            return Iff(with_actions(left, named), with_actions(right, named))
        case _:
            return formula


def where(formula: Formula, known: Mapping[Formula, int], everywhere: int = 1) -> int:
    """The cases in which the formula is true, as the bits of an integer; `known` has those of its actions and boxes.

    `everywhere` has the bits of all cases; with its default there is one, and the answer is 1 or 0.
    """

    match formula:
        case Action() | Box():
            return known[formula]
        case Constant(value):
            return everywhere if value else 0
        case Not(body):
            return everywhere ^ where(body, known, everywhere)
        case And(parts):
            return reduce(and_, (where(part, known, everywhere) for part in parts), everywhere)
        case Or(parts):
            return reduce(or_, (where(part, known, everywhere) for part in parts), 0)
        case Implies(left, right):
            return everywhere ^ where(left, known, everywhere) | where(right, known, everywhere)
        case Iff(left, right):
            return everywhere ^ where(left, known, everywhere) ^ where(right, known, everywhere)
        case AtLeast(count, parts):
            return _where_at_least(count, (where(part, known, everywhere) for part in parts), everywhere)
    raise AssertionError(formula)


def _where_at_least(count: int, parts: Iterable[int], everywhere: int) -> int:
    reached = [everywhere] + [0] * count  # reached[k]: where at least k of the parts so far are true
    for part in parts:
        for k in range(count, 0, -1):
            reached[k] |= reached[k - 1] & part
    return reached[count]


def inconsistent(times: int) -> Formula:
    """`[][]...[]false`: PA+(times - 1) is inconsistent. In a chain of worlds it holds in the first `times` of them."""
    formula: Formula = FALSE
    for _ in range(times):
        formula = Box(formula)
    return formula


def provable_in(level: int, body: Formula) -> Box:
    """`[level]body`: provable in PA+level."""
    return Box(Implies(Not(inconsistent(level)), body)) if level else Box(body)


def split_level(box: Box) -> tuple[int, Formula]:
    """The level and the body with which `provable_in` makes this box."""
    match box.body:
        case Implies(Not(Box() as assumed), body):
            level, inner = 0, assumed
            while isinstance(inner, Box):
                level, inner = level + 1, inner.body
            if inner == FALSE:
                return level, body
    return 0, box.body


def expanded(formula: AtLeast) -> Formula:
    """The same with `&` and `|` alone."""
    if formula.count <= 0:
        return TRUE
    return _joined(Or, tuple(map(conjunction, combinations(formula.parts, formula.count))), FALSE)


def _joined(kind: type[And] | type[Or], parts: tuple[Formula, ...], empty: Formula) -> Formula:
    return kind(parts) if len(parts) > 1 else (parts[0] if parts else empty)


def conjunction(parts: Iterable[Formula]) -> Formula:
    """All of the parts: `true` where there is none, the part itself where there is one."""
    return _joined(And, tuple(parts), TRUE)


_IFF, _IMPLIES, _OR, _AND, _UNARY = range(5)


def _text(formula: Formula) -> tuple[str, int]:
    """The formula's text and how tightly its outermost sign binds."""

    match formula:
        case Constant(value):
            return ("true" if value else "false"), _UNARY
        case Action(player, against):
            return (f"{player}({against})" if against else player), _UNARY
        case Not(body):
            return f"~{_inside(body, _UNARY)}", _UNARY
        case Box():
            level, body = split_level(formula)
            return f"[{level or ''}]{_inside(body, _UNARY)}", _UNARY
        case And(parts):
            return " & ".join(_inside(part, _UNARY) for part in parts), _AND
        case Or(parts):
            return " | ".join(_inside(part, _AND) for part in parts), _OR
        case AtLeast(count, (Action("E" | "others" as group),)):
            return f"({group} >= {count})", _UNARY
        case AtLeast():
            return _text(expanded(formula))
        case Implies(left, right):
            return f"{_inside(left, _OR)} -> {_inside(right, _IMPLIES)}", _IMPLIES
        case Iff(left, right):
            return f"{_inside(left, _IMPLIES)} <-> {_inside(right, _IMPLIES)}", _IFF
    raise AssertionError(formula)


def _inside(part: Formula, tightness: int) -> str:
    text, own = _text(part)
    return text if own >= tightness else f"({text})"
