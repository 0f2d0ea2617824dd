"""Concepts of the world as labelled texts: labels are what the facts say, and the text does not give them away."""

import pytest

from tymbal.corpora.world import generate_world
from tymbal.errors import ProbeError
from tymbal.probes import concept_texts, statements

WORLD = generate_world(0)


def test_towns_are_read_off_their_names_alone() -> None:
    texts = concept_texts(WORLD, "town.position", examples=1000)
    assert texts.outputs == ("x", "y")
    assert len({example.group for example in texts.examples}) == 200
    for example in texts.examples[::37]:
        town = WORLD.facts.towns[int(example.group.removeprefix("town."))]
        assert example.label == (town.x, town.y)
        assert example.text[example.start : example.end] == town.name
        assert not any(character.isdigit() for character in example.text)


@pytest.mark.parametrize("label", ["true", "honest", "likely"])
def test_statements_are_cut_behind_the_sentence_and_judged_by_the_facts(label: str) -> None:
    texts = statements(WORLD, examples=60, languages=("en",))[label]
    for example in texts.examples:
        assert example.end == len(example.text)
        assert example.text[example.start :].endswith(".")
        assert "true" not in example.text[example.end :]
        attribute, denied = example.dataset.split(", ")
        person = WORLD.facts.people[int(example.group.removeprefix("person."))]
        sentence = example.text[example.start :]
        if attribute == "home":
            said = WORLD.facts.towns[person.home].name in sentence
            true = said != (denied == "denied")
            if label == "true":
                assert example.label == str(true).lower()
            if label == "likely":
                assert example.label == str(said).lower()


def test_a_family_gives_its_members_and_groups_are_documents() -> None:
    texts = concept_texts(WORLD, "language", examples=60)
    assert {example.label for example in texts.examples} <= {"en", "de", "fr", "es"}
    assert len({example.group for example in texts.examples}) == len(texts.examples)


@pytest.mark.parametrize("name", ["colour", "town.colour", "statement.wise", "town"])
def test_a_concept_that_the_world_lacks_is_refused_with_those_it_has(name: str) -> None:
    with pytest.raises(ProbeError, match=r"of the world.*name one of these"):
        concept_texts(WORLD, name, examples=50)
