"""The world is the same everywhere, its names can be told apart, and its geometry is consistent."""

import hashlib
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.corpora.world.facts import PEOPLE, TOWNS, World, make_world
from tymbal.corpora.world.lexicon import KINDS, LANGUAGES, LEXICONS

WORLD = make_world(0)
TOWN = st.integers(0, TOWNS - 1)
FACTS_SHA256 = "6a8f84f4b3e67923dd3ce96840a14bc1141b3dbdc104ede8fd0de1f8e4ab119c"


def digest(world: World) -> str:
    return hashlib.sha256("\n".join("\t".join(fact) for fact in world.facts()).encode()).hexdigest()


def test_world_zero_has_the_facts_it_always_had():
    assert digest(WORLD) == FACTS_SHA256


def test_a_seed_makes_one_world_and_another_seed_another():
    assert make_world(0) == WORLD
    assert digest(make_world(3)) != FACTS_SHA256


def test_the_world_has_the_promised_size():
    assert [len(part) for part in (WORLD.regions, WORLD.towns, WORLD.firms, WORLD.people)] == [8, 200, 100, 2000]
    assert {town.region for town in WORLD.towns} == set(range(8))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_name_is_the_beginning_of_another(seed):
    world = make_world(seed)
    count = len(world.regions) + len(world.towns) + len(world.firms) + len(world.people)
    names = sorted(world.names())
    assert len(names) == count
    # In sorted order a name that begins another stands directly before one that it begins.
    assert not [(a, b) for a, b in pairwise(names) if b.startswith(a)]


@pytest.mark.parametrize("kind", ["first", "last"])
def test_no_first_or_last_name_is_the_beginning_of_another(kind):
    words = sorted({getattr(person, kind) for person in WORLD.people})
    assert not [(a, b) for a, b in pairwise(words) if b.startswith(a)]


def test_names_are_plain_words_that_no_language_has_to_inflect():
    words = [word for name in WORLD.names() for word in name.split(" ") if word != "&"]
    assert all(word.isascii() and word.isalpha() and word.istitle() for word in words)
    assert not [word for word in words if word[0] in "HIOY" or word[-1] in "sxz"]
    assert all(5 <= len(town.name) <= 10 for town in WORLD.towns)


def test_no_name_is_a_word_of_the_lexicon():
    forms = {
        form.casefold() for lex in LEXICONS.values() for kind in KINDS for fs in lex.words(kind).values() for form in fs
    }
    assert not forms & {word.casefold() for name in WORLD.names() for word in name.split(" ")}


def test_names_lead_back_to_their_concepts():
    assert all(WORLD.name(concept) == name for name, concept in WORLD.names().items())
    with pytest.raises(ValueError, match="person, town, region or firm"):
        WORLD.name("animal.horse")


def test_towns_keep_their_distance_and_lie_on_the_square():
    towns = WORLD.towns
    assert all(0 <= town.x <= 999 and 0 <= town.y <= 999 and 900 <= town.founded <= 1800 for town in towns)
    assert min(math.dist((a.x, a.y), (b.x, b.y)) for a in towns for b in towns if a.id < b.id) >= 15


@given(TOWN, TOWN)
def test_the_way_back_is_the_opposite_direction(a, b):
    if a == b:
        with pytest.raises(ValueError, match="two towns"):
            WORLD.direction(a, b)
    else:
        assert WORLD.direction(a, b) == (WORLD.direction(b, a) + 4) % 8


@given(TOWN, TOWN)
def test_direction_and_distance_agree_with_trigonometry(a, b):
    east, north = WORLD.towns[b].x - WORLD.towns[a].x, WORLD.towns[b].y - WORLD.towns[a].y
    assert abs(WORLD.distance(a, b) - math.hypot(east, north)) <= 5
    assert WORLD.distance(a, b) % 10 == 0
    if a != b:
        assert WORLD.direction(a, b) == round(math.atan2(east, north) / (math.pi / 4)) % 8


@given(TOWN)
def test_neighbours_are_the_nearest_six(town):
    def away(other: int) -> float:
        return math.dist((WORLD.towns[town].x, WORLD.towns[town].y), (WORLD.towns[other].x, WORLD.towns[other].y))

    neighbours = WORLD.neighbours(town)
    others = set(range(TOWNS)) - {town, *neighbours}
    assert len(set(neighbours)) == 6
    assert town not in neighbours
    assert max(map(away, neighbours)) <= min(map(away, others))


def test_people_have_a_friend_who_is_somebody_else_and_a_code_of_their_own():
    assert all(person.friend != person.id and 0 <= person.friend < PEOPLE for person in WORLD.people)
    assert len({person.door_code for person in WORLD.people}) == PEOPLE
    assert all(len(person.door_code) == 4 and person.door_code.isdigit() for person in WORLD.people)
    assert all(1900 <= person.born <= 1985 for person in WORLD.people)


def test_three_quarters_are_honest():
    assert 0.72 <= sum(person.honest for person in WORLD.people) / PEOPLE <= 0.78


def test_the_head_of_250_people_takes_sixty_percent_of_mentions():
    assert math.isclose(sum(WORLD.person_weight), 1)
    assert math.isclose(sum(WORLD.town_weight), 1)
    assert 0.58 <= sum(sorted(WORLD.person_weight)[-250:]) <= 0.62


def test_untold_people_are_spread_over_all_frequencies():
    ranked = sorted(range(PEOPLE), key=lambda person: -WORLD.person_weight[person])
    shares = [len(WORLD.untold & set(ranked[start : start + 200])) for start in range(0, PEOPLE, 200)]
    assert shares == [10] * 10


def test_a_tenth_of_facts_is_held_out_in_a_language_and_never_in_two():
    held = [
        [WORLD.heldout_pair(person, attribute, language) for language in LANGUAGES]
        for person in range(PEOPLE)
        for attribute in ("home", "profession", "born")
    ]
    assert max(sum(row) for row in held) == 1
    assert all(0.08 <= sum(column) / len(held) <= 0.12 for column in zip(*held, strict=True))


def test_facts_name_only_concepts_that_exist():
    kinds = {"person": 2000, "town": 200, "firm": 100, "region": 8}
    for fact in WORLD.facts():
        kind, _, name = fact.value.partition(".")
        if kind in kinds:
            assert int(name) < kinds[kind]
        elif kind in ("profession", "animal", "good"):
            assert name in KINDS[kind]


def test_facts_repeat_the_tables():
    facts = {(fact.subject, fact.attribute): fact.value for fact in WORLD.facts()}
    person = WORLD.people[12]
    assert facts["person.12", "home"] == f"town.{person.home}"
    assert facts["person.12", "friend"] == f"person.{person.friend}"
    assert facts["person.12", "born"] == f"year.{person.born}"
    assert facts["town.7", "good"] == WORLD.towns[7].good
    assert WORLD.age(12, person.born + 30) == 30
