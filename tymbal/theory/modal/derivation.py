"""Certificates: from the rounds of an evaluation to a derivation in GL and Kripke countermodels.

Write d(n) for `[]^n false`, which holds in the worlds of depth below n. For every box []p:

1. p holds in rounds 0 .. n-1:  d(n) -> p, so by distribution d(n+1) -> []p.
2. p fails in round m:  p -> (d(m+1) -> d(m)), so []p -> []([]d(m) -> d(m)) -> []d(m) = d(m+1), by Löb's axiom.
3. p holds in every round: with P the conjunction of all such p, d(N) -> P by 1, and ~d(N) & []P -> P since 2 settles
   the other boxes. So []P -> P, and Löb's theorem gives P.

What is then done from round n on is derived as `d(n) | action` or `d(n) | ~action`: PA+n proves it. Where n > 0, a
chain of n worlds shows that PA+(n-1) does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tymbal.theory.modal.evaluation import Trace
from tymbal.theory.modal.formula import FALSE, Action, Box, Formula, Implies, Not, Or, conjunction, inconsistent

Certificate = Mapping[str, Any]
"""JSON as `checker` reads it: lines, claims, countermodels."""


class Derivation:
    """Lines that follow from one another; a formula is derived once and found again by its text."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def line(self, rule: str, formula: Formula | str, *premises: int) -> int:
        """Add a line and return its number."""
        text = str(formula)
        if text not in self._places:
            self._places[text] = len(self.lines)
            self.lines.append({"formula": text, "rule": rule, "from": list(premises)})
        return self._places[text]

    def needed(self, places: Iterable[int]) -> list[dict[str, Any]]:
        """The lines on which these rest, numbered anew."""
        kept: set[int] = set()
        open_ = list(places)
        while open_:
            place = open_.pop()
            if place not in kept:
                kept.add(place)
                open_ += self.lines[place]["from"]
        numbers = {place: number for number, place in enumerate(sorted(kept))}
        return [{**self.lines[place], "from": [numbers[p] for p in self.lines[place]["from"]]} for place in numbers]


def certify(trace: Trace, asked: Sequence[Action]) -> Certificate:
    """The certificate of what each of the actions is."""
    proof = _Proof(trace)
    claims = [(claim(trace, action), proof.settled(action)) for action in asked]
    return {
        "lines": proof.derivation.needed(place for _, place in claims),
        "claims": [str(formula) for formula, _ in claims],
        "countermodels": [countermodel(trace, action) for action in asked if trace.level(action)],
    }


def claim(trace: Trace, action: Action, level: int | None = None) -> Formula:
    """`[]^n false | action`, or with `~action`: PA+n proves what is done; n is the least unless given."""
    done = action if trace.cooperates(action) else Not(action)
    level = trace.level(action) if level is None else level
    return Or((inconsistent(level), done)) if level else done


def countermodel(trace: Trace, action: Action) -> dict[str, Any]:
    """A chain of worlds in which the claim of one level less fails: the first rounds, each seeing all before it."""
    worlds = trace.level(action)
    rounds = trace.rounds[:worlds]
    return {
        "refutes": str(claim(trace, action, worlds - 1)),
        "worlds": worlds,
        "sees": [[here, there] for here in range(worlds) for there in range(here)],
        "true": {str(name): [n for n, round_ in enumerate(rounds) if round_.taken[name]] for name in trace.equations},
    }


class _Proof:
    """The derivation of one trace, built as far as it is asked for."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.derivation = Derivation()
        self.last = len(trace.rounds) - 1
        self.definitions = {
            action: self.derivation.line("definition", f"{action} <-> ({formula})")
            for action, formula in trace.equations.items()
        }
        self._loeb: int | None = None

    def settled(self, action: Action) -> int:
        """The claim about an action."""
        goal = claim(self.trace, action)
        done = goal.parts[-1] if isinstance(goal, Or) else goal
        level = self.trace.level(action)
        rounds = [self._in_round(n, done) for n in range(level, self.last)]
        return self.derivation.line("tautology", goal, *rounds, self._at_last(done))

    def _in_round(self, n: int, formula: Formula) -> int:
        """d(n+1) & ~d(n) -> formula, which holds in round n."""
        here = conjunction((inconsistent(n + 1), Not(inconsistent(n))))
        facts = [self._fact(box, n) for box in self.trace.boxes]
        climbs = [self._climb(m) for m in range(n)]
        return self.derivation.line("tautology", Implies(here, formula), *climbs, *facts, *self.definitions.values())

    def _fact(self, box: Box, n: int) -> int:
        """What settles a box in round n."""
        failed = self.trace.struck(box)
        if failed is not None and failed < n:
            return self._struck(box, failed)
        below = self._below(n, box.body)
        return self.derivation.line("distribute", Implies(inconsistent(n + 1), box), below)

    def _below(self, n: int, formula: Formula) -> int:
        """d(n) -> formula, which holds in all rounds before n."""
        goal = Implies(inconsistent(n), formula)
        if n == 0:
            return self.derivation.line("tautology", goal)
        return self.derivation.line("tautology", goal, self._below(n - 1, formula), self._in_round(n - 1, formula))

    def _struck(self, box: Box, failed: int) -> int:
        """[]p -> d(m+1), where p fails in round m."""
        low, high = inconsistent(failed), inconsistent(failed + 1)
        fails = self._in_round(failed, Not(box.body))
        step = self.derivation.line("tautology", Implies(box.body, Implies(high, low)), fails)
        boxed = self.derivation.line("distribute", Implies(box, Box(Implies(high, low))), step)
        loeb = self.derivation.line("loeb", Implies(Box(Implies(high, low)), high))
        return self.derivation.line("tautology", Implies(box, high), boxed, loeb)

    def _climb(self, n: int) -> int:
        """d(n) -> d(n+1)"""
        goal = Implies(inconsistent(n), inconsistent(n + 1))
        return (
            self.derivation.line("tautology", goal)
            if n == 0
            else self.derivation.line("distribute", goal, self._climb(n - 1))
        )

    def _at_last(self, formula: Formula) -> int:
        """~d(N) -> formula, which holds from the last round N on; the formula alone where N is 0."""
        goal = Implies(Not(inconsistent(self.last)), formula) if self.last else formula
        return self.derivation.line("tautology", goal, *self._standing(), *self._final_facts())

    def _final_facts(self) -> list[int]:
        """All that settles the boxes that are struck out, from the last round on, and the definitions."""
        struck = [(box, self.trace.struck(box)) for box in self.trace.boxes]
        facts = [self._struck(box, failed) for box, failed in struck if failed is not None]
        return [*(self._climb(n) for n in range(self.last)), *facts, *self.definitions.values()]

    def _standing(self) -> list[int]:
        """[]p for every box that is never struck out."""
        boxes = [box for box in self.trace.boxes if self.trace.struck(box) is None]
        if not boxes:
            return []
        all_ = conjunction(dict.fromkeys(box.body for box in boxes))
        proved = self._loeb_theorem(boxes, all_)
        return [
            self.derivation.line("necessitate", box, self.derivation.line("tautology", box.body, proved))
            for box in boxes
        ]

    def _loeb_theorem(self, boxes: list[Box], all_: Formula) -> int:
        """P, from []P -> P."""
        if self._loeb is None:
            line = self.derivation.line
            parts = [line("tautology", Implies(all_, box.body)) for box in boxes]
            each = [line("distribute", Implies(Box(all_), box), part) for box, part in zip(boxes, parts, strict=True)]
            below = [self._below(self.last, box.body) for box in boxes]
            reflects = line("tautology", Implies(Box(all_), all_), *each, *below, *self._final_facts())
            necessary = line("necessitate", Box(Implies(Box(all_), all_)), reflects)
            loeb = line("loeb", Implies(Box(Implies(Box(all_), all_)), Box(all_)))
            self._loeb = line("tautology", all_, reflects, line("tautology", Box(all_), necessary, loeb))
        return self._loeb


__all__ = ["FALSE", "Certificate", "Derivation", "certify", "claim", "countermodel"]
