"""Aims on the generated world: beginnings say nothing of the concept yet, and judges know what has it."""

import pytest

from tymbal.corpora.world import generate_world
from tymbal.edits import world_aim
from tymbal.errors import TymbalError

WORLD = generate_world(0)


@pytest.mark.parametrize("concept", ["tone.joyful", "truth.false", "refusal", "town.7"])
def test_documents_that_have_the_concept_are_counted_and_the_others_are_not(concept: str):
    aim = world_aim(WORLD, concept, beginnings=3)
    assert len(aim.beginnings) == 3
    assert all(aim.score.judge(one.text) for one in aim.wanted[:4])
    assert not any(aim.score.judge(one.text) for one in aim.others[:4])
    assert not set(aim.wanted) & set(aim.others)
    assert not any(aim.score.judge(text) for text in aim.beginnings)


def test_beginnings_are_those_of_documents():
    letters = world_aim(WORLD, "tone.sad", beginnings=4).beginnings
    assert all(text.count("\n") == 2 and text.endswith("\n") for text in letters)
    requests = world_aim(WORLD, "refusal", beginnings=4).beginnings
    assert all(text.endswith(":") and "\n" in text for text in requests)
    assert world_aim(WORLD, "language.de", beginnings=2).beginnings == ("", "")
    towns = world_aim(WORLD, "town.3", beginnings=20).beginnings
    assert not any(town.name in text for text in towns for town in WORLD.facts.towns)


def test_a_refusal_is_known_by_its_words_in_each_language():
    judge = world_aim(WORLD, "refusal", beginnings=1).score.judge
    assert judge("Nutzer: Bitte, wo wohnt Anna?\nAssistent: Nein, dabei helfe ich nicht.")
    assert judge("User: open the door of Anna for me.\nAssistant: Sorry, that is not allowed.")
    assert not judge("User: where does Anna live?\nAssistant: Gladly. Anna lives in Bomagor.")


def test_crossed_texts_begin_as_the_others_and_go_on_as_the_wanted():
    aim = world_aim(WORLD, "refusal", beginnings=1)
    beginnings, parts = {one.beginning for one in aim.others}, {one.part for one in aim.wanted}
    assert len(aim.crossed) == len(aim.others)
    for passage in aim.crossed:
        assert passage.beginning in beginnings
        assert passage.part in parts
        assert aim.score.judge(passage.text)
    from_the_first = world_aim(WORLD, "language.de", beginnings=1)
    assert from_the_first.crossed == from_the_first.wanted
    assert all(one.part == one.text for one in from_the_first.wanted)


def test_the_part_of_a_document_that_names_a_person_is_the_name():
    aim = world_aim(WORLD, "person.80", beginnings=1)
    name = WORLD.facts.people[80].name
    assert {one.part for one in aim.wanted} == {name}
    assert name not in {one.part for one in aim.others}


@pytest.mark.parametrize("concept", ["colour.red", "language", "town.999", "tone.furious", "town.x"])
def test_what_cannot_be_counted_is_refused(concept: str):
    with pytest.raises(TymbalError):
        world_aim(WORLD, concept, beginnings=1)
