"""The command line: `tymbal COMMAND ...`.

Command names and summaries stand in the table below, so that `tymbal --help` imports nothing else; only the chosen
command's file is imported, parses its own arguments (tyro), makes one library call and prints where the result lies.

Exit codes: 0 done, 1 a mistake the user can mend (one line on stderr), 2 wrong arguments, 130 interrupted.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from tymbal import __version__
from tymbal.errors import TymbalError

__all__ = ["COMMANDS", "Command", "main"]


class Command(NamedTuple):
    """One line of the table: the words that name it, what it does, the function `module:function` that does it."""

    name: str
    summary: str
    owner: str


COMMANDS = (
    Command("study", "Open a model, find its features on a corpus, index and explain them.", "tymbal.cli.study:main"),
    Command("explain", "Say what a study's features fire on, and how well that holds.", "tymbal.cli.explain:main"),
    Command("serve", "Browse the atlas of a study in a web browser.", "tymbal.cli.serve:main"),
    Command(
        "export", "Write the atlas of a study as web pages, or as JSONL for Neuronpedia.", "tymbal.cli.export:main"
    ),
    Command(
        "convert", "Write a dictionary in the files of another tool, or another's in ours.", "tymbal.cli.convert:main"
    ),
    Command(
        "train-dictionary",
        "Train a dictionary on stored activations, with one process or many.",
        "tymbal.cli.train_dictionary:main",
    ),
    Command("generate", "Let a model continue a text.", "tymbal.cli.generate:main"),
    Command("steer", "Steer a model by vectors or features, and measure it.", "tymbal.cli.steer:main"),
    Command("erase", "Take a concept out of a model, and prove that it is gone.", "tymbal.cli.erase:main"),
    Command("analyse", "Ask a finished study how its features hang together.", "tymbal.cli.analyse:main"),
    Command("safety", "Say how far the evidence goes for concepts such as deception.", "tymbal.cli.safety:main"),
    Command("probe", "Read a concept from a model's layers, beside its controls.", "tymbal.cli.probe:main"),
    Command("replicate", "Make a published finding about models again, with controls.", "tymbal.cli.replicate:main"),
    Command("world make", "Write the generated world's facts and annotated text.", "tymbal.cli.world:make"),
    Command("world train", "Train the small model that knows the generated world.", "tymbal.cli.world:train"),
    Command("world card", "Measure what a model knows of the generated world.", "tymbal.cli.world:card"),
    Command("othello train", "Train a small model of the game of Othello.", "tymbal.cli.othello:train"),
    Command("othello card", "Measure how a model of Othello plays.", "tymbal.cli.othello:card"),
    Command(
        "theory duel", "Two agents that can read each other: who cooperates, and why.", "tymbal.cli.theory_duel:main"
    ),
    Command(
        "theory tournament", "Agents that can read each other, all against all.", "tymbal.cli.theory_tournament:main"
    ),
    Command(
        "theory quantilize", "Choose among actions mildly, against a worst case.", "tymbal.cli.theory_quantilize:main"
    ),
    Command("theory risk", "Report what a risk model says and what that rests on.", "tymbal.cli.theory_risk:main"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("--help", "-h", "help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(f"tymbal {__version__}")
        return 0
    command = chosen(words)
    if command is None:
        print(f"tymbal: no command {words[0]!r}; there are: {_names(words[0])}", file=sys.stderr)
        return 2
    return _carried_out(command, words[len(command.name.split()) :])


def _carried_out(command: Command, rest: list[str]) -> int:
    module, function = command.owner.split(":")
    try:
        getattr(import_module(module), function)(rest)
    except TymbalError as error:
        print(_told(str(error), error), file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(_told("interrupted", error), file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        sys.stderr.close()
        return 141
    return 0


def _told(what: str, error: BaseException) -> str:
    """One line: what happened, and the notes that say how to go on."""
    return "tymbal: " + "; ".join([what, *getattr(error, "__notes__", ())])


def chosen(words: Sequence[str]) -> Command | None:
    """The command whose name the words begin with, or None."""
    for command in COMMANDS:
        name = command.name.split()
        if list(words[: len(name)]) == name:
            return command
    return None


def _names(first: str) -> str:
    same_group = [command.name for command in COMMANDS if command.name.split()[0] == first]
    return ", ".join(same_group or [command.name for command in COMMANDS])


def overview() -> str:
    """The text of `tymbal --help`."""
    space = max(len(command.name) for command in COMMANDS) + 3
    return "\n".join(
        [
            "usage: tymbal COMMAND ...",
            "",
            "An open alignment laboratory for open-weights language models.",
            "",
            "commands:",
            *(f"  {command.name:<{space}}{command.summary}" for command in COMMANDS),
            "",
            "`tymbal COMMAND --help` lists a command's options; `tymbal --version` prints the version.",
        ]
    )
