"""Files, folders, globs and datasets give their documents in order; bad input is named with file and line."""

import json
import sys
import types
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tymbal.corpora import Document, Span, TextConfig, read_documents
from tymbal.errors import CorpusError, MissingExtraError


def texts(*sources: object, **settings) -> list[str]:
    return [document.text for document in read_documents([str(source) for source in sources], TextConfig(**settings))]


def test_a_text_file_is_one_document_and_a_separator_splits_it(tmp_path: Path):
    file = tmp_path / "stories.txt"
    file.write_text("One.\nTwo.\n\nStill two.\n", encoding="utf-8")
    assert texts(file) == ["One.\nTwo.\n\nStill two.\n"]
    assert texts(file, separator=r"(?<!\n)\n(?!\n)") == ["One.", "Two.\n\nStill two."]


def test_byte_order_marks_and_windows_line_ends_do_not_reach_the_text(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfOne.\r\nTwo.")
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "Three."}\r\n')
    assert texts(tmp_path) == ["One.\nTwo.", "Three."]


def test_jsonl_gives_a_document_a_line_from_the_named_field_with_its_spans(tmp_path: Path):
    rows = [
        {"body": "Lily ran."},
        {"body": "  "},
        {"body": "Tom", "spans": [{"start": 0, "end": 3, "concept": "name"}]},
    ]
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    assert list(read_documents([str(file)], TextConfig(field="body"))) == [
        Document("Lily ran.", str(file)),
        Document("Tom", str(file), (Span(0, 3, "name"),)),
    ]


def test_parquet_gives_a_document_a_row_with_its_spans(tmp_path: Path):
    file = tmp_path / "a.parquet"
    spans = [[{"start": 0, "end": 4, "concept": "name"}, {"start": 5, "end": 8, "concept": "verb"}], [], None]
    kind = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("concept", pa.string())]))
    columns = {"text": ["Lily ran.", "It rains.", "No."], "id": [1, 2, 3], "spans": pa.array(spans, kind)}
    pq.write_table(pa.table(columns), file)
    read = list(read_documents([str(file)]))
    assert [document.text for document in read] == columns["text"]
    assert [document.spans for document in read] == [(Span(0, 4, "name"), Span(5, 8, "verb")), (), ()]


def test_folders_and_globs_are_read_in_order_of_name_and_no_file_twice(tmp_path: Path):
    for name in ("b/2.txt", "a/9.txt", "10.txt", "1.txt", ".hidden/3.txt", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    assert texts(tmp_path) == ["1.txt", "10.txt", "a/9.txt", "b/2.txt"]
    assert texts(f"{tmp_path}/*/*.txt") == ["a/9.txt", "b/2.txt"]
    assert texts(tmp_path / "b" / "2.txt", tmp_path) == ["b/2.txt", "1.txt", "10.txt", "a/9.txt"]


def test_a_long_text_comes_in_parts_of_one_document(tmp_path: Path):
    file = tmp_path / "long.txt"
    text = "word " * 60_000
    file.write_text(text)
    parts = list(read_documents([str(file)]))
    assert len(parts) > 1
    assert [part.continues for part in parts] == [False] + [True] * (len(parts) - 1)
    assert "".join(part.text for part in parts) == text


BAD_FILES = {
    "latin.txt": (b"line one\nline two\ncaf\xe9 here\n", r"latin\.txt, line 3.*byte 21"),
    "cut.txt": ("ok\nend é".encode()[:-1], r"cut\.txt, line 2.*cut short"),
    "latin.jsonl": (b'{"text": "ok"}\n{"text": "caf\xe9"}\n', r"latin\.jsonl, line 2"),
    "notjson.jsonl": (b'{"text": "ok"}\n{"text": \n', r"JSON object in .*notjson\.jsonl, line 2"),
    "list.jsonl": (b'["ok"]\n', r"JSON object in .*list\.jsonl, line 1.*list"),
    "nofield.jsonl": (b'{"text": "ok"}\n\n{"body": "x", "id": 3}\n', r"'text' in .*nofield\.jsonl, line 3.*body, id"),
    "number.jsonl": (b'{"text": 7}\n', r"text in the field 'text' of .*number\.jsonl, line 1.*int"),
    "surrogate.jsonl": (b'{"text": "a\\ud800"}\n', r"surrogate\.jsonl, line 1.*character 1"),
    "span.jsonl": (
        b'{"text": "ab", "spans": [{"start": 0, "end": 3, "concept": "c"}]}\n',
        r"span\.jsonl, line 1.*0 to 3",
    ),
    "badspan.jsonl": (b'{"text": "ab", "spans": [{"start": 0}]}\n', r"badspan\.jsonl, line 1"),
    "torn.parquet": (b"PAR1 and no more", r"Parquet table in .*torn\.parquet"),
    "empty.txt": (b"", r"text in the corpus; got none in .*empty\.txt"),
    "blank.txt": (b" \n\n ", r"text in the corpus"),
    "empty.jsonl": (b"\n", r"text in the corpus"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_named_with_the_line(tmp_path: Path, name: str):
    content, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=message) as caught:
        texts(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_byte_that_is_not_utf8_is_found_far_into_a_file_and_across_reads(tmp_path: Path):
    file = tmp_path / "far.txt"
    content = ("é" * 40_000 + "\n").encode() * 3
    for place in (65_535, 65_536, 65_537, 200_000):
        file.write_bytes(content[:place] + b"\xff" + content[place:])
        whole = file.read_bytes()
        with pytest.raises(UnicodeDecodeError) as expected:
            whole.decode()
        line = whole[: expected.value.start].count(b"\n") + 1
        with pytest.raises(CorpusError, match=rf"line {line}; .*byte {expected.value.start}\)"):
            texts(file)


def test_a_parquet_table_without_the_field_is_refused_with_those_it_has(tmp_path: Path):
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["x"], "id": [1]}), file)
    with pytest.raises(CorpusError, match=r"'text' in .*a\.parquet; got fields body, id; name another by --field"):
        texts(file)
    pq.write_table(pa.table({"text": ["x", None]}), file)
    with pytest.raises(CorpusError, match=r"a\.parquet, row 1; got NoneType"):
        texts(file)


def test_what_is_not_there_is_refused_before_anything_is_read(tmp_path: Path):
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"none\.txt; got no such file"):
        read_documents([str(tmp_path / "none.txt")])
    with pytest.raises(CorpusError, match="a glob that matches none"):
        read_documents([f"{tmp_path}/*.txt"])
    with pytest.raises(CorpusError, match=r"\.txt, \.jsonl, \.parquet; got .*a\.csv"):
        read_documents([str(tmp_path / "a.csv")])
    with pytest.raises(CorpusError, match=r"files in .*empty"):
        read_documents([str(tmp_path / "empty")])
    with pytest.raises(CorpusError, match="no source"):
        read_documents([])
    with pytest.raises(CorpusError, match="regular expression"):
        read_documents([str(tmp_path / "a.csv")], TextConfig(separator="("))


def test_a_hub_dataset_without_the_library_is_answered_with_its_install_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"datasets.*pip install"):
        read_documents(["hf:roneneldan/TinyStories"])


def test_a_hub_dataset_is_streamed_and_its_failures_are_one_line(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def load_dataset(name, subset, *, split, streaming):
        asked.append((name, subset, split, streaming))
        if name == "none":
            raise ConnectionError("Couldn't reach the hub\nlong trace")
        return iter([{"text": "One."}, {"text": ""}, {"text": "Two."}])

    module = types.ModuleType("datasets")
    monkeypatch.setattr(module, "load_dataset", load_dataset, raising=False)
    monkeypatch.setitem(sys.modules, "datasets", module)
    assert texts("hf:a/b", "hf:a/b:validation", "hf:wikitext:raw:test") == ["One.", "Two."] * 3
    assert asked == [("a/b", None, "train", True), ("a/b", None, "validation", True), ("wikitext", "raw", "test", True)]
    with pytest.raises(CorpusError, match="hf:none from the Hugging Face hub; got ConnectionError: Couldn't reach"):
        texts("hf:none")
    with pytest.raises(CorpusError, match="hf:NAME"):
        texts("hf:a:b:c:d")
