import pytest

from tymbal.errors import TheoryError
from tymbal.theory.modal import Agent, FairBot, PrudentBot
from tymbal.theory.modal.agent import game_equations, match_equations
from tymbal.theory.modal.match import duel, play, tournament


def written(equations):
    return {str(action): str(formula) for action, formula in equations.items()}


def test_a_match_takes_in_every_match_that_it_refers_to():
    agents = {"PrudentBot": PrudentBot, "FairBot": FairBot}
    assert written(match_equations(agents, "PrudentBot", "FairBot")) == {
        "PrudentBot(FairBot)": "[]FairBot(PrudentBot) & [1]~FairBot(DefectBot)",
        "FairBot(PrudentBot)": "[]PrudentBot(FairBot)",
        "FairBot(DefectBot)": "[]DefectBot(FairBot)",
        "DefectBot(FairBot)": "false",
    }


def test_an_agent_against_its_copy_is_one_unknown():
    assert written(match_equations({"FairBot": FairBot}, "FairBot", "FairBot")) == {
        "FairBot(FairBot)": "[]FairBot(FairBot)"
    }


def test_both_players_and_third_parties_may_be_named_on_either_side():
    a = Agent("[]FairBot(them) & []me(FairBot) & []them(them) & [](E -> others) & [](E >= 2)", "A")
    equations = written(match_equations({"A": a, "FairBot": FairBot}, "A", "FairBot"))
    assert equations["A(FairBot)"] == (
        "[]FairBot(FairBot) & []A(FairBot) & []FairBot(FairBot) "
        "& [](A(FairBot) & FairBot(A) -> FairBot(A)) & [](A(FairBot) & FairBot(A))"
    )


def test_in_a_game_next_goes_round_and_counts_become_their_members():
    players = {"Ann": Agent("[]next"), "Bo": Agent("[]others"), "Cy": Agent("[](others >= 1) | []Ann")}
    assert written(game_equations(players)) == {
        "Ann": "[]Bo",
        "Bo": "[](Ann & Cy)",
        "Cy": "[](Ann | Bo) | []Ann",
    }
    assert written(game_equations({"Ann": Agent("[]next"), "Bo": Agent("[]them")})) == {"Ann": "[]Bo", "Bo": "[]Ann"}


def test_a_user_agent_may_name_others_of_the_users_own():
    grim = Agent("[]them(me) & []them(Soft)", "Grim", knows=[Agent("[](them | me)", "Soft")])
    assert duel(grim, "CooperateBot").outcome == "CC"
    assert duel(grim, "DefectBot").outcome == "DD"


def test_a_nameless_agent_with_a_formula_of_the_library_is_that_agent():
    prudent = Agent("[]them(me) & [1]~them(DefectBot)")
    table = tournament([FairBot, prudent, "[]me"])
    assert list(table.agents) == ["FairBot", "PrudentBot", "Agent3"]
    assert table[FairBot, prudent].outcome == table["FairBot", PrudentBot].outcome == "CC"
    assert table["Agent3", "Agent3"].outcome == "CC"
    with pytest.raises(TheoryError, match="one of FairBot, PrudentBot, Agent3; got JustBot"):
        table["JustBot", FairBot]


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda: duel("[]them", "[]Bob"), "expected players of this game; got 'Bob'"),
        (lambda: play({"Ann": "[]them", "Bo": "true", "Cy": "true"}), "got 'them' .*the players here are Ann, Bo, Cy"),
        (lambda: play({"Ann": "[]DefectBot(me)", "Bo": "true"}), "this game alone; got DefectBot"),
        (lambda: play({"Ann": "true"}), "expected two players or more; got 1"),
        (lambda: play([]), "expected two players or more; got 0"),
        (lambda: duel("FairBott", "true"), "got 'FairBott'; did you mean FairBot?"),
        (lambda: Agent("true", "me"), "another name"),
        (lambda: Agent("true", "no name"), "another name"),
        (lambda: tournament([Agent("true", "A"), Agent("false", "A")]), "two called A"),
        (lambda: duel("PrudentBot", Agent("true", "DefectBot")), "two different ones called DefectBot"),
    ],
)
def test_what_cannot_be_played_is_refused(broken, complaint):
    with pytest.raises(TheoryError, match=complaint):
        broken()
