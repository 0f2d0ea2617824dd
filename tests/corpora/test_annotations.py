"""Spans of characters reach exactly the tokens that say them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.corpora.annotations import concept_pairs
from tymbal.corpora.documents import Span


def array(values) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_a_token_that_shares_only_its_leading_space_does_not_carry_the_span():
    text = "Lily ran home"
    starts, ends = array([0, 4, 8]), array([4, 8, 13])
    spans = [Span(0, 5, "Lily and a space"), Span(5, 8, "ran"), Span(4, 5, "space")]
    names = {"Lily and a space": 0, "ran": 1, "space": 2}
    assert concept_pairs(text, spans, starts, ends, names).tolist() == [[0, 0], [1, 1]]


def test_a_token_of_whitespace_within_the_span_carries_it_and_one_at_the_border_does_not():
    text = "a \n\n b"
    starts, ends = array([0, 1, 5]), array([1, 5, 6])
    spans = [Span(0, 6, "all"), Span(0, 3, "half")]
    assert concept_pairs(text, spans, starts, ends, {"all": 0, "half": 1}).tolist() == [[0, 0], [0, 1], [1, 0], [2, 0]]


def test_tokens_of_one_character_all_carry_its_span_and_empty_tokens_none():
    starts, ends = array([0, 1, 1, 1, 2]), array([1, 2, 2, 1, 3])
    assert concept_pairs("a日b", [Span(1, 2, "c")], starts, ends, {"c": 0})[:, 0].tolist() == [1, 2]


def test_a_concept_said_twice_of_a_token_is_there_once():
    spans = [Span(0, 2, "c"), Span(1, 3, "c")]
    assert concept_pairs("abc", spans, array([0, 1, 2]), array([1, 2, 3]), {"c": 0})[:, 0].tolist() == [0, 1, 2]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), text=st.text(alphabet="ab \n\u3000é", min_size=1, max_size=40))
def test_pairs_equal_the_rule_applied_token_by_token(data, text):
    edges = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=12))})
    gaps = data.draw(st.lists(st.booleans(), min_size=len(edges) - 1, max_size=len(edges) - 1))
    tokens = [(a, b) for a, b, gap in zip(edges[:-1], edges[1:], gaps, strict=True) if not gap]
    bounds = data.draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=6))
    spans = [Span(min(a, b), max(a, b), f"c{number % 3}") for number, (a, b) in enumerate(bounds)]
    names = {"c0": 0, "c1": 1, "c2": 2}
    expected = {
        (place, names[span.concept])
        for place, (start, end) in enumerate(tokens)
        for span in spans
        if (span.start <= start and end <= span.end) or text[max(start, span.start) : min(end, span.end)].strip()
    }
    starts, ends = array([a for a, _ in tokens]), array([b for _, b in tokens])
    assert concept_pairs(text, spans, starts, ends, names).tolist() == sorted(map(list, expected))
