"""What can be said of tokens, on texts small enough to be checked by eye."""

from collections.abc import Sequence

import numpy as np
import pytest

from tymbal.explain import Text, parse_predicate
from tymbal.explain.kinds import KINDS


def text_of(*passages: Sequence[str], concepts: dict[str, list[int]] | None = None) -> Text:
    """A text of these tokens; `concepts` gives the rows of each."""
    tokens = [token for passage in passages for token in passage]
    vocabulary = list(dict.fromkeys(tokens))
    pairs = [(row, number) for number, rows in enumerate((concepts or {}).values()) for row in rows]
    rows, numbers = (np.array(column, dtype=np.int64) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    lengths = [len(passage) for passage in passages]
    return Text(
        vocabulary=vocabulary,
        token=np.array([vocabulary.index(token) for token in tokens], dtype=np.int32),
        passage=np.repeat(np.arange(len(passages)), lengths).astype(np.int32),
        passage_ids=np.arange(len(passages)),
        position=np.concatenate([np.arange(1, length + 1) for length in lengths]).astype(np.int32),
        concepts=list(concepts or {}),
        concept_pairs=(rows, numbers),
    )


def rows(text: Text, kind: str, *values: str) -> list[int]:
    """Where a description of one kind holds."""
    return parse_predicate(str([kind, *values]).replace("'", '"')).rows(text).tolist()


def test_words_end_at_spaces_marks_and_passages() -> None:
    text = text_of([" Mar", "grit", ",", " li", "ve", "s"], ["s", " in", "."])
    assert text.words.full == ["Margrit", ",", "lives", "s", "in", "."]
    assert text.words.so_far == ["Mar", "Margrit", ",", "li", "live", "lives", "s", "in", "."]
    assert rows(text, "word", "Margrit") == [1]
    assert rows(text, "shape", "word end") == [1, 5]
    assert rows(text, "shape", "whole word") == [6, 7]
    assert rows(text, "prefix", "li") == [4, 5]


def test_words_before_are_whole_words_and_end_at_the_passage() -> None:
    text = text_of([" Mar", "grit", " lives", " in", " Ro", "me"], [" in", " in"])
    assert rows(text, "after words", "Margrit") == [2]
    assert rows(text, "after words", "lives in") == [4, 5]
    assert rows(text, "after words", "in") == [4, 5, 7]
    assert rows(text, "previous token", " in") == [4, 7]
    assert rows(text, "next token", " in") == [2, 6]


def test_repetition_stays_within_the_passage() -> None:
    text = text_of([" a", " b", " c", " a", " b", " d"], [" a", " b"])
    assert rows(text, "repetition", "token") == [3, 4]
    assert rows(text, "repetition", "pair") == [4]
    assert rows(text, "repetition", "after") == [4, 5]
    assert rows(text, "repetition", "broken") == [5]


@pytest.mark.parametrize(
    ("tokens", "inside"),
    [
        ([" he", " said", " “", "no", "”", " and"], [2, 3, 4]),
        ([" «", "oui", "»", " et"], [0, 1, 2]),
        ([" „", "ja", "“", " und"], [0, 1, 2]),
        ([' "', "a", '"', " b", ' "', "c"], [0, 1, 2, 4, 5]),
        ([" “", "open", "\n\n", " next"], [0, 1]),
    ],
)
def test_quotations_are_told_by_their_marks_in_any_language(tokens: list[str], inside: list[int]) -> None:
    assert rows(text_of(tokens), "span", "quotation") == inside


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("let x = 5\n", True),
        ("return f(x);\n", True),
        ("def f(x):\n", True),
        ("for (i = 0; i < 3; i++) {\n", True),
        ("She came home, and it was late.\n", False),
        ("What is it? A house (of wood).\n", False),
        ("Import duties are high in the north.\n", False),
        (" = A heading =\n", False),
    ],
)
def test_lines_of_code_are_told_from_prose(line: str, code: bool) -> None:
    assert bool(rows(text_of(["Here it is:\n", line, "And so on.\n"]), "span", "code")) is code


def test_the_language_of_a_passage_is_that_of_its_small_words() -> None:
    german = ["", "der", "Hund", "und", "die", "Katze", "sind", "in", "dem", "Haus", "und", "es", "ist", "kalt"][1:]
    french = ["", "le", "chien", "et", "la", "souris", "sont", "dans", "la", "maison", "et", "il", "fait", "froid"][1:]
    none = ["Xyzzy", "plugh", "foo", "bar"]
    text = text_of(*([f" {word}" for word in words] for words in (german, french, none)))
    assert rows(text, "language", "German") == list(range(len(german)))
    assert rows(text, "language", "French") == list(range(len(german), len(german) + len(french)))
    assert rows(text, "language", "English") == []


def test_mentions_begin_end_and_are_gone_on_after_and_kinds_join_them() -> None:
    concepts = {"town.Rome": [1, 2, 5], "town.Bonn": [3], "alone": [7]}
    text = text_of([" in", " Ro", "me", " Bonn", ",", " Rome"], [" we", " go"], concepts=concepts)
    assert rows(text, "concept", "town.Rome") == [1, 2, 5]
    assert rows(text, "concept beginning", "town.Rome") == [1]
    assert rows(text, "concept end", "town.Rome") == [2]
    assert rows(text, "after concept", "town.Rome") == [3]
    assert rows(text, "concept", "town.*") == [1, 2, 3, 5]
    assert rows(text, "concept end", "town.*") == [3]
    assert rows(text, "concept", "alone") == [7]


def test_places_are_counted_in_the_passage_and_in_the_sentence() -> None:
    text = text_of([" It", " is", " so", ".", " And", " th", "en", "\n", "Yes"], [" No"])
    assert rows(text, "place", "passage 1") == [0, 9]
    assert rows(text, "place", "passage 3") == [2]
    assert rows(text, "place", "sentence 1") == [0, 4, 8, 9]
    assert rows(text, "place", "sentence 2") == [1, 5, 6]
    assert rows(text, "place", "line 1") == [0, 8, 9]


def test_every_kind_has_words_for_each_of_its_values() -> None:
    text = text_of(
        [" Mar", "grit", ",", " “", "12", "”", "\n", "x", " = ", "é", "."], concepts={"a.b": [0, 1], "a.c": [2]}
    )
    for kind in KINDS.values():
        for value in text.made(kind.name, kind.column).values:
            words = kind.words([value])
            for phrase in (words.noun, words.modifier):
                assert phrase is None or (phrase.strip() and phrase.isprintable())
