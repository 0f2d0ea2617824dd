"""Documents: text with the spans annotated in it, in parts of bounded size.

A document may be larger than memory. It is therefore handed on in parts: the first `Document` of a text has
`continues=False`, every further part of the same text has `continues=True`. A part is at most `PART` characters and
ends where a run of whitespace begins (a blank line if there is one in its second half, else a line break, else any
whitespace; only a text without any is cut inside a word), so that the next part starts with the whitespace. Tokenizers
that keep a space with the word behind it (byte-level BPE) or drop it (WordPiece) then give the tokens of the whole.
Where a text is cut depends on the text alone, never on how it was read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

PART = 1 << 16
_BREAKS = (re.compile(r"(?<!\s)\s*?\n\s*?\n"), re.compile(r"(?<!\s)[^\S\n]*\n"), re.compile(r"(?<!\s)\s"))


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How documents lie in files."""

    separator: str | None = None
    """Regular expression between the documents of a .txt file; without one a file is one document. A match, with what
    it looks at before and behind it, may be 4,096 characters long."""
    field: str = "text"
    """Name of the text's field in .jsonl, .parquet and Hugging Face datasets."""


class Span(NamedTuple):
    """A concept said by the characters `start` to `end` (exclusive) of a document."""

    start: int
    end: int
    concept: str


class Document(NamedTuple):
    """A text, or one part of it: `continues` marks a part that goes on where the document before it stopped."""

    text: str
    source: str
    spans: tuple[Span, ...] = ()
    continues: bool = False


def part_end(text: str, begin: int, part: int = PART) -> int:
    """Where the part that begins at `begin` ends, in a text that goes on for more than `part` characters behind it."""
    for pattern in _BREAKS:
        best = -1
        for match in pattern.finditer(text, begin + part // 2, begin + part):
            best = match.start()
        if best > begin:
            return best
    return begin + part


def in_parts(document: Document, part: int = PART) -> Iterator[Document]:
    """The document in parts of at most `part` characters; its spans are cut where it is."""
    begin, continues = 0, document.continues
    while len(document.text) - begin > part:
        end = part_end(document.text, begin, part)
        yield _piece(document, begin, end, continues)
        begin, continues = end, True
    yield document if begin == 0 else _piece(document, begin, len(document.text), continues)


def _piece(document: Document, begin: int, end: int, continues: bool) -> Document:
    spans = tuple(
        Span(max(span.start, begin) - begin, min(span.end, end) - begin, span.concept)
        for span in document.spans
        if span.start < end and span.end > begin
    )
    return Document(document.text[begin:end], document.source, spans, continues)
