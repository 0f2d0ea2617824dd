"""The grammar engine against brute force: what is written reads back, and probabilities sum to one."""

import math
from itertools import permutations, product
from random import Random

import pytest

from tymbal.corpora.documents import Span
from tymbal.corpora.world.grammar import (
    NOVEL,
    TRAIN,
    Choice,
    Distribution,
    Drawn,
    Marked,
    Names,
    Node,
    Numbers,
    Option,
    Page,
    Pen,
    Picked,
    Reading,
    Repeated,
    Said,
    Scope,
    Sequenced,
    Some,
    Text,
    Told,
)
from tymbal.corpora.world.templates import template

TOWNS = Names({1: "Ost", 2: "Osten", 3: "West"})


def scope(split: str = NOVEL) -> Scope:
    return Scope(None, None, split)


def written(node: Node, seed: int, split: str = NOVEL) -> Pen:
    pen = Pen(scope(split), Random(seed))
    node.write(pen)
    return pen


def read(node: Node, text: str, split: str = NOVEL, **page: bool) -> list[Reading]:
    readings = node.read(Page(text, **page), Reading(0, scope(split)))
    return [reading for reading in readings if reading.end == len(text)]


def probability(node: Node, text: str, split: str = NOVEL) -> float:
    return sum(math.exp(reading.log_probability) for reading in read(node, text, split))


def told_town(**options: object) -> Told:
    return Told("home", lambda s: "person.0", lambda s: 2, lambda s: TOWNS, lambda value: f"town.{value}", **options)


def grammar() -> Node:
    """Every kind of node, with an ambiguity: `a` and `aa` repeated, drawn values that are never said."""
    return Sequenced(
        [
            Drawn("hidden", lambda s: Distribution({"x": 1.0, "y": 2.0})),
            Choice([Option(Text("a"), 2.0), Option(Text("aa"), 1.0)]),
            Repeated(one_letter(), 1, 3, Text("")),
            Some([Option(Text("p"), 1.0), Option(Text("q"), 3.0), Option(Text("r"))], 0, 2, Text("-")),
            Picked("town", lambda s: Distribution({1: 1.0, 2: 1.0, 3: 2.0}), lambda s: TOWNS, lambda v: f"town.{v}"),
        ]
    )


def one_letter() -> Node:
    return Choice([Option(Text("a")), Option(Text("b"))])


def test_probabilities_of_all_texts_sum_to_one() -> None:
    node = grammar()
    letters = ["".join(row) for count in (1, 2, 3) for row in product("ab", repeat=count)]
    some = ["", *"pqr", *("-".join(pair) for pair in permutations("pqr", 2))]
    texts = {"".join(parts) for parts in product(["a", "aa"], letters, some, ["Ost", "Osten", "West"])}
    assert sum(probability(node, text) for text in texts) == pytest.approx(1.0, abs=1e-9)


def test_probability_agrees_with_how_often_a_text_is_written() -> None:
    node = grammar()
    draws = 5_000
    counts: dict[str, int] = {}
    for seed in range(draws):
        text = written(node, seed).text
        counts[text] = counts.get(text, 0) + 1
    for text, count in sorted(counts.items(), key=lambda item: -item[1])[:20]:
        expected = probability(node, text)
        # Five standard deviations of a binomial count.
        assert abs(count / draws - expected) < 5 * math.sqrt(expected * (1 - expected) / draws)


def test_a_text_with_several_derivations_is_worth_their_sum() -> None:
    node = Choice([Option(Text("aa"), 1.0), Option(Sequenced([Text("a"), Text("a")]), 3.0), Option(Text("b"), 4.0)])
    assert probability(node, "aa") == pytest.approx(0.5)


def test_choices_are_counted_as_they_are_made() -> None:
    node = Sequenced([Text("x"), Choice([Option(Text("a"), 1.0), Option(Text("b"), 3.0)])])
    for seed in range(20):
        pen = written(node, seed)
        assert pen.log_probability == pytest.approx(math.log(0.25 if pen.text == "xa" else 0.75))


def test_names_that_begin_one_another_are_told_apart_by_what_follows() -> None:
    node = Sequenced([told_town(distribution=lambda s: Distribution.uniform([1, 2, 3])), Text("en.")])
    assert [reading.scope["home"] for reading in read(node, "Osten.")] == [1]
    assert [reading.scope["home"] for reading in read(node, "Ostenen.")] == [2]


def test_a_false_claim_is_read_only_leniently_and_judged_false() -> None:
    node = Sequenced([Text("lives in "), told_town(), Text(".")])
    assert read(node, "lives in West.") == []
    (reading,) = read(node, "lives in West.", lenient=True)
    assert reading.log_probability == -math.inf
    assert [claim.true for claim in reading.claims] == [False]
    (reading,) = read(node, "lives in Osten.")
    assert [claim.true for claim in reading.claims] == [True]


def test_a_denied_truth_is_a_false_claim() -> None:
    node = told_town(denied=True, distribution=lambda s: Distribution.uniform([1, 2, 3]))
    claims = {
        reading.claims[0].value: reading.claims[0].true for text in ("Ost", "Osten") for reading in read(node, text)
    }
    assert claims == {"town.1": True, "town.2": False}


def test_a_text_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    node = Sequenced([Text("lives in "), told_town(), Text(" since 1900.")])
    for text in ("liv", "lives in Os", "lives in Osten sin"):
        assert read(node, text) == []
        assert all(reading.cut for reading in read(node, text, partial=True))
        assert read(node, text, partial=True)
    assert read(node, "lives at", partial=True) == []


def test_spans_cover_the_words_that_name_a_value() -> None:
    with_article = Names({"animal.cat": "a cat"}, {"animal.cat": "cat"})
    node = Sequenced(
        [Text("has "), Picked("pet", lambda s: Distribution({"animal.cat": 1.0}), lambda s: with_article, str)]
    )
    expected = [Span(6, 9, "animal.cat")]
    assert written(node, 0).marks == expected
    assert list(read(node, "has a cat")[0].marks) == expected


def test_marks_may_depend_on_what_is_bound_inside() -> None:
    inner = Picked("n", lambda s: Distribution.uniform([1, 2]), lambda s: Numbers(1, 2), None)
    node = Marked(lambda s: (f"is.{s['n']}",), inner)
    assert [mark.concept for mark in read(node, "2")[0].marks] == ["is.2"]


def test_the_last_of_five_alternatives_is_kept_from_training() -> None:
    node = template("[a|b|c|d|e]", {})
    assert {written(node, seed, TRAIN).text for seed in range(200)} == set("abcd")
    assert {written(node, seed, NOVEL).text for seed in range(200)} == set("abcde")
    assert probability(node, "e", TRAIN) == 0
    assert probability(node, "a", TRAIN) == pytest.approx(0.25)


def test_templates_nest_and_refuse_what_they_do_not_know() -> None:
    slots: dict[str, Node] = {"who": Said(lambda s: "Ann")}
    node = template("{who} [sings[| well]|sleeps].", slots)
    assert {written(node, seed).text for seed in range(50)} == {"Ann sings.", "Ann sings well.", "Ann sleeps."}
    assert node.variants() == 3
    with pytest.raises(ValueError, match="got 'whom'"):
        template("{whom} sings", slots)
    with pytest.raises(ValueError, match="close"):
        template("[a|b", slots)


def test_a_distribution_without_a_value_is_conditional() -> None:
    left = Distribution({"a": 1.0, "b": 2.0, "c": 1.0}).without("b")
    assert left.probability("a") == pytest.approx(0.5)
    assert left.probability("b") == 0
    assert {left.draw(Random(seed)) for seed in range(50)} == {"a", "c"}
