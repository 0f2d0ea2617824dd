"""Notes are kept: by many writers at once, in order, beside the study and never among what is hashed."""

import multiprocessing
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.atlas import open_atlas
from tymbal.errors import ArtifactError, TymbalError
from tymbal.serve import create_app
from tymbal.serve.notes import LONGEST, FeatureNotes, Kind, Notes

WRITERS, EACH = 4, 15
HERE = {"origin": "http://localhost"}


def write(path: Path, writer: int) -> None:
    notes = Notes(path)
    for number in range(EACH):
        notes.add(number, Kind.REMARK, f"writer {writer}, note {number}", reader=f"reader {writer}")


def expected() -> set[str]:
    return {f"writer {writer}, note {number}" for writer in range(WRITERS) for number in range(EACH)}


# Forked, since a fresh process takes seconds to import what the app needs; a writer uses none of the parent's threads.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", [threading.Thread, multiprocessing.get_context("fork").Process])
def test_writers_who_meet_lose_nothing(tmp_path: Path, kind) -> None:
    path = tmp_path / "serve" / "notes.sqlite"
    writers = [kind(target=write, args=(path, writer)) for writer in range(WRITERS)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    history = Notes(path).history()
    assert {note.value for note in history} == expected()
    assert [note.id for note in history] == list(range(1, WRITERS * EACH + 1))


def test_what_holds_is_the_last_label_each_readers_last_vote_and_every_remark(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.sqlite")
    for kind, value, reader in [
        (Kind.LABEL, "cats", "a"),
        (Kind.VOTE, "up", "a"),
        (Kind.VOTE, "down", "b"),
        (Kind.REMARK, "one", "a"),
        (Kind.LABEL, "big cats", "b"),
        (Kind.VOTE, "down", "a"),
        (Kind.VOTE, "", "b"),
        (Kind.REMARK, "two", "b"),
        (Kind.BOOKMARK, "on", "a"),
        (Kind.SCORE, "3", "a"),
    ]:
        notes.add(7, kind, value, reader=reader)
    held = notes.all()[7]
    assert (held.label, held.up, held.down, held.bookmarked, held.scores) == ("big cats", 0, 1, True, {"a": 3})
    assert [remark.value for remark in held.remarks] == ["one", "two"]
    assert notes.of([7, 8]) == {7: held}
    assert notes.of([]) == {}


def test_reading_makes_no_file(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "serve" / "notes.sqlite")
    assert notes.all() == {}
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(value=st.text(st.characters(categories=None), max_size=60))
def test_any_text_is_kept_but_for_lone_surrogates(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    notes = Notes(tmp_path_factory.mktemp("any") / "notes.sqlite")
    assert notes.add(0, Kind.REMARK, value).value == notes.history()[0].value
    assert notes.history()[0].value == value.encode("utf-8", "replace").decode().strip()


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Kind.VOTE, "sideways"), (Kind.BOOKMARK, "yes"), (Kind.SCORE, "5"), (Kind.REMARK, "x" * (LONGEST + 1))],
)
def test_what_a_kind_cannot_be_is_refused_and_not_written(tmp_path: Path, kind: Kind, value: str) -> None:
    notes = Notes(tmp_path / "notes.sqlite")
    with pytest.raises(TymbalError, match=r"^expected [^\n]*$"):
        notes.add(0, kind, value)
    assert notes.history() == []


def test_a_damaged_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(ArtifactError, match=r"^expected notes[^\n]*$"):
        Notes(tmp_path / "notes.sqlite").all()


@pytest.fixture
def folder(bare: Path, tmp_path: Path) -> Path:
    """A study of one's own to write in; its atlas is shared."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "atlas").symlink_to(bare)
    return tmp_path / "study"


def test_a_form_writes_and_leads_back_and_the_page_shows_it(folder: Path) -> None:
    client = TestClient(create_app(folder), base_url="http://localhost", follow_redirects=False)
    sent = {"feature": "3", "kind": "label", "value": "<b>mine</b> é‮", "back": "/feature/3#notes"}
    answer = client.post("/notes", data=sent, headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/feature/3#notes")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    for path in ("/feature/3", "/notes", "/explore?show=all&sort=feature"):
        html = client.get(path).text
        assert "&lt;b&gt;mine&lt;/b&gt; é⟨202E⟩" in html, path
    client.post("/notes", data={"feature": "3", "kind": "vote", "value": "up"}, headers=HERE)
    client.post("/notes", data={"feature": "3", "kind": "vote", "value": "up"}, headers=HERE)
    assert create_app(folder)
    assert Notes(folder / "serve" / "notes.sqlite").all()[3].up == 1


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/\u202e", "/a\nb"])
def test_a_form_never_leads_to_another_site(folder: Path, back: str) -> None:
    client = TestClient(create_app(folder), base_url="http://localhost", follow_redirects=False)
    sent = {"feature": "3", "kind": "bookmark", "value": "on", "back": back}
    assert client.post("/notes", data=sent, headers=HERE).headers["location"] == "/notes"


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}, {"origin": "null"}])
def test_another_site_cannot_write(folder: Path, headers: dict[str, str]) -> None:
    client = TestClient(create_app(folder), base_url="http://localhost")
    sent = {"feature": "3", "kind": "label", "value": "theirs"}
    assert client.post("/notes", data=sent, headers=headers).status_code == 403
    assert client.post("/api/notes", json={"feature": 3, "kind": "label"}, headers=headers).status_code == 403
    assert not (folder / "serve").exists()


@pytest.mark.parametrize("sent", [{}, {"feature": "99999", "kind": "label"}, {"feature": "1", "kind": "none"}])
def test_a_form_with_nonsense_is_told_so(folder: Path, sent: dict[str, str]) -> None:
    client = TestClient(create_app(folder), base_url="http://localhost")
    assert client.post("/notes", data=sent, headers=HERE).status_code in (404, 409)


def test_notes_lie_outside_what_has_a_checksum(folder: Path) -> None:
    client = TestClient(create_app(folder), base_url="http://localhost")
    client.post("/api/notes", json={"feature": 1, "kind": "bookmark", "value": "on"}, headers=HERE)
    client.get("/search?q=word")
    assert sorted(path.name for path in (folder / "serve").iterdir())[0] == "notes.sqlite"
    open_atlas(folder / "atlas").close()
    assert FeatureNotes(bookmarked=True) == Notes(folder / "serve" / "notes.sqlite").all()[1]
