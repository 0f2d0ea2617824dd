"""Who would be chosen: payoffs, best responses, and equilibria when proofs cost something.

The players choose agents to play for them, as in a market of programs, and an agent costs `cost` for each level to
which its boxes are nested: CooperateBot nothing, FairBot once, PrudentBot twice (`[1]` is a box in a box). Everything
is exact, in fractions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from tymbal.errors import TheoryError
from tymbal.theory.modal.match import Table

Number = Fraction | int | float | str
MOST_AGENTS = 12
"""agents among which equilibria are sought: every subset of them is tried"""


@dataclass(frozen=True, kw_only=True)
class Payoffs:
    """What one match of the prisoner's dilemma brings."""

    both: Number = 2
    """both cooperate"""
    neither: Number = 1
    """both defect"""
    exploiter: Number = 3
    """I defect, the other cooperates"""
    exploited: Number = 0
    """I cooperate, the other defects"""

    def of(self, outcome: str) -> Fraction:
        """The first player's payoff from an outcome such as CD."""
        by_outcome = {"CC": self.both, "DD": self.neither, "DC": self.exploiter, "CD": self.exploited}
        return exact(by_outcome[outcome])


class Equilibrium(NamedTuple):
    """Shares of a population in which no agent does better than those who are there."""

    shares: dict[str, Fraction]
    """of the agents that are there, their probabilities"""
    value: Fraction
    """what everybody who is there gets, proofs paid"""


def exact(number: Number) -> Fraction:
    """The number as it is written: 0.1 is one tenth. Raises `TheoryError` for what is no number."""
    try:
        return Fraction(str(number))
    except (ValueError, ZeroDivisionError) as error:
        raise TheoryError(expected="a number", got=repr(str(number)), do="write it as 0.1 or 1/10") from error


def payoffs(table: Table, cost: Number = 0, game: Payoffs | None = None) -> dict[str, dict[str, Fraction]]:
    """What the agent of the row gets from the agent of the column, its proofs paid. Raises `TheoryError`."""
    game = game or Payoffs()
    if exact(cost) < 0:
        raise TheoryError(expected="a cost of 0 or more", got=str(cost), do="give what a level of proof costs")
    return {
        row: {column: game.of(table[row, column].outcome) - exact(cost) * agent.depth for column in table.agents}
        for row, agent in table.agents.items()
    }


def best_responses(matrix: Mapping[str, Mapping[str, Fraction]], shares: Mapping[str, Fraction]) -> list[str]:
    """The agents that get most from a population with these shares."""
    gains = _gains(matrix, shares)
    return [name for name, gain in gains.items() if gain == max(gains.values())]


def equilibria(matrix: Mapping[str, Mapping[str, Fraction]]) -> list[Equilibrium]:
    """All symmetric Nash equilibria that their set of agents determines, the most valuable first.

    Where two agents fare exactly alike, only the sum of their shares matters; sets that hold both are passed over.
    Raises `TheoryError` for more than `MOST_AGENTS` agents.
    """
    if len(matrix) > MOST_AGENTS:
        raise TheoryError(
            expected=f"at most {MOST_AGENTS} agents", got=str(len(matrix)), do="leave out those that fare alike"
        )
    found = []
    for size in range(1, len(matrix) + 1):
        for support in combinations(matrix, size):
            solved = _indifferent(matrix, support)
            if solved and _is_stable(matrix, solved):
                found.append(solved)
    return sorted(found, key=lambda equilibrium: -equilibrium.value)


def _gains(matrix: Mapping[str, Mapping[str, Fraction]], shares: Mapping[str, Fraction]) -> dict[str, Fraction]:
    return {row: sum((share * gain[of] for of, share in shares.items()), Fraction()) for row, gain in matrix.items()}


def _is_stable(matrix: Mapping[str, Mapping[str, Fraction]], solved: Equilibrium) -> bool:
    """Whether the shares are shares, and no agent that is not there would do better."""
    return min(solved.shares.values()) > 0 and max(_gains(matrix, solved.shares).values()) == solved.value


def _indifferent(matrix: Mapping[str, Mapping[str, Fraction]], support: Sequence[str]) -> Equilibrium | None:
    """Shares of the support that give each of its agents the same; None where there are none, or many."""
    rows = [[*(matrix[row][column] for column in support), Fraction(-1), Fraction(0)] for row in support]
    rows.append([*(Fraction(1) for _ in support), Fraction(0), Fraction(1)])
    size = len(rows)
    for place in range(size):
        pivot = next((row for row in range(place, size) if rows[row][place]), None)
        if pivot is None:
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [entry / rows[place][place] for entry in rows[place]]
        for row in range(size):
            if row != place and rows[row][place]:
                factor = rows[row][place]
                rows[row] = [entry - factor * above for entry, above in zip(rows[row], rows[place], strict=True)]
    *shares, value = (row[-1] for row in rows)
    return Equilibrium(dict(zip(support, shares, strict=True)), value)
