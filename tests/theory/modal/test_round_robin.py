from random import Random

import numpy as np
import pytest

from tymbal.errors import TheoryError
from tymbal.theory.modal import Agent, FairBot, PrudentBot, TrustingBot, duel, matches, random_agent, round_robin


def test_a_round_robin_is_all_the_duels():
    random = Random(0)
    agents = [FairBot, TrustingBot, Agent("[1]them | []([2]E -> me)"), *(random_agent(random) for _ in range(12))]
    named = [Agent(agent.source, f"A{place}") for place, agent in enumerate(agents)]
    cooperates = round_robin(named).tolist()
    for row, left in enumerate(named):
        for column, right in enumerate(named):
            assert duel(left, right).outcome == "DC"[cooperates[row][column]] + "DC"[cooperates[column][row]]


def test_matches_come_back_in_the_order_asked_for_however_many():
    agents = [FairBot, TrustingBot, Agent("true"), Agent("false")]
    pairs = np.random.default_rng(0).integers(0, 4, (200_000, 2))
    played = matches(agents, pairs[:, 0], pairs[:, 1])
    cooperates = round_robin(agents)
    assert (played.left == cooperates[pairs[:, 0], pairs[:, 1]]).all()
    assert (played.right == cooperates[pairs[:, 1], pairs[:, 0]]).all()


def test_no_agents_play_no_matches():
    assert round_robin([]).shape == (0, 0)


def test_random_agents_are_as_small_as_promised_and_not_all_alike():
    agents = [random_agent(Random(seed), boxes=4, depth=3) for seed in range(300)]
    assert max(agent.depth for agent in agents) == 3
    assert len({agent.source for agent in agents}) > 150


def test_what_does_not_fit_into_a_table_is_refused():
    with pytest.raises(TheoryError, match="me, them and E alone"):
        round_robin([PrudentBot])
    with pytest.raises(TheoryError, match="at most 7 distinct boxes"):
        round_robin([Agent("[7]them")])
