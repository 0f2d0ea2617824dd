"""Conditions on events, such as `warning and not (halted or too_late)`, read by a small grammar.

A condition that does not parse is refused with the place marked; a name that is no event is refused with the
list of those that are.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tymbal.errors import MissingExtraError, TheoryError, listed

if TYPE_CHECKING:
    from lark import Lark, Tree

GRAMMAR = """
?start: either
?either: both ("or" both)*
?both: negated ("and" negated)*
?negated: "not" negated -> negation
        | NAME -> event
        | "(" either ")"
NAME: /(?!(and|or|not)\\b)[A-Za-z_][A-Za-z_0-9]*/
%import common.WS
%ignore WS
"""

Condition = Callable[[Mapping[str, bool]], bool]


def condition(text: str, events: Iterable[str]) -> Condition:
    """A condition as a function of what happened; the empty one always holds.

    Raises `TheoryError` with the place marked where it does not parse, and for a name that is no event.
    """
    if not text.strip():
        return lambda happened: True
    tree = _parsed(text)
    known = set(events)
    for token in tree.scan_values(lambda _: True):
        if str(token) not in known:
            raise TheoryError(
                expected=f"an event that comes earlier ({listed(sorted(known)) or 'there is none'})",
                got=f"{str(token)!r} in {text!r}",
                do="name one of them",
            )
    return _meaning(tree)


@cache
def _parsed(text: str) -> "Tree[Any]":
    grammar = _grammar()
    from lark.exceptions import UnexpectedInput

    try:
        return grammar.parse(text)
    except UnexpectedInput as error:
        place = error.pos_in_stream if isinstance(error.pos_in_stream, int) and error.pos_in_stream >= 0 else len(text)
        raise TheoryError(
            expected="events joined by 'and', 'or', 'not' and brackets",
            got=f"'{text[:place]}▸{text[place:]}', which goes wrong at the ▸",
            do="mend the condition",
        ) from error


@cache
def _grammar() -> "Lark":
    try:
        from lark import Lark
    except ModuleNotFoundError as error:
        raise MissingExtraError("lark", "theory") from error
    return Lark(GRAMMAR, parser="lalr")


def _meaning(tree: "Tree[Any]") -> Condition:
    if tree.data == "event":
        name = str(tree.children[0])
        return lambda happened: happened[name]
    parts = [_meaning(child) for child in tree.children]
    if tree.data == "negation":
        return lambda happened: not parts[0](happened)
    joined = all if tree.data == "both" else any
    return lambda happened: joined(part(happened) for part in parts)
