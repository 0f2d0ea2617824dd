"""Text to formulas, by a grammar for lark; a mistake is shown with a caret under the place.

    []p  [1]p  <>p     provable in PA, provable in PA+1, not refutable in PA
    ~p  p & q  p | q  p -> q  p <-> q  true  false     from the tightest to the loosest
    me  them           what I do in this game, what they do in it
    them(me)  me(them) the same in full; P(Q) is what P does against Q, where each is me, them or a known agent
    E  others  next    everybody cooperates, everybody but me, the player after me
    others >= 2        at least two of them
    Alice              what the player of that name does, in a game whose players have names

The signs of the textbooks are read as well.
"""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from tymbal.errors import MissingExtraError, TheoryError, listed
from tymbal.theory.modal.formula import (
    FALSE,
    TRUE,
    Action,
    And,
    AtLeast,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    provable_in,
)

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedInput

GRAMMAR = r"""
    ?formula: implication | formula _IFF implication -> iff
    ?implication: disjunction | disjunction _IMPLIES implication -> implies
    ?disjunction: conjunction | conjunction (_OR conjunction)+ -> any
    ?conjunction: unary | unary (_AND unary)+ -> all
    ?unary: NOT unary -> no
        | BOX unary -> box
        | DIAMOND unary -> diamond
        | "(" formula ")"
        | TRUE -> true
        | FALSE -> false
        | NAME -> action
        | NAME "(" NAME ")" -> action
        | NAME ">=" COUNT -> at_least
    _IFF: "<->" | "↔"
    _IMPLIES: "->" | "→"
    _OR: "|" | "∨"
    _AND: "&" | "∧"
    NOT: "~" | "¬"
    BOX: /\[\d{0,2}\]|□/
    DIAMOND: /<\d{0,2}>|◇/
    TRUE.2: /true\b|⊤/
    FALSE.2: /false\b|⊥/
    NAME: /[A-Za-z_]\w*/
    COUNT: /\d+/
    %ignore /\s+/
"""
GROUPS = ("E", "others")
WORDS = ("me", "them", "next", *GROUPS)
"""names that mean something in every game, so no agent and no player may bear them"""

_ADVICE = {
    "=": "write <-> for 'if and only if'",
    "!": "write ~ for 'not'",
    "-": "write -> for 'if ... then'",
    "<": "write <-> for 'if and only if', <> for 'not refutable'",
}


def parse(text: str, agents: Collection[str] = ()) -> Formula:
    """An agent's formula; `agents` are the names that may stand in `P(Q)` beside me and them.

    Raises `TheoryError` where the text does not parse, where an agent is unknown, and where an action stands outside
    every box: an agent must not need to know an action before it decides on its own.
    """
    return _Reading(text, agents).formula(_tree(text), boxed=False)


def pointed(text: str, place: int) -> str:
    """The text on a line of its own, with a caret under one place."""
    return f"\n    {text}\n    {' ' * place}^"


@cache
def _lark() -> "Lark":
    try:
        from lark import Lark
    except ModuleNotFoundError as error:
        raise MissingExtraError("lark", "theory") from error
    return Lark(GRAMMAR, start="formula", parser="lalr")


def _tree(text: str) -> "Tree[Token]":
    parser = _lark()
    from lark.exceptions import UnexpectedInput

    try:
        return parser.parse(text)
    except UnexpectedInput as error:
        raise _misread(text, error) from None


def _misread(text: str, error: "UnexpectedInput") -> TheoryError:
    expected: set[str] = getattr(error, "allowed", None) or getattr(error, "expected", None) or set()
    ended = getattr(getattr(error, "token", None), "type", "") == "$END"
    place = len(text.rstrip()) if ended else error.pos_in_stream or 0
    open_brackets = text[:place].count("(") > text[:place].count(")")
    if "BOX" in expected:
        wanted, advice = "a formula", "write what belongs at the caret"
    elif "NAME" in expected:
        wanted, advice = "an agent", "write me, them or the name of a known agent"
    elif "COUNT" in expected:
        wanted, advice = "a number", "write how many, such as 2"
    elif open_brackets:
        wanted, advice = ") or one of & | -> <->", "close the bracket, or join the two parts"
    else:
        wanted, advice = "one of & | -> <->, or the end", "join the two parts, or leave out what follows"
    got = "the end" if ended else repr(text[place])
    twice = text[place - 1 : place + 1] if place else ""
    if twice in ("&&", "||"):
        advice = f"write {twice[0]} once"
    elif not ended:
        advice = _ADVICE.get(text[place], advice)
    return TheoryError(expected=wanted, got=got, do=advice + pointed(text, place))


class _Reading:
    """One text on its way from lark's tree to a formula."""

    def __init__(self, text: str, agents: Collection[str]) -> None:
        self.text = text
        self.agents = agents

    def formula(self, tree: Any, *, boxed: bool) -> Formula:
        kids = tree.children
        match tree.data:
            case "true":
                return TRUE
            case "false":
                return FALSE
            case "action":
                return self._action(kids, boxed)
            case "at_least":
                return self._at_least(kids, boxed)
            case "box":
                return provable_in(_level(kids[0]), self.formula(kids[1], boxed=True))
            case "diamond":
                return Not(provable_in(_level(kids[0]), Not(self.formula(kids[1], boxed=True))))
            case "no":
                return Not(self.formula(kids[1], boxed=boxed))
        parts = tuple(self.formula(kid, boxed=boxed) for kid in kids)
        match tree.data:
            case "all":
                return And(parts)
            case "any":
                return Or(parts)
            case "implies":
                return Implies(*parts)
            case "iff":
                return Iff(*parts)
        raise AssertionError(tree.data)

    def _action(self, names: "Sequence[Token]", boxed: bool) -> Action:
        if not boxed:
            self._unboxed(names[0])
        if len(names) == 1:
            return Action(str(names[0]))
        for name in names:
            if name not in ("me", "them", *self.agents):
                self._unknown(name)
        player, against = map(str, names)
        return Action(player) if {player, against} == {"me", "them"} else Action(player, against)

    def _at_least(self, kids: "Sequence[Token]", boxed: bool) -> AtLeast:
        group, count = kids
        if not boxed:
            self._unboxed(group)
        if group not in GROUPS:
            raise TheoryError(
                expected="E or others before >=",
                got=repr(str(group)),
                do="count everybody with E >= 2, everybody but me with others >= 2" + pointed(self.text, _place(group)),
            )
        return AtLeast(int(count), (Action(str(group)),))

    def _unboxed(self, name: "Token") -> NoReturn:
        raise TheoryError(
            expected="every action inside a box",
            got=f"{str(name)!r} outside of one, so that the agent must know an action before it decides, and two such "
            "agents would wait for each other for ever",
            do="ask for a proof of it, such as []them(me)" + pointed(self.text, _place(name)),
        )

    def _unknown(self, name: "Token") -> NoReturn:
        near = get_close_matches(name, ["me", "them", *self.agents], n=1)
        advice = f"did you mean {near[0]}?" if near else "give it with Agent(..., knows=[...])"
        raise TheoryError(
            expected=f"me, them or a known agent ({listed(self.agents)})",
            got=repr(str(name)),
            do=advice + pointed(self.text, _place(name)),
        )


def _level(box: "Token") -> int:
    return int(box[1:-1] or 0) if len(box) > 1 else 0


def _place(name: "Token") -> int:
    return name.start_pos or 0
