"""Certificates: from the rounds of an evaluation to a derivation in GL and Kripke countermodels.

Write d(n) for `[]^n false`, which holds in the worlds of depth below n. For every box []p:

1. p holds in rounds 0 .. n-1:  d(n) -> p, so by distribution d(n+1) -> []p.
2. p fails in round m:  p -> (d(m+1) -> d(m)), so []p -> []([]d(m) -> d(m)) -> []d(m) = d(m+1), by Löb's axiom.
3. p holds in every round: with P the conjunction of all such p, d(N) -> P by 1, and ~d(N) & []P -> P since 2 settles
   the other boxes. So []P -> P, and Löb's theorem gives P.

What is then done from round n on is derived as `d(n) | action` or `d(n) | ~action`: PA+n proves it. Where n > 0, a
chain of n worlds shows that PA+(n-1) does not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tymbal.theory.modal.evaluation import Trace
from tymbal.theory.modal.formula import Action, And, Box, Formula, Implies, Not, Or, conjunction, inconsistent

Certificate = Mapping[str, Any]
"""JSON as `checker` reads it: lines, claims, countermodels."""


class Derivation:
    """Lines that follow from one another; each formula is derived once."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._places: dict[Formula | str, int] = {}

    def line(self, rule: str, formula: Formula | str, premises: Callable[[], Iterable[int]] = tuple) -> int:
        """The number of the line with this formula, which is added, after its premises, where there is none."""
        if formula in self._places:
            return self._places[formula]
        rests_on = list(premises())
        if formula not in self._places:  # it may have come up among its premises
            self._places[formula] = len(self.lines)
            self.lines.append({"formula": str(formula), "rule": rule, "from": rests_on})
        return self._places[formula]

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
        self.definitions = [
            self.derivation.line("definition", f"{action} <-> ({formula})")
            for action, formula in trace.equations.items()
        ]
        struck = {box: trace.struck(box) for box in trace.boxes}
        self.struck = {box: round_ for box, round_ in struck.items() if round_ is not None}
        self.standing = [box for box in trace.boxes if box not in self.struck]

    def settled(self, action: Action) -> int:
        """The claim about an action."""
        goal = claim(self.trace, action)
        done = goal.parts[-1] if isinstance(goal, Or) else goal
        rounds = range(self.trace.level(action), self.last)
        return self.derivation.line(
            "tautology", goal, lambda: [*(self._in_round(n, done) for n in rounds), self._at_last(done)]
        )

    def _in_round(self, n: int, formula: Formula) -> int:
        """d(n+1) & ~d(n) -> formula, which holds in round n."""
        goal = Implies(And((inconsistent(n + 1), Not(inconsistent(n)))), formula)
        return self.derivation.line("tautology", goal, lambda: self._facts(n))

    def _facts(self, n: int) -> list[int]:
        """What settles all boxes, and so all actions, in round n."""
        boxes = (self._strike(box) if self.struck.get(box, n) < n else self._stand(box, n) for box in self.trace.boxes)
        return [*map(self._climb, range(n)), *boxes, *self.definitions]

    def _stand(self, box: Box, n: int) -> int:
        """d(n+1) -> []p, where p holds in all rounds before n."""
        goal = Implies(inconsistent(n + 1), box)
        return self.derivation.line("distribute", goal, lambda: [self._below(n, box.body)])

    def _below(self, n: int, formula: Formula) -> int:
        """d(n) -> formula, which holds in all rounds before n."""
        goal = Implies(inconsistent(n), formula)
        return self.derivation.line(
            "tautology", goal, lambda: [self._below(n - 1, formula), self._in_round(n - 1, formula)] if n else []
        )

    def _strike(self, box: Box) -> int:
        """[]p -> d(m+1), where p fails in round m."""
        line, failed = self.derivation.line, self.struck[box]
        low, high = inconsistent(failed), inconsistent(failed + 1)
        fails = Implies(high, low)

        def premises() -> list[int]:
            step = line("tautology", Implies(box.body, fails), lambda: [self._in_round(failed, Not(box.body))])
            boxed = line("distribute", Implies(box, Box(fails)), lambda: [step])
            return [boxed, line("loeb", Implies(Box(fails), high))]

        return line("tautology", Implies(box, high), premises)

    def _climb(self, n: int) -> int:
        """d(n) -> d(n+1)"""
        goal = Implies(inconsistent(n), inconsistent(n + 1))
        return self.derivation.line("distribute" if n else "tautology", goal, lambda: [self._climb(n - 1)] if n else [])

    def _at_last(self, formula: Formula) -> int:
        """~d(N) -> formula, which holds from the last round N on; the formula alone where N is 0."""
        goal = Implies(Not(inconsistent(self.last)), formula) if self.last else formula
        return self.derivation.line("tautology", goal, lambda: [*self._proved(), *self._final_facts()])

    def _final_facts(self) -> list[int]:
        """What settles the boxes that are struck out, from the last round on; the actions then hang on the others."""
        return [*map(self._climb, range(self.last)), *map(self._strike, self.struck), *self.definitions]

    def _proved(self) -> list[int]:
        """[]p for every box that is never struck out: all such p together are P, and []P -> P."""
        if not self.standing:
            return []
        line = self.derivation.line
        bodies = list(dict.fromkeys(box.body for box in self.standing))
        all_ = conjunction(bodies)

        def reflection() -> list[int]:
            parts = {body: line("tautology", Implies(all_, body)) for body in bodies}
            each = [line("distribute", Implies(Box(all_), Box(body)), lambda at=at: [at]) for body, at in parts.items()]
            below = [self._below(self.last, body) for body in bodies]
            return [*each, *below, *self._final_facts()]

        reflects = line("tautology", Implies(Box(all_), all_), reflection)
        necessary = line("necessitate", Box(Implies(Box(all_), all_)), lambda: [reflects])
        loeb = line("loeb", Implies(Box(Implies(Box(all_), all_)), Box(all_)))
        boxed = line("tautology", Box(all_), lambda: [necessary, loeb])
        proved = line("tautology", all_, lambda: [reflects, boxed])
        alone = {body: line("tautology", body, lambda: [proved]) for body in bodies}
        return [line("necessitate", Box(body), lambda at=at: [at]) for body, at in alone.items()]
