from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
from kripke_oracle import solutions

from tymbal.theory.modal import (
    Agent,
    FairBot,
    PayorBot,
    PayorEBot,
    belief_models,
    check,
    frames,
    matches,
    models,
    payor_lemma,
    random_agent,
    stubborn,
    transitive,
)
from tymbal.theory.modal.agent import game_equations, match_equations
from tymbal.theory.modal.formula import Action, And, Box, Implies

ALL = [frame for worlds in (1, 2, 3) for frame in frames(worlds)]
FAIR, PAYOR = ("box", 0, "them"), ("box", 0, ("if", ("box", 0, "me"), "them"))
PAYOR_E = ("box", 0, ("if", ("box", 0, "E"), "E"))


def pair(agent):
    return game_equations({"Alice": agent, "Bob": agent})


def test_fairbots_may_fail_on_501_of_530_frames_and_payor_agents_on_none():
    assert len(ALL) == len(set(ALL)) == 530
    assert sum(stubborn(pair(FairBot), frame) is not None for frame in ALL) == 501
    assert not any(stubborn(pair(agent), frame) for agent in (PayorBot, PayorEBot) for frame in ALL)


def test_the_same_count_by_an_independent_brute_force():
    def fails(tree, sees):
        return any(not all(map(all, taken)) for taken in solutions(tree, tree, sees))

    every = [[list(seen) for seen in frame] for frame in ALL]
    assert sum(fails(FAIR, sees) for sees in every) == 501
    small = [sees for sees in every if len(sees) < 3]
    assert not any(fails(tree, sees) for tree in (PAYOR, PAYOR_E) for sees in [*small, *every[18::9]])


def test_models_are_the_solutions_that_brute_force_finds():
    alice, bob = Action("Alice"), Action("Bob")
    equations = game_equations({"Alice": FairBot, "Bob": Agent("~[](them -> me)")})
    for frame in ALL[:18]:
        found = [(model[alice], model[bob]) for model in models(equations, frame)]
        wanted = solutions(FAIR, ("not", ("box", 0, ("if", "them", "me"))), [list(seen) for seen in frame])
        assert sorted(found) == sorted(tuple(zip(*taken, strict=True)) for taken in wanted)


def test_the_frames_where_fairbots_cannot_fail_are_those_without_a_cycle():
    def has_cycle(frame):
        reach = [set(seen) for seen in frame]
        for _ in frame:
            reach = [seen.union(*(reach[there] for there in seen)) for seen in reach]
        return any(world in seen for world, seen in enumerate(reach))

    assert all((stubborn(pair(FairBot), frame) is not None) == has_cycle(frame) for frame in ALL)


def test_payor_agent_plays_like_fairbot_against_3000_random_opponents():
    random = Random(0)
    agents = [PayorBot, FairBot, *(random_agent(random) for _ in range(3_000))]
    opponents = np.arange(2, 3_002)
    payor, fair = (matches(agents, np.full(3_000, which), opponents) for which in (0, 1))
    assert (payor.left == fair.left).all()
    assert (payor.right == fair.right).all()
    assert 300 < fair.left.sum() < 2_700


def test_in_k4_a_payor_agent_cooperates_just_if_it_is_provable_that_the_other_does():
    """On every transitive frame, reflexive ones too, in every model: its action is FairBot's formula."""
    random = Random(1)
    k4 = [frame for frame in ALL if transitive(frame)]
    assert len(k4) == 2 + 13 + 171  # the transitive relations on 1, 2 and 3 points
    me, them = Action("P", "X"), Action("X", "P")
    for _ in range(3):
        equations = match_equations({"P": PayorBot, "X": random_agent(random)}, "P", "X")
        for frame in k4:
            for model in models(equations, frame):
                assert model[me] == tuple(all(model[them][there] for there in seen) for seen in frame)


def test_payors_lemma_is_derived_without_loebs_axiom_for_one_and_for_many():
    for names in (("x",), ("alice", "bob"), ("a", "b", "c", "d")):
        theorem = payor_lemma(names)
        claim = f"({' & '.join(names)})" if len(names) > 1 else "x"
        assert check(theorem.certificate, {}, theorem.hypotheses, logic="K") == [f"provable: {claim}"]
        assert {line["rule"] for line in theorem.certificate["lines"]} == {
            "hypothesis",
            "tautology",
            "distribute",
            "necessitate",
        }
    assert payor_lemma().hypotheses == ("[]([]x -> x) -> x",)
    assert payor_lemma(["a", "b"]).hypotheses[1] == "[b](([a](a & b) & [b](a & b)) -> (a & b)) -> b"


def beliefs(random, worlds):
    """For each world a probability distribution over all worlds, in twelfths."""
    chosen = []
    for _ in range(worlds):
        cuts = sorted(random.choices(range(13), k=worlds - 1))
        chosen.append([Fraction(b - a, 12) for a, b in zip([0, *cuts], [*cuts, 12], strict=True)])
    return chosen


def test_payor_agents_cooperate_also_where_a_box_means_at_least_this_probability():
    random = Random(2)
    fair_fails = 0
    for trial, threshold in product(range(12), (Fraction(1, 2), Fraction(2, 3), Fraction(9, 10))):
        weights = beliefs(random, 1 + trial % 3)
        for agent in (PayorBot, PayorEBot):
            assert all(all(map(all, model.values())) for model in belief_models(pair(agent), weights, threshold))
        fair_fails += any(not all(map(all, m.values())) for m in belief_models(pair(FairBot), weights, threshold))
    assert fair_fails > 0


def test_things_each_believed_need_not_be_believed_together():
    """Two facts with probability 2/3 each may share a third: why Löb's own proof does not carry over."""
    thirds = [[Fraction(1, 3)] * 3] * 3
    one, two, joint = Action("one"), Action("two"), Action("joint")
    closed = Implies(And((Box(one), Box(two))), Box(And((one, two))))
    equations = {one: one, two: two, joint: closed}
    assert any(not all(model[joint]) for model in belief_models(equations, thirds, Fraction(2, 3)))
