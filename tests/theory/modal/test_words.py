import pytest

from tymbal.theory.modal import LIBRARY, Agent, duel, explain, play, policy, table_text, tournament


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("true", "It always cooperates"),
        ("false", "It always defects"),
        ("[]them(me)", "It cooperates if it can prove that the other cooperates"),
        ("~[]~them", "It cooperates if it cannot prove that the other defects"),
        ("[1]~them(DefectBot)", "It cooperates if it can prove in PA+1 that the other defects against DefectBot"),
        (
            "[]([]me -> them)",
            "It cooperates if it can prove that (if it is provable that it cooperates, then the other cooperates)",
        ),
        ("[](others >= 2)", "It cooperates if it can prove that at least 2 others cooperate"),
        (
            "[]~E | []false",
            "It cooperates if either it can prove that somebody defects or it can prove a contradiction",
        ),
    ],
)
def test_a_formula_is_said_in_words(source, sentence):
    assert policy(Agent(source), "It") == sentence


@pytest.mark.parametrize(
    ("left", "right", "headline"),
    [
        ("FairBot", "PrudentBot", "FairBot and PrudentBot: both cooperate."),
        ("FairBot", "FairBot", "FairBot against its copy: both cooperate."),
        ("[]them(me)", "DefectBot", "FairBot and DefectBot: both defect."),
        ("PrudentBot", "CooperateBot", "PrudentBot and CooperateBot: PrudentBot defects and CooperateBot cooperates."),
    ],
)
def test_the_headline_says_who_does_what(left, right, headline):
    assert explain(duel(left, right)).splitlines()[0] == headline


def test_a_reason_names_the_proof_that_there_is_or_when_it_was_struck_out():
    assert "there is a proof that FairBot cooperates with PrudentBot" in explain(duel("FairBot", "PrudentBot"))
    words = explain(duel("FairBot", "DefectBot"))
    assert "there is no proof that DefectBot cooperates with FairBot: that was false in round 0" in words
    assert "DefectBot defects against FairBot, whatever can be proved." in words


def test_it_says_what_takes_loebs_theorem_what_payors_lemma_and_what_is_beyond_proof():
    assert "This takes Löb's theorem" in explain(duel("FairBot", "FairBot"))
    assert "Payor's lemma" in explain(duel("PayorBot", "PayorBot"))
    assert "Löb" not in explain(duel("FairBot", "CooperateBot"))
    assert "PA+1 proves it" in explain(duel("TrustingBot", "CooperateBot"))
    assert "accepted by the independent checker" in explain(play({"Alice": "[]Bob", "Bob": "[]Alice"}))


def test_every_match_of_the_library_can_be_told_and_no_line_is_too_wide():
    table = tournament(LIBRARY.values())
    for match in list(table.matches.values())[::7]:
        assert all(len(line) <= 130 for line in explain(match).splitlines())
    assert "PrudentBot       DC*" in table_text(table)
