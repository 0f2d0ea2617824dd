"""What readers write down: labels, remarks, votes, bookmarks and blind scores, in SQLite beside the study.

A note is never changed or removed: the table only grows, and what holds now is read off it (the last label, each
reader's last vote). So writers who meet lose nothing, and every state can be had again. Each note is one transaction of
its own under a write-ahead log, and on disk when `add` returns. The file lies outside everything that has a checksum,
and is made with the first note.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tymbal.errors import ArtifactError, TymbalError

LONGEST = 2000
"""characters of a note"""
PATIENCE = 30.0
"""seconds that a writer waits for others"""
_TABLE = """
CREATE TABLE IF NOT EXISTS note (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time TEXT NOT NULL,
  reader TEXT NOT NULL,
  feature INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS note_feature ON note (feature, kind, id);
"""


class Kind(StrEnum):
    """What a note is."""

    LABEL = "label"
    """a name for the feature; empty takes the last one away"""
    REMARK = "remark"
    VOTE = "vote"
    """up, down, or empty for none: whether what the page says of the feature is right"""
    BOOKMARK = "bookmark"
    """on, or empty for off"""
    SCORE = "score"
    """0 to 4: how well an explanation foretells the examples, given blind"""


_VALUES = {
    Kind.VOTE: ("up", "down", ""),
    Kind.BOOKMARK: ("on", ""),
    Kind.SCORE: ("0", "1", "2", "3", "4"),
}


class Note(NamedTuple):
    """One thing that a reader wrote down."""

    id: int
    time: str
    """UTC, ISO 8601"""
    reader: str
    feature: int
    kind: str
    value: str


@dataclass
class FeatureNotes:
    """What holds now of one feature."""

    label: str = ""
    remarks: list[Note] = field(default_factory=list)
    votes: dict[str, str] = field(default_factory=dict)
    """of each reader"""
    bookmarked: bool = False
    scores: dict[str, int] = field(default_factory=dict)
    """of each reader, given blind"""

    @property
    def up(self) -> int:
        """Readers who find it right."""
        return sum(vote == "up" for vote in self.votes.values())

    @property
    def down(self) -> int:
        """Readers who find it wrong."""
        return sum(vote == "down" for vote in self.votes.values())

    def take(self, note: Note) -> None:
        """Go on to a later note."""
        match note.kind:
            case Kind.LABEL:
                self.label = note.value
            case Kind.REMARK:
                self.remarks.append(note)
            case Kind.VOTE:
                self.votes[note.reader] = note.value
            case Kind.BOOKMARK:
                self.bookmarked = note.value == "on"
            case Kind.SCORE:
                self.scores[note.reader] = int(note.value)


class Notes:
    """The notes in one file; threads and processes may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, feature: int, kind: Kind, value: str, *, reader: str = "") -> Note:
        """Write a note down; it is on disk when this returns.

        Raises `TymbalError` for a value that this kind cannot have, `ArtifactError` where the file cannot be written.
        """
        value = _storable(value).strip()
        _require(kind, value)
        row = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), _storable(reader)[:40], feature, str(kind), value)
        with self._open() as connection:
            cursor = connection.execute(
                "INSERT INTO note (time, reader, feature, kind, value) VALUES (?, ?, ?, ?, ?)", row
            )
            assert cursor.lastrowid is not None
            return Note(cursor.lastrowid, *row)

    def history(self) -> list[Note]:
        """Every note, in the order in which they were written."""
        return list(self._read("SELECT * FROM note ORDER BY id", []))

    def all(self) -> dict[int, FeatureNotes]:
        """What holds now of each feature that has notes."""
        return _held(self._read("SELECT * FROM note ORDER BY id", []))

    def of(self, features: Iterable[int]) -> dict[int, FeatureNotes]:
        """The same of these features alone; those without notes are left out."""
        wanted = [int(feature) for feature in features]
        marks = ", ".join("?" * len(wanted))
        return _held(self._read(f"SELECT * FROM note WHERE feature IN ({marks}) ORDER BY id", wanted))

    def _read(self, query: str, values: list[int]) -> Iterator[Note]:
        if not self.path.exists():
            return
        with self._open() as connection:
            for row in connection.execute(query, values).fetchall():
                yield Note(*row)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection of its own each time: SQLite's lock is then the only one, for threads and for processes alike.
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            with contextlib.closing(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_TABLE)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise ArtifactError(
                expected=f"notes that can be read and written at {self.path}", got=str(error), do="check the folder"
            ) from error


def _held(notes: Iterable[Note]) -> dict[int, FeatureNotes]:
    found: dict[int, FeatureNotes] = {}
    for note in notes:
        found.setdefault(note.feature, FeatureNotes()).take(note)
    return found


def _storable(text: str) -> str:
    """The text without lone surrogates, which no database holds."""
    return text.encode("utf-8", "replace").decode()


def _require(kind: Kind, value: str) -> None:
    allowed = _VALUES.get(kind)
    if allowed is not None and value not in allowed:
        raise TymbalError(
            expected=f"a {kind} among {', '.join(repr(one) for one in allowed)}",
            got=repr(value[:40]),
            do="send one of these",
        )
    if len(value) > LONGEST:
        raise TymbalError(expected=f"a {kind} of at most {LONGEST} characters", got=f"{len(value)}", do="write less")
