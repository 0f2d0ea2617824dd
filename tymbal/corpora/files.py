"""Reading the kinds of file: `.txt`, `.jsonl`, `.parquet`, each in a stream.

Text is UTF-8, with or without a byte-order mark; in `.txt` files `\\r\\n` and `\\r` read as `\\n`. Spans are read
where a `.jsonl` object or a `.parquet` table has `spans`: a list of `{start, end, concept}` in characters of the text.
Everything that cannot be read raises `CorpusError` with the file and the line or row.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tymbal.corpora.documents import Document, Span, TextConfig
from tymbal.corpora.separator import Splitter, compiled
from tymbal.errors import CorpusError, listed

CHUNK = 1 << 16
ROWS = 256
SPANS = "spans"


def read_txt(path: Path, source: str, config: TextConfig) -> Iterator[Document]:
    """The documents of a text file, split at the separator; a file is one document without it."""
    for part in Splitter(compiled(config.separator)).split(_chunks(path)):
        yield Document(part.text, source, (), part.continues)


def _chunks(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8-sig", newline=None) as file:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except UnicodeDecodeError as error:
            raise _not_utf8(path) from error


def _not_utf8(path: Path) -> CorpusError:
    """Names the first byte that is not UTF-8 (the decoder's own position counts from its last read)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, read = 1, 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                at = read - pending + error.start
                line += chunk[: max(0, at - read)].count(b"\n")
                return _bad_text(path, f"line {line}", f"a byte that is not (byte {at})")
            read += len(chunk)
            line += chunk.count(b"\n")
    return _bad_text(path, f"line {line}", f"a character cut short at its end (byte {read})")


def _bad_text(path: Path, where: str, got: str) -> CorpusError:
    return CorpusError(expected=f"UTF-8 text in {path}, {where}", got=got, do="convert the file to UTF-8")


def read_jsonl(path: Path, source: str, config: TextConfig) -> Iterator[Document]:
    """One document a line, from the object's text field; empty lines and empty texts are left out."""
    with open(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            where = f"{path}, line {number}"
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _bad_text(path, f"line {number}", f"a byte that is not (byte {error.start} of it)") from error
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise CorpusError(
                    expected=f"a JSON object in {where}", got=f"text that is not JSON ({error.msg})", do="mend the line"
                ) from error
            yield from _document(row, source, config.field, where)


def read_parquet(path: Path, source: str, config: TextConfig) -> Iterator[Document]:
    """One document a row, in batches of rows."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            names = table.schema_arrow.names
            if config.field not in names:
                raise _missing_field(config.field, str(path), names)
            columns = [name for name in (config.field, SPANS) if name in names]
            number = 0
            for batch in table.iter_batches(batch_size=ROWS, columns=columns):
                for row in batch.to_pylist():
                    yield from _document(row, source, config.field, f"{path}, row {number}")
                    number += 1
    except (pyarrow.ArrowInvalid, pyarrow.ArrowIOError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(expected=f"a Parquet table in {path}", got=reason, do="make the file again") from error


def read_rows(rows: Iterator[Any], source: str, config: TextConfig) -> Iterator[Document]:
    """One document a row, from rows that are dictionaries."""
    for number, row in enumerate(rows):
        yield from _document(row, source, config.field, f"{source}, row {number}")


def _document(row: Any, source: str, field: str, where: str) -> Iterator[Document]:
    if not isinstance(row, dict):
        raise CorpusError(expected=f"a JSON object in {where}", got=type(row).__name__, do="mend the line")
    if field not in row:
        raise _missing_field(field, where, row)
    text = row[field]
    if not isinstance(text, str):
        raise CorpusError(
            expected=f"text in the field {field!r} of {where}", got=type(text).__name__, do="mend it or leave it out"
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _bad_text(Path(where), f"field {field!r}", f"half a surrogate pair (character {error.start})") from error
    if text and not text.isspace():
        yield Document(text, source, _spans(row.get(SPANS) or (), len(text), where))


def _missing_field(field: str, where: str, known: Any) -> CorpusError:
    return CorpusError(
        expected=f"a field {field!r} in {where}", got=f"fields {listed(known) or 'none'}", do="name another by --field"
    )


def _spans(rows: Any, length: int, where: str) -> tuple[Span, ...]:
    try:
        spans = tuple(Span(int(row["start"]), int(row["end"]), str(row["concept"])) for row in rows)
    except (TypeError, KeyError, ValueError) as error:
        raise CorpusError(
            expected=f"spans of start, end and concept in {where}", got=repr(rows)[:80], do="mend the annotation"
        ) from error
    for span in spans:
        if not 0 <= span.start <= span.end <= length:
            raise CorpusError(
                expected=f"spans within the {length} characters of {where}",
                got=f"{span.start} to {span.end} ({span.concept})",
                do="mend the annotation (it counts characters, not bytes)",
            )
    return spans
