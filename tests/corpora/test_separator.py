"""Splitting a stream gives what splitting the whole text gives."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.corpora.documents import PART
from tymbal.corpora.separator import Splitter, compiled
from tymbal.errors import CorpusError

SEPARATORS = [
    r"(?<!\n)\n(?!\n)",
    r"\n\n",
    r"\n{2,}",
    r"\s*---\s*",
    r"(?=ab)",
    r"(?<=b)(?=a)",
    r"<end>|\n",
    r"(\n)(a?)",
    r"(?m)^a",
    r"\b",
    r"a*",
]
TEXT = st.text(alphabet="ab \n-", max_size=80).map(lambda text: text.replace("-b", "---").replace("a-", "<end>"))


def documents_of(chunks, separator, part=PART, window=8):
    """The documents put together again from their parts."""
    documents: list[str] = []
    for piece in Splitter(compiled(separator), part=part, window=window).split(chunks):
        if piece.continues:
            documents[-1] += piece.text
        else:
            documents.append(piece.text)
    return documents


def whole_split(separator: str, text: str) -> list[str]:
    edges = [0]
    for match in re.finditer(separator, text):
        edges += [match.start(), match.end()]
    edges.append(len(text))
    return [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def chunked(text: str, sizes: list[int]) -> list[str]:
    chunks = []
    for size in sizes:
        chunks.append(text[:size])
        text = text[size:]
    return [*chunks, text]


@settings(max_examples=200, deadline=None)
@given(
    text=TEXT,
    separator=st.sampled_from(SEPARATORS),
    sizes=st.lists(st.integers(0, 12), max_size=20),
    part=st.integers(2, 40),
)
def test_streaming_split_equals_split_of_the_whole_text(text, separator, sizes, part):
    # Runs of whitespace and of "a" in the text are at most 80 long, so the window of 96 holds every match.
    streamed = documents_of(chunked(text, sizes), separator, part=part, window=96)
    whole = [document for document in whole_split(separator, text) if document.strip()]
    assert [document.strip() for document in streamed] == [document.strip() for document in whole]


@settings(max_examples=200, deadline=None)
@given(words=st.lists(st.sampled_from(["ab", "a b", "b\n\na"]), max_size=60), sizes=st.lists(st.integers(1, 9)))
def test_a_window_far_shorter_than_the_text_suffices_for_short_matches(words, sizes):
    text = "\n".join(words)
    separator = r"(?<!\n)\n(?!\n)"
    assert documents_of(chunked(text, sizes), separator, window=4) == [
        document for document in re.split(separator, text) if document.strip()
    ]


@settings(max_examples=100, deadline=None)
@given(text=TEXT, sizes=st.lists(st.integers(1, 12)), other=st.lists(st.integers(1, 12)), part=st.integers(2, 30))
def test_where_parts_end_does_not_depend_on_the_chunks(text, sizes, other, part):
    separator = compiled(r"\n\n")
    first = list(Splitter(separator, part=part, window=96).split(chunked(text, sizes)))
    second = list(Splitter(separator, part=part, window=96).split(chunked(text, other)))
    assert first == second


def test_without_a_separator_the_parts_of_the_text_join_to_the_text():
    text = "\n\n".join(f"Paragraph {number} of a long book." for number in range(3000))
    parts = list(Splitter(None, part=1000).split(chunked(text, [777] * 50)))
    assert "".join(part.text for part in parts) == text
    assert [part.continues for part in parts] == [False] + [True] * (len(parts) - 1)
    assert all(len(part.text) <= 1000 for part in parts)
    assert all(part.text.startswith("\n\n") for part in parts[1:])


@pytest.mark.parametrize("separator", [None, r"\n\n"])
def test_the_buffer_stays_small_however_long_the_document(separator):
    splitter = Splitter(compiled(separator), part=1000, window=100)
    longest = 0

    def chunks():
        nonlocal longest
        for _ in range(2000):
            longest = max(longest, len(splitter._buffer))
            yield "one two three four five " * 10

    assert sum(len(part.text) for part in splitter.split(chunks())) == 2000 * 240
    assert longest < 3000


def test_a_separator_that_is_no_regular_expression_is_refused_by_name():
    with pytest.raises(CorpusError, match=r"regular expression.*'\(\[b'"):
        compiled("([b")
