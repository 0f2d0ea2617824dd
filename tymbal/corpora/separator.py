r"""Splitting a stream of text at a regular expression, without holding the text.

`re.split` needs the whole text. Here a buffer slides over it:

1. A match is believed only if it starts at least `WINDOW` characters before the end of what has been read; what lies
   behind that horizon is searched again when more has come. A match that, with its lookahead, is no longer than the
   window is thus found whole, and never because the buffer happened to end.
2. The last `WINDOW` characters before the current document stay in the buffer, for lookbehind.
3. The text between two matches is a document; one that grows beyond the size of a part is handed on in parts.

For example `(?<!\n)\n(?!\n)` takes a lone newline as the border and leaves blank lines inside documents.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tymbal.corpora.documents import PART, part_end
from tymbal.errors import CorpusError

WINDOW = 1 << 12


class Part(NamedTuple):
    """Text of one document; `continues` when it goes on where the part before it stopped."""

    text: str
    continues: bool


def compiled(separator: str | None) -> re.Pattern[str] | None:
    """The separator as a pattern; raises `CorpusError` when it is no regular expression."""
    if separator is None:
        return None
    try:
        return re.compile(separator)
    except re.error as error:
        raise CorpusError(
            expected="a regular expression between documents", got=f"{separator!r} ({error})", do="mend --separator"
        ) from error


class Splitter:
    """Takes text in chunks, gives the documents in it. Documents of nothing but whitespace are left out."""

    def __init__(self, separator: re.Pattern[str] | None, part: int = PART, window: int = WINDOW) -> None:
        self._separator = separator
        self._part = part
        self._window = window
        self._buffer = ""
        self._begin = 0
        """Where the text not yet handed on begins in the buffer."""
        self._search = 0
        """Where the next match may start."""
        self._empty_at = -1
        """Where the last match was, if it was empty: the next one must not be the same again."""
        self._continues = False

    def split(self, chunks: Iterable[str]) -> Iterator[Part]:
        """The documents of all chunks together."""
        for chunk in chunks:
            self._buffer += chunk
            yield from self._advance(len(self._buffer) - (self._window if self._separator else 0))
            self._trim()
        yield from self._advance(len(self._buffer) + 1)
        yield from self._end_document(len(self._buffer))

    def _advance(self, horizon: int) -> Iterator[Part]:
        if self._separator and horizon > self._search:
            for match in self._separator.finditer(self._buffer, self._search):
                if match.start() >= horizon:
                    break
                if match.end() == match.start() == self._empty_at:
                    continue
                yield from self._end_document(match.start())
                self._begin = self._search = match.end()
                self._empty_at = match.end() if match.end() == match.start() else -1
        if horizon > self._search:
            self._search, self._empty_at = horizon, -1
        yield from self._full_parts(min(horizon, len(self._buffer)))

    def _full_parts(self, end: int) -> Iterator[Part]:
        while end - self._begin > self._part:
            cut = part_end(self._buffer, self._begin, self._part)
            yield from self._hand_on(cut)

    def _end_document(self, end: int) -> Iterator[Part]:
        yield from self._full_parts(end)
        yield from self._hand_on(end)
        self._continues = False

    def _hand_on(self, end: int) -> Iterator[Part]:
        text = self._buffer[self._begin : end]
        self._begin = end
        if text and (self._continues or not text.isspace()):
            yield Part(text, self._continues)
            self._continues = True

    def _trim(self) -> None:
        drop = max(0, min(self._begin, self._search) - self._window)
        if drop:
            self._buffer = self._buffer[drop:]
            self._begin -= drop
            self._search -= drop
            self._empty_at -= drop
