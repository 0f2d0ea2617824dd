from fractions import Fraction

import numpy as np
import pytest

from tymbal.errors import TheoryError
from tymbal.theory.modal import LIBRARY, Payoffs, best_responses, equilibria, payoffs, tournament

TABLE = tournament(["CooperateBot", "DefectBot", "FairBot", "PrudentBot"])


@pytest.mark.parametrize("cost", ["1/100", "1/10", "1/4", "1/3"])
def test_the_cooperative_equilibrium_has_the_closed_form(cost):
    e = Fraction(cost)
    best = equilibria(payoffs(TABLE, cost))[0]
    assert best.shares == {"CooperateBot": e, "FairBot": 1 - 3 * e / 2, "PrudentBot": e / 2}
    assert best.value == 2 - e


def test_beyond_a_third_proofs_are_too_dear_for_it():
    assert all("PrudentBot" not in found.shares for found in equilibria(payoffs(TABLE, "0.34")))


def test_in_every_equilibrium_nobody_gains_by_another_choice():
    matrix = payoffs(TABLE, 0.07)
    numbers = np.array([[float(matrix[row][column]) for column in matrix] for row in matrix])
    found = equilibria(matrix)
    assert len(found) >= 3
    for shares, value in found:
        mixture = np.array([float(shares.get(name, 0)) for name in matrix])
        assert mixture.sum() == pytest.approx(1)
        assert (numbers @ mixture).max() == pytest.approx(float(value))
        assert mixture @ numbers @ mixture == pytest.approx(float(value))


def test_best_responses_to_what_is_there():
    matrix = payoffs(TABLE, 0.1)
    assert best_responses(matrix, {"CooperateBot": Fraction(1)}) == ["DefectBot"]
    assert best_responses(matrix, {"FairBot": Fraction(1)}) == ["CooperateBot"]
    assert best_responses(payoffs(TABLE), {"PrudentBot": Fraction(1)}) == ["FairBot", "PrudentBot"]


def test_costs_count_the_depth_of_proofs_and_payoffs_are_the_games():
    matrix = payoffs(TABLE, "1/2", Payoffs(both=5, exploiter=7))
    assert matrix["FairBot"]["CooperateBot"] == Fraction(9, 2)
    assert matrix["PrudentBot"]["CooperateBot"] == 6
    assert [LIBRARY[name].depth for name in ("CooperateBot", "FairBot", "PrudentBot", "PayorBot")] == [0, 1, 2, 2]


@pytest.mark.parametrize("cost", ["-0.1", "dear", "1/0"])
def test_a_cost_that_is_none_is_refused(cost):
    with pytest.raises(TheoryError):
        payoffs(TABLE, cost)


def test_too_many_agents_are_refused():
    with pytest.raises(TheoryError, match="at most 12"):
        equilibria({str(n): {} for n in range(13)})
