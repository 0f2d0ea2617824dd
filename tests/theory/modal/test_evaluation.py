import pytest
from hypothesis import given, settings
from kripke_oracle import agent_trees, chain_solution, height, solutions, strict_orders, text

from tymbal.theory.modal import LIBRARY, Agent, duel, tournament
from tymbal.theory.modal.agent import match_equations
from tymbal.theory.modal.evaluation import evaluate
from tymbal.theory.modal.formula import Action

LEFT, RIGHT = Action("Left", "Right"), Action("Right", "Left")
ISSUE = {
    "CooperateBot": "CC CD CC CD CC CC",
    "DefectBot": "DC DD DD DD DD DD",
    "FairBot": "CC DD CC CC CC CC",
    "PrudentBot": "DC DD CC CC CC CC",
    "PayorBot": "CC DD CC CC CC CC",
    "PayorEBot": "CC DD CC CC CC CC",
}
ORDERS = [frame for worlds in (1, 2, 3) for frame in strict_orders(worlds)]


def traced(left, right):
    agents = {"Left": Agent(text(left), "Left"), "Right": Agent(text(right), "Right")}
    return evaluate(match_equations(agents, "Left", "Right"))


def test_the_tournament_of_the_papers_comes_out_as_published():
    table = tournament(ISSUE)
    for row, outcomes in ISSUE.items():
        assert [table[row, column].outcome for column in ISSUE] == outcomes.split()


def test_the_plain_box_in_place_of_pa_plus_one_lets_prudentbot_defect_against_itself_and_fairbot():
    assert duel("PlainPrudentBot", "PlainPrudentBot").outcome == "DD"
    assert duel("PlainPrudentBot", "FairBot").outcome == "DD"
    assert duel("PrudentBot", "PrudentBot").outcome == "CC"


@given(agent_trees(), agent_trees())
@settings(max_examples=40, deadline=None)
def test_rounds_are_the_only_solution_on_every_small_frame_of_gl(left, right):
    """Brute force over all actions in all worlds; the world of height n sees what round n says."""
    trace = traced(left, right)
    for sees in ORDERS:
        (only,) = solutions(left, right, sees)
        for world, (mine, theirs) in enumerate(only):
            round_ = trace.rounds[min(height(world, sees), len(trace.rounds) - 1)]
            assert (round_.taken[LEFT], round_.taken[RIGHT]) == (mine, theirs)


@given(agent_trees(3), agent_trees(3))
@settings(max_examples=80, deadline=None)
def test_on_long_chains_the_last_round_repeats_for_ever_and_levels_are_the_least(left, right):
    trace = traced(left, right)
    chain = chain_solution(left, right, len(trace.boxes) + 4)
    for side, action in enumerate((LEFT, RIGHT)):
        values = [taken[side] for taken in chain]
        settled = next(n for n in range(len(values)) if len(set(values[n:])) == 1)
        assert trace.cooperates(action) == values[-1]
        assert trace.level(action) == settled
        assert trace.provable(action) == (settled == 0)


@given(agent_trees(3), agent_trees(3))
@settings(max_examples=80, deadline=None)
def test_there_are_at_most_as_many_rounds_as_boxes_and_one(left, right):
    trace = traced(left, right)
    assert len(trace.rounds) <= len(trace.boxes) + 1
    for box in trace.boxes:
        struck = trace.struck(box)
        place = trace.boxes.index(box)
        standing = [round_.standing[place] for round_ in trace.rounds]
        assert standing == [struck is None or number <= struck for number in range(len(trace.rounds))]


def test_truth_and_provability_differ_for_an_agent_that_cooperates_unless_it_can_prove_defection():
    with_cooperator = duel("~[]~them(me)", "CooperateBot")
    assert with_cooperator.outcome == "CC"
    assert with_cooperator.levels == (1, 0)  # true, but PA alone cannot know that it has no proof
    with_itself = duel("~[]~them(me)", "~[]~them(me)")
    assert with_itself.outcome == "DD"
    assert with_itself.levels == (0, 0)  # PA proves that it defects


def test_an_agent_that_trusts_its_own_proofs_cooperates():
    assert duel("[]me", "DefectBot").outcome == "CD"  # by Löb's theorem


@pytest.mark.parametrize("name", LIBRARY)
def test_no_agent_of_the_library_exploits_its_own_copy(name):
    assert duel(name, name).outcome in ("CC", "DD")
