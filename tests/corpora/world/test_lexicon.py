"""The four languages name the same concepts, tell them apart, and keep their grammar."""

import re

import pytest

from tymbal.corpora.world.lexicon import KINDS, LANGUAGES, LEXICONS, concept_ids

EN, DE, FR, ES = (LEXICONS[language] for language in LANGUAGES)
# Numerals and compass points begin one another in every language; readers of text take the longest.
NESTED = ("number", "direction")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_language_has_words_for_every_concept(language, kind):
    words = LEXICONS[language].words(kind)
    assert tuple(words) == concept_ids(kind)
    assert all(forms and all(form.strip() == form != "" for form in forms) for forms in words.values())


def test_no_language_has_a_word_for_a_concept_that_is_not_listed():
    listed = {concept for kind in KINDS for concept in concept_ids(kind)}
    for lexicon in LEXICONS.values():
        assert {*lexicon.nouns, *lexicon.people, *lexicon.adjectives, *lexicon.weather} <= listed


def test_the_kinds_have_the_promised_size():
    sizes = {"profession": 32, "animal": 20, "good": 24, "weather": 10, "direction": 8, "month": 12, "tone": 6}
    assert {kind: len(KINDS[kind]) for kind in sizes} == sizes


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_form_of_one_concept_begins_a_form_of_another(language, kind):
    words = LEXICONS[language].words(kind)
    forms = [(form, concept) for concept, fs in words.items() for form in fs]
    clashes = [(a, b) for a, x in forms for b, y in forms if x != y and (a == b if kind in NESTED else b.startswith(a))]
    assert not clashes


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_belongs_to_one_kind(language):
    owner: dict[str, str] = {}
    for kind in KINDS:
        if kind == "relation":  # "friend" is both the person and the label in a record
            continue
        for concept, forms in LEXICONS[language].words(kind).items():
            for form in forms:
                assert owner.setdefault(form.casefold(), concept) == concept


def test_german_nouns_decline():
    cases = ("nom", "acc", "dat", "gen")
    assert [DE.noun("animal.horse", article="def", case=case) for case in cases] == [
        "das Pferd",
        "das Pferd",
        "dem Pferd",
        "des Pferdes",
    ]
    assert [DE.noun("animal.raven", article="indef", case=case) for case in cases] == [
        "ein Rabe",
        "einen Raben",
        "einem Raben",
        "eines Raben",
    ]
    assert DE.noun("attribute.name", article="def", case="gen") == "des Namens"
    assert DE.noun("animal.dog", "pl", "def", "dat") == "den Hunden"
    assert DE.noun("animal.donkey", "pl", "def", "dat") == "den Eseln"
    assert DE.noun("attribute.door_code", "pl", "def", "dat") == "den Türcodes"
    assert DE.noun("animal.cow", article="her", case="dat") == "ihrer Kuh"


def test_german_adjectives_take_the_ending_the_article_leaves():
    black = "colour.black"
    assert DE.noun("animal.horse", article="def", adjective=black) == "das schwarze Pferd"
    assert DE.noun("animal.horse", article="indef", adjective=black) == "ein schwarzes Pferd"
    assert DE.noun("animal.dog", article="indef", case="acc", adjective=black) == "einen schwarzen Hund"
    assert DE.noun("animal.cow", article="his", case="dat", adjective=black) == "seiner schwarzen Kuh"
    assert DE.noun("good.tea", case="dat", adjective=black) == "schwarzem Tee"
    assert DE.noun("animal.cat", "pl", adjective=black) == "schwarze Katzen"
    assert DE.noun("animal.cat", "pl", "my", adjective=black) == "meine schwarzen Katzen"
    assert DE.profession("profession.baker", "m", article="indef", adjective="feeling.tired") == "ein müder Bäcker"


def test_professions_have_both_genders():
    doctor = {"concept": "profession.doctor", "gender": "f", "article": "def"}
    assert [lex.profession(**doctor) for lex in (EN, DE, FR, ES)] == [
        "the doctor",
        "die Ärztin",
        "la médecin",
        "la médica",
    ]
    assert DE.profession("profession.pilot", "m", article="def", case="acc") == "den Piloten"
    assert DE.profession("profession.cook", "f", "pl") == "Köchinnen"
    assert DE.profession("profession.doctor", "m", article="def", case="gen") == "des Arztes"
    assert FR.profession("profession.actor", "f", article="indef") == "une actrice"
    assert FR.profession("profession.clockmaker", "m", article="def") == "l'horloger"
    assert ES.profession("profession.judge", "f", "pl", "def") == "las juezas"
    assert ES.profession("profession.actor", "m", "pl") == "actores"
    assert ES.profession("profession.mason", "m", "pl") == "albañiles"


def test_english_chooses_a_or_an():
    assert EN.noun("good.apple", article="indef") == "an apple"
    assert EN.noun("good.apple", article="indef", adjective="colour.red") == "a red apple"
    assert EN.noun("animal.mouse", "pl", "his") == "his mice"


def test_french_elides_and_contracts():
    assert FR.noun("good.apricot", article="def") == "l'abricot"
    assert FR.noun("animal.goose", article="her") == "son oie"
    assert FR.noun("animal.squirrel", "pl", "def") == "les écureuils"
    assert FR.noun("animal.cow", article="indef", adjective="colour.white") == "une vache blanche"
    partitives = ("weather.rain", "good.salt", "good.amber", "good.apple", "weather.storm")
    assert [FR.noun(concept, article="some") for concept in partitives] == [
        "de la pluie",
        "du sel",
        "de l'ambre",
        "une pomme",
        "une tempête",
    ]
    assert FR.noun("good.lamp", "pl", "some") == "des lampes"
    assert [FR.of(phrase) for phrase in ("le cheval", "les chevaux", "l'âne", "un âne", "Arlen", "Mara")] == [
        "du cheval",
        "des chevaux",
        "de l'âne",
        "d'un âne",
        "d'Arlen",
        "de Mara",
    ]
    assert [FR.to(phrase) for phrase in ("le cheval", "les chevaux", "la vache")] == [
        "au cheval",
        "aux chevaux",
        "à la vache",
    ]


def test_spanish_contracts_and_agrees():
    assert ES.of("el caballo") == "del caballo"
    assert ES.to("el caballo") == "al caballo"
    assert ES.of("la vaca") == "de la vaca"
    assert ES.noun("animal.cow", "pl", "def", adjective="colour.yellow") == "las vacas amarillas"
    assert ES.noun("animal.horse", "pl", "my", adjective="colour.brown") == "mis caballos marrones"
    assert ES.join(["vino", "hierro"]) == "vino y hierro"
    assert ES.join(["agosto", "invierno"]) == "agosto e invierno"
    assert ES.join(["perro", "oveja"], "or") == "perro u oveja"


def test_spanish_has_no_feminine_noun_with_a_stressed_a_in_front():
    feminine = [noun.singular for noun in ES.nouns.values() if noun.gender == "f" and re.match("h?[aá]", noun.singular)]
    # Stressed elsewhere: ardilla and alfombra on the second syllable.
    assert feminine == ["ardilla", "alfombra"]


def test_compass_points_take_their_prepositions():
    assert [lex.direction_phrase(7) for lex in (EN, DE, FR, ES)] == [
        "north-west of",
        "nordwestlich von",
        "au nord-ouest de",
        "al noroeste de",
    ]
    assert FR.direction_phrase(2, "Arlen") == "à l'est d'Arlen"
    assert [lex.toward(6) for lex in (EN, DE, FR, ES)] == [
        "to the west",
        "nach Westen",
        "vers l'ouest",
        "hacia el oeste",
    ]


def test_dates_are_written_as_each_language_does():
    assert [lex.date(1, 3, 1923) for lex in (EN, DE, FR, ES)] == [
        "1 March 1923",
        "1. März 1923",
        "1er mars 1923",
        "1 de marzo de 1923",
    ]
    assert [lex.on_date(12, 8) for lex in (EN, DE, FR, ES)] == [
        "on 12 August",
        "am 12. August",
        "le 12 août",
        "el 12 de agosto",
    ]
    assert [FR.in_season(season) for season in concept_ids("season")] == [
        "au printemps",
        "en été",
        "en automne",
        "en hiver",
    ]


def test_owners_are_named_as_each_language_does():
    assert [lex.possessive("Mara Dell", "animal.horse") for lex in (EN, DE, FR, ES)] == [
        "Mara Dell's horse",
        "das Pferd von Mara Dell",
        "le cheval de Mara Dell",
        "el caballo de Mara Dell",
    ]
    assert DE.possessive("Mara Dell", "animal.horse", case="dat") == "dem Pferd von Mara Dell"
    assert DE.of("dem Pferd") == "vom Pferd"
    assert DE.to("dem Bäcker") == "zum Bäcker"


def test_german_weather_clauses_follow_the_word_order():
    fog = "weather.fog"
    assert DE.weather_clause(fog) == "es war neblig"
    assert DE.weather_clause(fog, order="inverted") == "war es neblig"
    assert DE.weather_clause(fog, order="subordinate") == "es neblig war"
    assert DE.weather_clause("weather.sunshine", "present", "inverted") == "scheint die Sonne"
    assert [lex.weather_clause("weather.rain") for lex in (EN, FR, ES)] == ["it was raining", "il pleuvait", "llovía"]


@pytest.mark.parametrize("lexicon", LEXICONS.values(), ids=LANGUAGES)
def test_weather_is_told_in_two_tenses_for_every_kind(lexicon):
    clauses = [
        lexicon.weather_clause(concept, tense) for concept in concept_ids("weather") for tense in ("past", "present")
    ]
    assert len(set(clauses)) == 20


def test_counts_use_words_and_the_article_for_one():
    assert [lex.count(3, "animal.horse") for lex in (EN, DE, FR, ES)] == [
        "three horses",
        "drei Pferde",
        "trois chevaux",
        "tres caballos",
    ]
    assert [lex.count(1, "animal.cow") for lex in (EN, DE, FR, ES)] == ["a cow", "eine Kuh", "une vache", "una vaca"]
    assert DE.count(3, "animal.horse", case="dat") == "drei Pferden"


def test_mass_nouns_have_no_plural():
    assert EN.natural_number("good.salt") == "sg"
    assert EN.natural_number("good.bell") == "pl"
    for lexicon in LEXICONS.values():
        with pytest.raises(ValueError, match="mass noun"):
            lexicon.noun("good.salt", "pl")


def test_unknown_concepts_are_refused_by_name():
    with pytest.raises(ValueError, match="dragon"):
        EN.noun("animal.dragon")
    with pytest.raises(ValueError, match="kind must be"):
        EN.words("planet")
    with pytest.raises(ValueError, match="between 1 and 20"):
        DE.numeral(21)


def test_the_languages_agree_on_what_is_counted():
    for concept in (*concept_ids("good"), *concept_ids("animal"), *concept_ids("attribute")):
        assert len({lexicon.nouns[concept].mass for lexicon in LEXICONS.values()}) == 1, concept
