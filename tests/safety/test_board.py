"""A board of a tiny study, from contrast texts to what is written down."""

import json
import random
from pathlib import Path

import pytest

from tymbal import artifact
from tymbal.analyses import Subject
from tymbal.cli import main
from tymbal.errors import TymbalError
from tymbal.probes import Example
from tymbal.safety import STEPS, BoardConfig, ContrastConcept, Ladder, Step, open_board, safety_board, save_board
from tymbal.safety.words import said, stands
from tymbal.study import StudyConfig, conduct_study

CONFIG = BoardConfig(shuffles=20, randoms=10, texts=4, passages=40)
PLAIN = ["lily", "saw", "a", "big", "red", "cat", "and", "the", "girl", "was", "happy", "she", "ran", "home"]


def texts(side: str, count: int, *, signs: bool) -> tuple[Example, ...]:
    """Texts of random words; with `signs` each holds a run of capital letters."""
    draw = random.Random(f"{side} {signs}")
    written = []
    for _ in range(count):
        words = draw.choices(PLAIN, k=8)
        text = " ".join([*words[:4], *(["QQQ QQQ"] if signs else []), *words[4:]])
        written.append(Example(text, 0, len(text), side, text, ""))
    return tuple(written)


@pytest.fixture(scope="module")
def study(tiny_llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("safety")
    draw = random.Random(0)
    lines = (" ".join(draw.choices([*PLAIN, "QQQ"], k=draw.randrange(20, 40))) + "." for _ in range(150))
    (folder / "words.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = StudyConfig(site="resid_post.1", features=32, k=4, epochs=2.0, separator="\n", autocast=False)
    conduct_study(str(tiny_llama_folder), [str(folder / "words.txt")], config, out=folder / "study")
    return folder / "study"


@pytest.fixture(scope="module")
def concepts() -> list[ContrastConcept]:
    """One concept that every text shows by its letters, one whose two sides are drawn alike."""
    return [
        ContrastConcept(
            name="shouting",
            sentence="Somebody shouts.",
            having=texts("with", 40, signs=True),
            lacking=texts("without", 40, signs=False),
        ),
        ContrastConcept(
            name="nothing",
            sentence="There is no difference.",
            having=texts("with", 40, signs=False),
            lacking=texts("without", 40, signs=False),
        ),
    ]


@pytest.fixture(scope="module")
def ladders(study: Path, concepts: list[ContrastConcept]) -> list[Ladder]:
    return safety_board(Subject(study), concepts, CONFIG)


def test_what_every_text_shows_is_found_and_what_none_shows_is_not(ladders: list[Ladder]) -> None:
    shouting, nothing = ladders
    assert shouting.steps[0].holds
    assert shouting.level >= 1
    assert nothing.level == 0
    assert [step.holds for step in nothing.steps[1:]] == [None] * 3
    assert all(step.why == "the concept was not found" for step in nothing.steps[1:])
    assert tuple(step.name for step in shouting.steps) == STEPS


def test_each_number_has_an_interval_baselines_and_counts(ladders: list[Ladder]) -> None:
    for step in ladders[0].steps:
        assert step.finding is not None
        assert step.finding.low <= step.finding.value <= step.finding.high
        assert step.finding.baselines
        assert all(count > 0 for count in step.sample.values())


def test_a_board_is_the_same_twice(study: Path, concepts: list[ContrastConcept], ladders: list[Ladder]) -> None:
    again = safety_board(Subject(study), concepts[:1], CONFIG)
    alone = [step for step in again[0].steps if step.name != "specific"]  # which looks at the other concepts' texts
    assert alone == [step for step in ladders[0].steps if step.name != "specific"]


def test_a_board_is_written_with_its_texts_and_opened(
    tmp_path: Path, ladders: list[Ladder], concepts: list[ContrastConcept]
) -> None:
    save_board(ladders, concepts, tmp_path / "safety", config=CONFIG, about={"study": "s"})
    board = open_board(tmp_path / "safety")
    assert [ladder["concept"] for ladder in board["ladders"]] == ["shouting", "nothing"]
    assert not list(artifact.damage(tmp_path / "safety"))
    assert (tmp_path / "safety" / "concepts.jsonl").read_text().count("\n") == 2
    assert stands(board["ladders"][1]) == "not found"


def test_a_ladder_ends_at_the_first_step_that_does_not_hold() -> None:
    steps = tuple(Step(name=name, holds=holds) for name, holds in zip(STEPS, (True, False, True, True), strict=True))
    ladder = Ladder(concept="c", sentence="s", feature=0, label="", steps=steps, shown={})
    assert ladder.level == 1
    assert ladder.as_json()["stands"] == "found"


def test_every_outcome_is_said_in_a_sentence(ladders: list[Ladder]) -> None:
    for ladder in ladders:
        for step in ladder.as_json()["steps"]:
            for holds in (True, False):
                assert said(step | {"holds": holds}).endswith(".")


@pytest.mark.parametrize(
    ("lowest", "highest", "words"),
    [
        ((-3, -1), (1, 3), "Turning it up makes texts with it likelier than texts without; turning it down makes them"),
        ((-3, -1), (-1, 1), "Turning it up makes texts with it no likelier; turning it down makes them less likely"),
        ((-1, 1), (1, 3), "Turning it up makes texts with it likelier than texts without; turning it down does not"),
    ],
)
def test_what_pushing_does_is_said_of_each_way(lowest: tuple[int, int], highest: tuple[int, int], words: str) -> None:
    doses = [{"dose": 1.0, "low": highest[0], "high": highest[1]}, {"dose": -1.0, "low": lowest[0], "high": lowest[1]}]
    step = {"name": STEPS[2], "holds": True, "finding": {"value": 2.0, "low": 1.0, "high": 3.0}}
    assert said(step | {"details": {"doses": doses}}).startswith(words)


def test_the_command_asks_for_concepts_where_the_text_is_not_the_worlds(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["safety", str(study)]) == 1
    assert "--concepts FILE" in capsys.readouterr().err


def test_the_command_climbs_from_a_file(
    study: Path, tmp_path: Path, concepts: list[ContrastConcept], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "concepts.jsonl"
    file.write_text("\n".join(json.dumps(concept.as_json()) for concept in concepts), encoding="utf-8")
    quick = ["--shuffles", "20", "--randoms", "10", "--texts", "4", "--passages", "20"]
    assert main(["safety", str(study), "--concepts", str(file), "--out", str(tmp_path / "board"), *quick]) == 0
    assert "nothing: not found" in capsys.readouterr().out
    assert len(open_board(tmp_path / "board")["ladders"]) == 2
    with pytest.raises(TymbalError):
        open_board(tmp_path)
