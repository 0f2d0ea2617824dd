"""Parts of a document join to the document, and end where whitespace begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tymbal.corpora.documents import Document, Span, in_parts


@given(text=st.text(alphabet="ab \n\t", max_size=200), part=st.integers(1, 30), continues=st.booleans())
def test_parts_join_to_the_text_and_are_bounded(text, part, continues):
    parts = list(in_parts(Document(text, "memory", continues=continues), part))
    assert "".join(piece.text for piece in parts) == text
    assert all(len(piece.text) <= part for piece in parts)
    assert [piece.continues for piece in parts] == [continues] + [True] * (len(parts) - 1)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("aaaa bbbb\n\ncccc dddd eeee", "aaaa bbbb"),
        ("aaaa bbbb\ncccc dddd eeee", "aaaa bbbb"),
        ("aaaa bbbb cccc dddd eeee", "aaaa bbbb cccc"),
        ("aaaabbbbccccddddeeee", "aaaabbbbccccddd"),
    ],
)
def test_a_part_ends_before_a_blank_line_else_a_line_break_else_a_space(text, first):
    assert next(in_parts(Document(text, "memory"), 15)).text == first


@given(
    text=st.text(alphabet="ab ", min_size=1, max_size=60),
    bounds=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5),
    part=st.integers(1, 20),
)
def test_spans_cut_with_the_text_cover_the_same_characters(text, bounds, part):
    spans = tuple(
        Span(min(a, b), min(max(a, b), len(text)), f"c{number}")
        for number, (a, b) in enumerate(bounds)
        if min(a, b) < min(max(a, b), len(text))
    )
    covered = {(span.concept, place) for span in spans for place in range(span.start, span.end)}
    found, offset = set(), 0
    for piece in in_parts(Document(text, "memory", spans), part):
        for span in piece.spans:
            assert 0 <= span.start < span.end <= len(piece.text)
            found |= {(span.concept, place + offset) for place in range(span.start, span.end)}
        offset += len(piece.text)
    assert found == covered
