"""What every benchmark script shares: the lines it prints, and timing of several things side by side.

CPU time is `time.process_time`, all threads added up. Things that are compared run in turn, round after round, so that
a slower or busier minute of the machine meets all of them alike. Threads that wait for one another spin, which is CPU
time too: `one_thread` for what is compared by it, OMP_NUM_THREADS=1 for everything on a busy machine.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits


@dataclass(frozen=True, kw_only=True)
class Line:
    """One number. A goal is the most that the value may be."""

    name: str
    system: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        return None if self.goal is None else self.value <= self.goal


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every script takes: `--json` and `--real`."""
    options = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    options.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    options.add_argument("--real", type=Path, default=None, help="folder of real models and text")
    return options


def arguments(description: str | None) -> argparse.Namespace:
    """The values given for those options."""
    return parser(description).parse_args()


def one_thread() -> None:
    """Compute on one thread, in torch and in NumPy's and scikit-learn's products."""
    torch.set_num_threads(1)
    threadpool_limits(1)


def show(lines: Sequence[Line], *, as_json: bool) -> None:
    """Print the lines as a table, or as one JSON object each."""
    for line in lines:
        if as_json:
            goals = {"goal": line.goal, "holds": line.holds} if line.goal is not None else {}
            plain = {key: value for key, value in asdict(line).items() if key != "goal"}
            print(json.dumps({**plain, **goals}), flush=True)
        else:
            goal = "" if line.goal is None else f"goal {line.goal:g}: {'holds' if line.holds else 'FALLS SHORT'}"
            print(f"{line.name:<64} {line.system:<28} {line.value:>10.4g} {line.unit:<20} {goal}".rstrip(), flush=True)


def note(text: str) -> None:
    """Say something beside the table, such as what was left out."""
    print(text, file=sys.stderr, flush=True)


def cpu_seconds(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each call in each round; the calls take turns, in an order that alternates, after one warm-up."""
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in list(calls) if number % 2 == 0 else list(calls)[::-1]:
            start = time.process_time()
            calls[name]()
            seconds[name].append(time.process_time() - start)
    return seconds


def ratio_of_least(seconds: Mapping[str, Sequence[float]], of: str, to: str) -> float:
    """One call's least CPU time divided by another's; whatever else the machine does only ever adds."""
    return min(seconds[of]) / min(seconds[to])
