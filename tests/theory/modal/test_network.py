from random import Random

import pytest

from tymbal.errors import TheoryError
from tymbal.theory.modal import Agent, CooperateBot, DefectBot, play, settle

NEXT = Agent("[]next")
POOL = [
    NEXT,
    DefectBot,
    CooperateBot,
    *map(
        Agent,
        (
            "[]others",
            "~[]~next",
            "[](others >= 2)",
            "[]([]E -> E)",
            "[1]next & ~[]others",
            "[](next <-> ~me)",
            "[](E >= 3) | [2]~others",
            "[]([](E >= 0) -> next)",
            "~[](next & ~[]me)",
        ),
    ),
]


def test_event_by_event_and_round_by_round_agree():
    random = Random(0)
    for _ in range(120):
        agents = random.choices(POOL, k=random.randint(2, 6))
        settled, played = settle(agents), play(agents)
        assert "".join("DC"[deed] for deed in settled.cooperates.tolist()) == played.outcome
        assert tuple(settled.level) == played.levels
        assert settled.rounds == len(played.trace.rounds) - 1


def test_a_ring_of_100_000_fairbots_cooperates_at_once():
    settled = settle([NEXT] * 100_000)
    assert settled.cooperates.all()
    assert settled.rounds == 0


def test_one_defector_undoes_a_whole_ring_one_neighbour_a_round():
    settled = settle([NEXT] * 19_999 + [DefectBot])
    assert not settled.cooperates.any()
    assert settled.level.tolist() == [*range(19_999, 0, -1), 0]


def test_fair_majorities_stand_or_fall_together():
    def cooperating(many, soft):
        return settle([Agent(f"[](others >= {many // 2})")] * (many - soft) + [DefectBot] * soft).cooperates.sum()

    assert cooperating(1_000, soft=100) == 900
    assert cooperating(1_000, soft=500) == 0


@pytest.mark.parametrize("source", ["[]them", "[]Bob", "[]them(DefectBot)"])
def test_a_formula_that_names_players_is_refused(source):
    with pytest.raises(TheoryError, match=r"use play\(\)"):
        settle([Agent(source), NEXT])
