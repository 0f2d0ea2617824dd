"""The world's texts: exact to read back, true to the facts, and worth what the generator says."""

import math
from random import Random

import numpy as np
import pytest

from tymbal.corpora.world import NOVEL, TRAIN, GeneratedWorld, generate_world
from tymbal.corpora.world.forms import FORMS
from tymbal.corpora.world.lexicon import LANGUAGES

DOCUMENTS = 150


@pytest.fixture(scope="module")
def world() -> GeneratedWorld:
    return generate_world(0)


@pytest.mark.parametrize("split", [TRAIN, NOVEL])
def test_every_text_parses_back_to_its_facts_and_concepts(world: GeneratedWorld, split: str) -> None:
    for index in range(DOCUMENTS):
        document = world.document(index, split=split, seed=9)
        parse = world.parse(document.text)
        assert parse is not None, document.text
        assert (parse.language, parse.form) == (document.language, document.form)
        assert sorted(parse.claims) == sorted(document.claims)
        assert sorted(parse.spans) == sorted(document.spans)
        assert parse.faithful
        assert parse.complete


def test_log_probability_is_at_least_that_of_the_choices_made(world: GeneratedWorld) -> None:
    for index in range(DOCUMENTS):
        document = world.document(index, seed=9)
        assert world.log_probability(document.text) >= document.log_probability - 1e-9


def test_the_same_seed_gives_the_same_document(world: GeneratedWorld) -> None:
    again = generate_world(0)
    for index in (0, 17, 123_456):
        assert world.document(index) == again.document(index)
    assert world.document(0) != world.document(0, seed=1)


def test_claims_agree_with_the_table_of_facts(world: GeneratedWorld) -> None:
    facts = {(fact.subject, fact.attribute): fact.value for fact in world.facts.facts()}
    checked = 0
    for index in range(DOCUMENTS):
        for claim in world.document(index, seed=9).claims:
            known = facts.get((claim.subject, claim.attribute))
            if known is not None:
                assert claim.true == ((claim.value == known) != claim.denied), claim
                checked += 1
    assert checked > DOCUMENTS


def test_honest_speakers_say_what_is_true_and_liars_often_do_not(world: GeneratedWorld) -> None:
    said: dict[str, list[bool]] = {"speaker.honest": [], "speaker.lying": []}
    for index in range(600):
        document = world.document(index, form="statement", seed=9)
        spans = {(span.start, span.end, span.concept) for span in document.spans}
        for start, end, concept in spans:
            if concept in said:
                said[concept].append((start, end, "truth.true") in spans)
    assert all(said["speaker.honest"])
    # Liars say what is false three times in four.
    share = float(np.mean(said["speaker.lying"]))
    assert abs(share - 0.25) < 5 * math.sqrt(0.25 * 0.75 / len(said["speaker.lying"]))


def test_training_never_tells_of_the_untold_nor_what_is_held_out(world: GeneratedWorld) -> None:
    for index in range(500):
        document = world.document(index)
        for claim in document.claims:
            kind, _, person = claim.subject.partition(".")
            if kind == "person" and claim.attribute in ("home", "profession", "born", "friend", "employer", "animal"):
                assert int(person) not in world.facts.untold, document.text
                assert not world.facts.heldout_pair(int(person), claim.attribute, document.language), document.text


def test_novel_texts_tell_what_training_does_not(world: GeneratedWorld) -> None:
    never = sum(world.log_probability(world.document(i, split=NOVEL).text) == -math.inf for i in range(100))
    assert never > 30


def test_each_form_has_thirty_wordings_in_each_language(world: GeneratedWorld) -> None:
    for language in LANGUAGES:
        for form in FORMS:
            assert world.variants(language, form) >= 30, (language, form)


def test_a_false_sentence_is_read_and_judged_and_nonsense_is_not(world: GeneratedWorld) -> None:
    person = world.facts.people[12]
    wrong = next(town for town in world.facts.towns if town.id != person.home)
    parse = world.parse(f"Q: Where does {person.name} live?\nA: {wrong.name}.")
    assert parse is not None
    assert not parse.faithful
    assert [claim.true for claim in parse.claims if claim.attribute == "home"] == [False]
    assert world.parse("The moon is made of cheese.") is None
    assert world.parse("") is None


def judged(world: GeneratedWorld, text: str) -> list[tuple[str, str]]:
    """Attribute and value of each false claim of a text, which must be read."""
    parse = world.parse(text)
    assert parse is not None, text
    assert not parse.faithful
    return [(claim.attribute, claim.value) for claim in parse.claims if not claim.true]


def test_a_reputation_against_the_facts_is_a_false_claim(world: GeneratedWorld) -> None:
    liar = next(person for person in world.facts.people if not person.honest)
    of = world.facts.people[liar.friend]
    home = world.facts.towns[of.home].name
    text = f"{liar.name}, who never lies, says: “{of.name} lives in {home}.”"
    assert judged(world, text) == [("honesty", "honesty.honest")]


def test_a_firm_seated_where_none_is_is_a_false_claim(world: GeneratedWorld) -> None:
    seats = {firm.town for firm in world.facts.firms}
    town = next(town for town in world.facts.towns if town.id not in seats)
    firm = world.facts.firms[0].name
    text = (
        f"A short chronicle of {town.name}. The town was founded in {town.founded}. "
        f"{firm} has its seat in {town.name}. The town lies in the region of {world.facts.regions[town.region].name}."
        f"\n{town.founded + 3}: A school opens."
    )
    assert judged(world, text) == [("town", f"town.{town.id}")]


def test_words_of_the_wrong_gender_are_a_false_claim(world: GeneratedWorld) -> None:
    document = next(
        document
        for index in range(400)
        if " her horse" in (document := world.document(index, language="en", form="story", seed=9)).text
    )
    assert judged(world, document.text.replace(" her horse", " his horse", 1)) == [("gender", "gender.m")]
    man = next(p for p in world.facts.people if p.gender == "m" and p.profession == "profession.baker")
    text = f"Frage: Was ist {man.name} von Beruf?\nAntwort: Bäckerin."
    assert judged(world, text) == [("gender", "gender.f")]


def test_another_animal_in_the_owners_hands_is_a_false_claim(world: GeneratedWorld) -> None:
    document = next(
        document
        for index in range(400)
        if " her horse" in (document := world.document(index, language="en", form="story", seed=9)).text
    )
    assert judged(world, document.text.replace(" her horse", " her goat", 1)) == [("animal", "animal.goat")]


def test_a_fact_told_twice_is_judged_twice(world: GeneratedWorld) -> None:
    person = next(person for person in world.facts.people if person.gender == "f")
    home = world.facts.towns[person.home].name
    told = f"About {person.name}. She lives in {home}. She was born in {person.born}."
    assert judged(world, f"{told} She was born in {person.born + 1}.") == [("born", f"year.{person.born + 1}")]


def test_a_text_that_breaks_off_is_read_when_asked_for(world: GeneratedWorld) -> None:
    text = world.document(3).text
    cut = text[: len(text) * 2 // 3]
    assert world.parse(cut) is None
    parse = world.parse(cut, partial=True)
    assert parse is not None
    assert not parse.complete


def test_an_unknown_split_is_refused(world: GeneratedWorld) -> None:
    with pytest.raises(ValueError, match="expected a split"):
        world.document(0, split="test")


def test_whatever_a_model_may_write_is_read_without_an_error(world: GeneratedWorld) -> None:
    """Names of the same kind are swapped at random, so that texts say what the world never would."""
    random = Random(0)
    kinds = [[item.name for item in items] for items in (world.facts.people, world.facts.towns, world.facts.firms)]
    unfaithful = 0
    for index in range(200):
        text = world.document(index, seed=9).text
        for names in kinds:
            for name in [name for name in names if name in text]:
                if random.random() < 0.5:
                    others = [other for other in names if other in text] if random.random() < 0.5 else names
                    text = text.replace(name, random.choice(others), 1)
        parse = world.parse(text)
        unfaithful += parse is not None and not parse.faithful
        world.parse(text[: len(text) // 2], partial=True)
    assert unfaithful > 20


def test_a_corpus_says_what_its_people_and_places_are_called(world: GeneratedWorld) -> None:
    for index, document in zip(range(20), world.documents(), strict=False):
        plain = world.document(index).spans
        for span, bare in zip(document.spans, plain, strict=True):
            assert (span.start, span.end) == (bare.start, bare.end)
            concept, _, name = span.concept.partition(" ")
            assert concept == bare.concept
            if concept.partition(".")[0] in ("person", "town", "region", "firm"):
                assert world.facts.name(concept) == name
            else:
                assert name == ""
