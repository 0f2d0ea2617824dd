"""Search by text over what is known of features: explanations, labels, tokens, concepts, example text.

A full-text index (SQLite FTS5, ranked by BM25) in one file, made from the atlas and its explanations when somebody
first searches, and anew when either has changed. Words are matched whole, the last one also by its beginning; case and
accents make no difference. Where the file cannot be written the index is held in memory.
"""

import contextlib
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from tymbal import artifact
from tymbal.atlas import Atlas
from tymbal.errors import ArtifactError
from tymbal.serve.explained import Explained
from tymbal.serve.text import titled, told_concept, visible

FORMAT = "2"
"""of the index; another one is made anew"""
COLUMNS = ("explanation", "label", "tokens", "concept", "examples")
WEIGHTS = (10.0, 6.0, 4.0, 6.0, 1.0)
"""how much a hit in each column counts"""
MOST_WORDS = 12
SNIPPET_WORDS = 14
_BEGIN, _END = "\x02", "\x03"
_WORD = re.compile(r"\w+")


class Hit(NamedTuple):
    """A feature that the text was found in."""

    feature: int
    where: str
    """the column of the best hit"""
    snippet: Markup
    """the words around it, hits marked"""


class TextSearch:
    """The index of one atlas; threads may share it."""

    def __init__(self, path: Path, atlas: Atlas, explained: Mapping[int, Explained]) -> None:
        self._path, self._atlas, self._explained = path, atlas, explained
        self._lock = threading.Lock()
        self._held: sqlite3.Connection | None = None
        self._ready = False

    def find(self, text: str, *, limit: int = 50) -> list[Hit]:
        """The features that have all words of the text, best first; none for a text without words."""
        query = as_query(text)
        if not query:
            return []
        rank = ", ".join(map(str, WEIGHTS))
        sql = (
            f"SELECT rowid, snippet(feature_text, -1, '{_BEGIN}', '{_END}', '…', {SNIPPET_WORDS}), "
            + ", ".join(f"highlight(feature_text, {number}, '{_BEGIN}', '')" for number in range(len(COLUMNS) - 1))
            + f" FROM feature_text WHERE feature_text MATCH ? ORDER BY bm25(feature_text, {rank}), rowid LIMIT ?"
        )
        with self._connected() as connection:
            rows = connection.execute(sql, (query, limit)).fetchall()
        return [Hit(row[0], _where(row[2:]), _marked(row[1])) for row in rows]

    def count(self, text: str) -> int:
        """How many features have all words of the text."""
        query = as_query(text)
        if not query:
            return 0
        with self._connected() as connection:
            return connection.execute(
                "SELECT count(*) FROM feature_text WHERE feature_text MATCH ?", (query,)
            ).fetchone()[0]

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if not self._ready:
                self._held = self._prepared()
                self._ready = True
        if self._held is not None:
            with self._lock:
                yield self._held
            return
        connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        with contextlib.closing(connection):
            yield connection

    def _prepared(self) -> sqlite3.Connection | None:
        """Make the file where it is missing or of something else; an index in memory where it cannot be written."""
        source = self._source()
        if _made_of(self._path) == source:
            return None
        try:
            artifact.write_atomically(self._path, lambda temporary: self._write(sqlite3.connect(temporary), source))
        except ArtifactError:
            held = sqlite3.connect(":memory:", check_same_thread=False)
            self._fill(held, source)
            return held
        return None

    def _source(self) -> str:
        """What the index is made of; another one is stale."""
        explained = "".join(f"{feature}\0{one.text}\0" for feature, one in sorted(self._explained.items()))
        return artifact.text_checksum(
            FORMAT + artifact.file_checksum(self._atlas.folder / artifact.MANIFEST) + explained
        )

    def _write(self, connection: sqlite3.Connection, source: str) -> None:
        with contextlib.closing(connection):
            connection.execute("PRAGMA journal_mode = OFF")
            self._fill(connection, source)

    def _fill(self, connection: sqlite3.Connection, source: str) -> None:
        connection.execute(
            f"CREATE VIRTUAL TABLE feature_text USING fts5({', '.join(COLUMNS)}, "
            "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
        )
        connection.executemany(
            f"INSERT INTO feature_text (rowid, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)", self._rows()
        )
        connection.execute("INSERT INTO feature_text (feature_text) VALUES ('optimize')")
        connection.execute("CREATE TABLE made_of (source TEXT)")
        connection.execute("INSERT INTO made_of VALUES (?)", (source,))
        connection.commit()

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        for row in self._atlas.texts():
            words = self._explained.get(row.feature)
            yield (
                row.feature,
                words.text if words else "",
                titled(row.label),
                " ".join(row.top_tokens),
                told_concept(row.concept, row.concept_f1),
                row.text or "",
            )


def as_query(text: str) -> str:
    """Words as an FTS5 query: all of them, the last also by its beginning; nothing in the text is an operator."""
    words = _WORD.findall(text)[:MOST_WORDS]
    return " ".join(f'"{word}"' for word in words) + "*" if words else ""


def _where(columns: tuple[str | None, ...]) -> str:
    found = (name for name, text in zip(COLUMNS, columns, strict=False) if text and _BEGIN in text)
    return next(found, COLUMNS[-1])


def _marked(snippet: str) -> Markup:
    """The snippet as markup; marks stay balanced even where the text itself holds their signs."""
    parts, inside = [], False
    for piece in re.split(f"([{_BEGIN}{_END}])", snippet):
        if piece == _BEGIN:
            parts.append("" if inside else "<b>")
            inside = True
        elif piece == _END:
            parts.append("</b>" if inside else "")
            inside = False
        else:
            parts.append(escape(visible(piece)))
    return Markup("".join(parts) + ("</b>" if inside else ""))


def _made_of(path: Path) -> str | None:
    """What the index in a file is made of; None where there is none that can be read."""
    if not path.exists():
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT source FROM made_of").fetchone()[0]
    except (sqlite3.Error, TypeError):
        return None
