"""An independent checker of certificates. It imports nothing of Tymbal, so that a mistake elsewhere cannot hide in it.

A certificate is plain JSON: `lines`, a derivation; `claims`, each a formula that the derivation reaches; and
`countermodels`, each a finite Kripke model in which a formula fails. What may be used without proof, the equations
`action <-> formula` and hypotheses, is not read from the certificate but given by who asks.

Rules of a line, with the lines that it rests on (counted from 0):

    definition   one of the equations            hypothesis   one of the hypotheses
    tautology    follows from those lines by truth tables alone, boxes being opaque
    necessitate  from p, []p                     distribute   from p -> q, []p -> []q
    loeb         []([]p -> p) -> []p (refused unless the logic is GL)

A labelled box such as `[alice]` is another proof system; `[n]` with a number is `[](~[]^n false -> p)`.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

SIGNS = re.compile(r"\s*(<->|->|[&|~()]|\[\w*\]|\w+(?:\(\w+\))?)")
FALSE = ("constant", False)
Term = tuple[Any, ...]


class RejectedError(Exception):
    """The certificate does not show what it claims."""


def check(
    certificate: Mapping[str, Any], equations: Mapping[str, str], hypotheses: Sequence[str] = (), logic: str = "GL"
) -> list[str]:
    """What the certificate shows, a line for each claim and countermodel; raises `RejectedError`."""
    try:
        laws = [("<->", read(action), read(formula)) for action, formula in equations.items()]
        shown = _derived(certificate["lines"], laws, [read(text) for text in hypotheses], logic)
        for claim in certificate["claims"]:
            _require(read(claim) in shown, f"the derivation does not reach {claim}")
        for model in certificate["countermodels"]:
            _check_model(model, laws)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, RecursionError) as error:
        raise RejectedError(f"not a certificate: {error!r}") from error
    refuted = [f"not provable: {model['refutes']}" for model in certificate["countermodels"]]
    return [f"provable: {claim}" for claim in certificate["claims"]] + refuted


def read(text: str) -> Term:
    """A formula as nested tuples: `("->", p, q)`, `("[]", label, p)`, `("action", name)`, `("constant", True)`."""
    signs = SIGNS.findall(text)
    _require("".join(signs) == re.sub(r"\s", "", text), f"cannot read {text!r}")
    term = _read(signs, 0)
    _require(not signs, f"something follows in {text!r}")
    return term


def _read(signs: list[str], strength: int) -> Term:
    """The longest formula at the head of the signs whose own signs bind more tightly than `strength`."""
    term = _read_head(signs)
    ranks = {"<->": 1, "->": 2, "|": 3, "&": 4}
    while signs and ranks.get(signs[0], 0) > strength:
        sign = signs.pop(0)
        term = (sign, term, _read(signs, ranks[sign] - (sign == "->")))
    return term


def _read_head(signs: list[str]) -> Term:
    sign = signs.pop(0)
    if sign == "(":
        term = _read(signs, 0)
        _require(signs.pop(0) == ")", "a bracket is not closed")
        return term
    if sign == "~":
        return ("~", _read_head(signs))
    if sign.startswith("["):
        label, body = sign[1:-1], _read_head(signs)
        if not label.isdigit():
            return ("[]", label, body)
        assumed = FALSE
        for _ in range(int(label)):
            assumed = ("[]", "", assumed)
        return ("[]", "", ("->", ("~", assumed), body))
    _require(re.match(r"\w", sign) is not None, f"{sign} stands where a formula should begin")
    return ("constant", sign == "true") if sign in ("true", "false") else ("action", sign)


def _derived(lines: Iterable[Mapping[str, Any]], laws: list[Term], hypotheses: list[Term], logic: str) -> list[Term]:
    """The formulas of all the lines, each of which must follow by its rule."""
    shown: list[Term] = []
    for number, line in enumerate(lines):
        term, rests_on = read(line["formula"]), line["from"]
        _require(all(0 <= place < number for place in rests_on), f"line {number} rests on one that is not before it")
        premises = [shown[place] for place in rests_on]
        match line["rule"]:
            case "definition":
                follows = term in laws
            case "hypothesis":
                follows = term in hypotheses
            case "tautology":
                follows = not _satisfiable([("~", term), *premises], {})
            case "necessitate":
                follows = term[0] == "[]" and [term[2]] == premises
            case "distribute":
                follows = _distributes(term, premises)
            case "loeb":
                follows = logic == "GL" and _is_loeb(term)
            case other:
                raise RejectedError(f"line {number}: no rule {other!r}")
        _require(follows, f"line {number} does not follow: {line['formula']}")
        shown.append(term)
    return shown


def _distributes(term: Term, premises: list[Term]) -> bool:
    sign, left, right = term
    same_box = left[0] == right[0] == "[]" and left[1] == right[1]
    return sign == "->" and same_box and premises == [("->", left[2], right[2])]


def _is_loeb(term: Term) -> bool:
    sign, left, right = term
    return sign == "->" and right[0] == "[]" and right[1] == "" and left == ("[]", "", ("->", right, right[2]))


def _satisfiable(terms: list[Term], given: dict[Term, bool | None]) -> bool:
    """Whether truth values exist, beside those given, that make all the terms true."""
    values = [_value(term, given) for term in terms]
    unsettled = [term for term, value in zip(terms, values, strict=True) if value is None]
    if False in values or not unsettled:
        return False not in values
    atom = min((list(_unknown(term, given)) for term in unsettled), key=len)[0]
    return any(_satisfiable(unsettled, {**given, atom: value}) for value in (True, False))


def _value(term: Term, given: Mapping[Term, bool | None]) -> bool | None:
    """Truth value under a partial assignment to actions and boxes; None where it is not settled."""
    sign = term[0]
    if sign in ("action", "[]"):
        return given.get(term)
    if sign == "constant":
        return term[1]
    left = _value(term[1], given)
    if sign in ("~", "->"):
        left = None if left is None else not left
    if sign == "~":
        return left
    right = _value(term[2], given)
    if sign == "<->":
        return None if None in (left, right) else left == right
    decisive = sign != "&"
    if decisive in (left, right):
        return decisive
    return None if None in (left, right) else not decisive


def _unknown(term: Term, given: Mapping[Term, bool | None]) -> Iterator[Term]:
    if term[0] in ("action", "[]"):
        if term not in given:
            yield term
    elif term[0] != "constant":
        for part in term[1:]:
            yield from _unknown(part, given)


def _check_model(model: Mapping[str, Any], laws: list[Term]) -> None:
    """The frame must be transitive and irreflexive, the laws hold in every world, the formula fail in one."""
    worlds, sees = range(model["worlds"]), {(here, there) for here, there in model["sees"]}
    _require(all(here in worlds and there in worlds and here != there for here, there in sees), "not a frame of GL")
    _require(all((a, d) in sees for a, b in sees for c, d in sees if b == c), "the frame is not transitive")

    @cache
    def holds(term: Term, world: int) -> bool | None:
        match term[0]:
            case "action":
                return world in model["true"][term[1]]
            case "[]":
                _require(term[1] == "", "a model has one kind of box")
                return all(holds(term[2], there) for there in worlds if (world, there) in sees)
        return _value(term, {atom: holds(atom, world) for atom in _unknown(term, {})})

    for law in laws:
        _require(all(holds(law, world) for world in worlds), "an equation fails in the model")
    failing = [world for world in worlds if not holds(read(model["refutes"]), world)]
    _require(bool(failing), f"{model['refutes']} holds in the model")


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise RejectedError(otherwise)


if __name__ == "__main__":
    written = json.load(sys.stdin)
    print(*check(written["certificate"], written["equations"]), sep="\n")
