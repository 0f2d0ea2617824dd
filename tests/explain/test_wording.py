"""How descriptions read: what tokens have in common, that they have nothing in common, concepts in words."""

import pytest

from tymbal.explain import parse_predicate
from tymbal.explain.concept_words import concept_words


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('["token", " R", "R"]', "the token “R”, with a space before it or without"),
        ('["token", " a", " b"]', "one of the letters “a” or “b”"),
        ('["token", " cat", " dog"]', "the token “cat” or “dog”"),
        ('["token", ";", " |", ","]', "one of the marks “;”, “|” or “,”"),
        ('["token", "12", " 7", "190"]', "one of the numbers “12”, “7” or “190”"),
        ('["token", " cat", "?", " 12"]', "mixed: “cat”, “?” or “12”"),
        (
            '["and", ["token", " cat", "?", " 12"], ["language", "Spanish"]]',
            "mixed: “cat”, “?” or “12”, each in Spanish text",
        ),
        ('["concept", "form.biography"]', "a biography"),
        ('["and", ["token", ","], ["concept", "form.letter"]]', "the token “,” in a letter"),
        ('["and", ["after words", "."], ["concept", "form.biography"]]', "a token in a word after “.” in a biography"),
    ],
)
def test_a_description_reads_as_a_person_would_say_it(expression, words):
    assert parse_predicate(expression).words() == words


@pytest.mark.parametrize(
    ("concept", "words"),
    [
        ("form.statement", "a statement"),
        ("language.de", "German text"),
        ("tone.angry", "text of an angry tone"),
        ("animal.horse", "a word for “horse”"),
        ("animal.*", "a word for any animal"),
        ("person.355 Fatima Nafoff", "the name Fatima Nafoff"),
        ("attribute.door_code", "a stated door code"),
        ("request.allowed", "an allowed request"),
        ("refusal", "a refusal"),
        ("year.1946", "the year 1946"),
        ("gene.BRCA1", "text marked gene.BRCA1"),
        ("gene.*", "text marked any gene"),
        ("plain", "text marked plain"),
    ],
)
def test_a_concept_is_named_in_words_and_an_unknown_kind_as_it_is_annotated(concept, words):
    assert concept_words(concept) == words
