"""The steer lab: what an address asks for, and the three texts that come of it, as they grow."""

import itertools
import json
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from tymbal.corpora import world
from tymbal.edits import Clamp, RandomControl
from tymbal.errors import TymbalError
from tymbal.serve import create_app
from tymbal.serve.exhibit import open_exhibit
from tymbal.serve.judge import Judge
from tymbal.serve.lab import COLUMNS, MOST_MOVES, Experiment, Move, Way, edits_of, read_moves

ASKED = {"prompt": "once upon", "moves": "3=40", "tokens": "12"}


def events(text: str) -> list[tuple[str, object]]:
    """Server-sent events: their names and data."""
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.fixture(scope="module")
def client(living: Path) -> TestClient:
    return TestClient(create_app(living), base_url="http://localhost")


def test_moves_are_read_as_they_are_written():
    moves = [
        Move(way=Way.CLAMP, feature=17, strength=8.0),
        Move(way=Way.ADD, feature=3, strength=-2.5),
        Move(way=Way.VECTOR, file="happy cat.gguf".replace(" ", "_"), site="resid_post.3", strength=2.0),
    ]
    assert read_moves(" ".join(map(str, moves))) == moves
    assert read_moves("") == []


@pytest.mark.parametrize(
    "text",
    ["17", "x=3", "17=", "17=nan", "17=1e9", "17=99999", "../etc/passwd:resid_post.1*2", "1=1 " * (MOST_MOVES + 1)],
)
def test_moves_that_cannot_be_meant_are_told_in_one_line(text: str):
    with pytest.raises(TymbalError, match=r"^expected [^\n]*$"):
        read_moves(text)


@pytest.mark.parametrize(
    "query", [{"tokens": "0"}, {"tokens": "1e9"}, {"temperature": "-1"}, {"seed": "x"}, {"prompt": "a" * 5000}]
)
def test_settings_that_cannot_be_meant_are_told_in_one_line(query: dict[str, str]):
    with pytest.raises(TymbalError, match=r"^expected [^\n]*$"):
        Experiment.asked(query)


def test_the_stream_ends_with_what_the_model_writes_with_and_without_the_edit(client: TestClient, living: Path):
    told = events(client.get("/api/steer", params=ASKED).text)
    assert [name for name, _ in told] == ["texts"] * (len(told) - 1) + ["done"]
    last = dict(told)["texts"]
    with open_exhibit(living).subject.at_work() as opened:
        clamp = Clamp(opened.dictionary, feature=3, value=40.0)
        plain = opened.model.generate("once upon", max_new_tokens=12)
        with opened.model.edited(clamp):
            steered = opened.model.generate("once upon", max_new_tokens=12)
        with opened.model.edited(RandomControl(clamp)):
            control = opened.model.generate("once upon", max_new_tokens=12)
    made = {name: "once upon" + last[name] for name in COLUMNS}
    assert made == {"plain": plain, "steered": steered, "control": control}
    assert steered != plain


def test_the_texts_grow_token_by_token(client: TestClient):
    told = [event for name, event in events(client.get("/api/steer", params=ASKED).text) if name == "texts"]
    assert len(told) > 5
    assert all(len(one["plain"]) <= len(two["plain"]) for one, two in itertools.pairwise(told))


def test_no_move_leaves_three_times_the_same(client: TestClient):
    last = dict(events(client.get("/api/steer", params={"prompt": "a cat", "temperature": "1"}).text))["texts"]
    assert last["plain"] == last["steered"] == last["control"]


def test_a_saved_vector_is_found_by_file_and_site(client: TestClient, living: Path):
    last = dict(events(client.get("/api/steer", params={**ASKED, "moves": "ones.gguf:resid_post.2*9"}).text))["texts"]
    assert last["steered"] != last["plain"]
    exhibit = open_exhibit(living)
    with exhibit.subject.at_work() as opened:
        (edit,) = edits_of(read_moves("ones.gguf:resid_post.2*9"), opened, living)
    assert edit.site == "resid_post.2"


@pytest.mark.parametrize("moves", ["99=1", "none.gguf:resid_post.1*1", "ones.gguf:resid_post.3*1"])
def test_what_is_not_there_ends_the_stream_in_one_line(client: TestClient, moves: str):
    (name, line), *rest = events(client.get("/api/steer", params={**ASKED, "moves": moves}).text)
    assert (name, rest) == ("wrong", [])
    assert str(line).startswith("expected ")


def test_a_reader_who_goes_away_leaves_the_model_as_it_was_and_to_others(lively: str):
    before = httpx.get(f"{lively}/api/prompt", params={"text": "once upon"}, timeout=60).json()
    for _ in range(3):
        with httpx.stream("GET", f"{lively}/api/steer", params={**ASKED, "tokens": "50"}, timeout=60) as stream:
            next(stream.iter_lines())
    fresh = httpx.get(f"{lively}/api/steer", params={"prompt": "a", "tokens": "2"}, timeout=60)
    assert events(fresh.text)[-1][0] == "done"
    assert httpx.get(f"{lively}/api/prompt", params={"text": "once upon"}, timeout=60).json() == before


def test_the_world_judges_texts_of_its_own_model_alone():
    assert Judge(None).judged("anything") is None
    assert Judge({"weights_sha256": "0" * 64}).judged("anything") is None
    made = world.generate_world(0)
    from tymbal.models.weights import weights_identity

    judge = Judge(weights_identity(world.MODEL))
    document = made.document(3, language="en", form="biography")
    judged = judge.judged(document.text)
    assert judged is not None
    assert (judged.readable, judged.language, judged.form, judged.wrong) == (True, "en", "biography", 0)
    assert judged.right == len(document.claims)
    claim = next(claim for claim in document.claims if claim.attribute == "home")
    names = {concept: name for name, concept in made.facts.names().items()}
    false = document.text.replace(names[claim.value], names["town.5" if claim.value != "town.5" else "town.6"], 1)
    wrong = judge.judged(false)
    assert wrong is not None
    assert wrong.wrong >= 1
    assert judge.judged("This is no text of that world at all.") is not None
    assert not judge.judged("This is no text of that world at all.").readable  # type: ignore[union-attr]
    assert judge.opening().endswith(".")
