"""The shell around the commands: what it lists, how fast, and what it answers to mistakes."""

import os
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

from tymbal import cli


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def tymbal(capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder, without a network."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)

    def ended(*arguments: str) -> Ended:
        try:
            code = cli.main(arguments)
        except SystemExit as exit_:  # tyro's, after help and wrong arguments
            code = int(exit_.code or 0)
        return Ended(code, *capsys.readouterr())

    return ended


def fresh(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process that has imported nothing."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)


def test_help_lists_every_command_with_its_summary(tymbal):
    done = tymbal("--help")
    assert done.code == 0
    for command in cli.COMMANDS:
        assert re.search(rf"^  {command.name} +{re.escape(command.summary)}$", done.out, re.MULTILINE)


def test_help_imports_no_library_beyond_python_itself():
    code = (
        "import sys; before = set(sys.modules); from tymbal.cli import main; main(['--help']);"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}), file=sys.stderr)"
    )
    imported = set(fresh(code).stderr.split())
    assert "tymbal" in imported
    assert not imported - {"tymbal"} - set(sys.stdlib_module_names)


def test_help_takes_under_three_tenths_of_a_second_of_processor_time():
    # Processor time of the best of three: wall time would measure the other processes of this machine.
    def seconds() -> float:
        before = os.times()
        fresh("from tymbal.cli import main; main(['--help'])")
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds() for _ in range(3)) < 0.3


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_and_every_option_of_it_says_what_it_means(command, tymbal):
    done = tymbal(*command.name.split(), "--help")
    assert done.code == 0, done.err
    assert f"usage: tymbal {command.name}" in done.out
    plain = re.sub("[│|╭╮╰╯─]", " ", done.out)
    options = re.split(r"^ *(?=--[a-z])", plain, flags=re.MULTILINE)[1:]
    assert options
    for option in options:
        _, meaning = re.split(r" {2,}|\n", option, maxsplit=1)
        assert re.search("[a-z]{3}", re.sub(r"\((default: .*|required)\)", "", meaning)), option


def test_unknown_command_exits_2_and_names_the_known_ones(tymbal):
    done = tymbal("stduy")
    assert done.code == 2
    assert "'stduy'" in done.err
    assert "study" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("study", "--k", "many"), ("study", "--k", "0"), ("study", "--bogus"), ("study", "--resume", "x", "--k", "3")],
    ids=" ".join,
)
def test_wrong_arguments_exit_2_without_traceback(arguments, tymbal):
    done = tymbal(*arguments)
    assert done.code == 2
    assert done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("study", "no/such/folder/here", "--corpus", "x.txt"), "no/such/folder/here"),
        (("study", "somebody/some-model", "--corpus", "x.txt"), "local folder"),
        (("study", "--resume", "nowhere"), "no study.json"),
        (("analyse", "languages", __file__), "no study.json"),
        (("safety", __file__), "no study.json"),
        (("serve",), "studies/last"),
        (("export", "--html", "out"), "studies/last"),
        (("generate", "no/such/folder/here", "Once"), "no/such/folder/here"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_user_mistakes_give_one_line_and_exit_1(arguments, says, tymbal, tmp_path):
    done = tymbal(*arguments)
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert says in done.err
    assert not list(tmp_path.iterdir())


def test_interrupt_exits_130_with_one_line(monkeypatch, capsys):
    def interrupted(_: list[str]) -> None:
        error = KeyboardInterrupt()
        error.add_note("resume with: tymbal study --resume here")
        raise error

    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("wait", "Wait.", "tests_wait:main"),))
    monkeypatch.setitem(sys.modules, "tests_wait", type(sys)("tests_wait"))
    sys.modules["tests_wait"].main = interrupted  # type: ignore[attr-defined]
    assert cli.main(["wait"]) == 130
    assert capsys.readouterr().err == "tymbal: interrupted; resume with: tymbal study --resume here\n"
