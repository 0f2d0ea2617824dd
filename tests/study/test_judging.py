"""`tymbal explain` with language models, on a small study, from the command line."""

import sys
from pathlib import Path

import pytest

from tymbal import cli
from tymbal.study import Study, StudyConfig, conduct_study

sys.path.insert(0, str(Path(__file__).parents[1] / "explain"))
import scripted
from speaking_server import Misdeed, Server


@pytest.fixture(scope="module")
def study(tiny_llama_folder: Path, corpus: Path, small: StudyConfig, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=tmp_path_factory.mktemp("study") / "own")


@pytest.fixture
def tymbal(capsys, monkeypatch):
    """Run a command; what it exits with and prints."""
    monkeypatch.setenv("COLUMNS", "160")

    def ended(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        return (code, *capsys.readouterr())

    return ended


def test_the_price_is_told_first_then_explained_judged_and_never_paid_again(study: Study, tymbal, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    with Server(scripted.perfect).running() as server:
        named = ("--explainer", server.url, "--model", "speaks", "--judge", server.url, "--judge-model", "judges")
        prices = ("--price-in", "2", "--price-out", "8", "--judge-price-in", "1", "--count", "4", "--baseline", "2")
        command = ("explain", study.folder, *named, *prices, "--key-from", "SOME_KEY")
        code, out, _ = tymbal(*command, "--dry-run")
        assert code == 0
        assert "explainer speaks: at most" in out
        assert "price about 0.0" in out
        assert server.bodies == []
        code, out, err = tymbal(*command)
        assert (code, "Traceback" in err) == (0, False)
        for words in ("detection", "hard auroc", "simulation", "random directions", "failures", "All of it lies in"):
            assert words in out
        assert set(server.keys) == {"Bearer sk-secret", None}
        asked = len(server.bodies)
        assert asked > 20
        code, out, _ = tymbal(*command)
        assert code == 0
        assert "at most 0 questions to ask" in out
        assert len(server.bodies) == asked
    written = [path for path in (study.folder / "judged").rglob("*") if path.is_file()]
    assert not any(b"sk-secret" in path.read_bytes() for path in written)


def test_the_study_is_as_whole_as_before(study: Study, tymbal):
    assert tymbal("study", "--resume", study.folder)[0] == 0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--explainer", "URL"), "expected the name of the model at http"),
        (("--judge", "URL"), "give --judge-model NAME"),
        (("--explainer", "URL", "--model", "m", "--judge", "URL", "--judge-model", "m"), "give --same-judge"),
        (("--judge", "URL", "--judge-model", "m"), "401 no such key"),
    ],
)
def test_mistakes_are_told_in_one_line(study: Study, tymbal, options: tuple[str, ...], line: str):
    with Server(scripted.perfect).running() as server:
        server.every = lambda body: Misdeed(status=401, content=b"no such key")
        given = [server.url if option == "URL" else option for option in options]
        code, _, err = tymbal("explain", study.folder, *given, "--count", "4")
    assert code == 1
    assert line in err
    assert "Traceback" not in err


def test_a_chat_model_on_this_machine_judges_too(study: Study, tymbal, tiny_llama_folder: Path, tmp_path: Path):
    from tymbal import open_model

    model = open_model(tiny_llama_folder)
    model.torch_model.config.max_position_embeddings = 4096
    model.tokenizer.chat_template = "{% for message in messages %}<s>{{ message['content'] }}{% endfor %}</s>"
    model.tokenizer.model_max_length = 4096
    model.torch_model.save_pretrained(tmp_path / "judge")
    model.tokenizer.save_pretrained(tmp_path / "judge")
    scorers = ("--scorers", "detection", "simulation", "surprisal")
    command = ("explain", study.folder, "--features", "3", "--judge", tmp_path / "judge", "--baseline", "0", *scorers)
    code, out, err = tymbal(*command)
    assert (code, "Traceback" in err) == (0, False)
    for words in ("detection", "simulation", "surprisal", "correlation"):
        assert words in out
