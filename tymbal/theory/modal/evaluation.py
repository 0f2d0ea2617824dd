"""The exact solution of a system of equations between actions, round by round.

Suppose at first that every proof exists: all boxes are true. In each round the actions follow from the boxes, and a
box whose body was false in the round is struck out for ever. After at most as many rounds as there are boxes nothing
more is struck out. What holds then is what is true; what holds in every round is what is provable.

Why: round n is the world of depth n in the chain 0 < 1 < 2 < ..., where `[]p` means that p holds in every world
below. GL proves p just if p holds in each, and for sentences without unknowns the arithmetic truth is the value far up
(Boolos, The Logic of Provability, chapters 7 and 8; Solovay 1976).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tymbal.theory.modal.formula import Action, Box, Formula, boxes, where


@dataclass(frozen=True, slots=True)
class Round:
    """One world: which boxes still stand, and what is done."""

    standing: tuple[bool, ...]
    taken: Mapping[Action, bool]


@dataclass(frozen=True)
class Trace:
    """All rounds until nothing changes; the last one repeats for ever."""

    equations: Mapping[Action, Formula]
    boxes: tuple[Box, ...]
    rounds: tuple[Round, ...]

    def cooperates(self, action: Action) -> bool:
        """Whether the action is taken: truth in the standard model of arithmetic."""
        return self.rounds[-1].taken[action]

    def level(self, action: Action) -> int:
        """The least n such that PA+n proves what is done: the round from which on it stays the same."""
        values = [round_.taken[action] for round_ in self.rounds]
        return max((n for n, value in enumerate(values, 1) if value != values[-1]), default=0)

    def provable(self, action: Action) -> bool:
        """Whether PA proves what is done, be it that the action is taken or that it is not."""
        return self.level(action) == 0

    def struck(self, box: Box) -> int | None:
        """The round after which a box is struck out; None where its body is provable."""
        place = self.boxes.index(box)
        standing = [round_.standing[place] for round_ in self.rounds]
        return None if standing[-1] else standing.index(False) - 1


def evaluate(equations: Mapping[Action, Formula]) -> Trace:
    """Solve the equations; every action in them must have one, and stand inside a box."""
    found = tuple(boxes(equations.values()))
    standing = (True,) * len(found)
    rounds: list[Round] = []
    while True:
        known: dict[Formula, int] = dict(zip(found, standing, strict=True))
        taken = {action: bool(where(formula, known)) for action, formula in equations.items()}
        rounds.append(Round(standing, taken))
        known |= taken
        left = tuple(stands and bool(where(box.body, known)) for box, stands in zip(found, standing, strict=True))
        if left == standing:
            return Trace(equations, found, tuple(rounds))
        standing = left
