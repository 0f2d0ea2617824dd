"""How far a long job has come: bars with rate and time left in a terminal, plain lines elsewhere.

`Display.stage(name)` gives a callable for one stage's progress, called with the units done, the units in all
(absolute numbers) and the unit's word; a stage that changes the word begins another bar. Where the output is no
terminal, a line is written at the end of each bar, and every `PLAIN_SECONDS` before.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

PLAIN_SECONDS = 15.0
Report = Callable[[int, int, str], None]


class Display:
    """Shows the stages of one job on `console`, standard error unless given."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[Report]:
        """Show one stage while the block lasts."""
        bars = _bars(self.console, name) if self.console.is_terminal else _lines(self.console, name)
        with bars as report:
            yield report

    def say(self, line: str) -> None:
        """Print one line of plain text."""
        _print(self.console, line)


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


class Pace(NamedTuple):
    """Where one bar began: units done and seconds of the monotonic clock."""

    done: int
    time: float

    def rate(self, done: int, now: float) -> str:
        """Units a second since the beginning, or nothing while that is unknown."""
        gained, seconds = done - self.done, now - self.time
        if gained <= 0 or seconds <= 0:
            return ""
        rate = gained / seconds
        return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"

    def left(self, done: int, total: int, now: float) -> str:
        """Time left at that rate, or nothing while that is unknown."""
        gained, seconds = done - self.done, now - self.time
        if gained <= 0 or seconds <= 0 or done >= total:
            return ""
        return f"{clock((total - done) * seconds / gained)} left"


def clock(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _counted(done: int, total: int, unit: str) -> str:
    """How far; a total of 0 is one that is not known."""
    return f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"


@contextmanager
def _bars(console: Console, name: str) -> Iterator[Report]:
    with Progress(TextColumn(f"{name:<9}"), BarColumn(30), _Count(), _Speed(), console=console) as progress:
        tasks = {}

        def report(done: int, total: int, unit: str) -> None:
            if unit not in tasks:
                tasks[unit] = progress.add_task(name, total=None, unit=unit, pace=Pace(done, time.monotonic()))
            progress.update(tasks[unit], completed=done, total=total or None)

        yield report


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_counted(int(task.completed), int(task.total or 0), task.fields["unit"]))


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        pace, done, now = task.fields["pace"], int(task.completed), time.monotonic()
        if task.finished:
            return Text(clock(task.finished_time or 0.0))
        return Text("  ".join((pace.rate(done, now), pace.left(done, int(task.total or 0), now))))


@contextmanager
def _lines(console: Console, name: str) -> Iterator[Report]:
    paces: dict[str, Pace] = {}
    told = time.monotonic()

    def report(done: int, total: int, unit: str) -> None:
        nonlocal told
        now = time.monotonic()
        begins = unit not in paces
        pace = paces.setdefault(unit, Pace(done, now))
        ended = 0 < total <= done
        if (ended and not begins) or now - told >= PLAIN_SECONDS:
            told = now
            ending = clock(now - pace.time) if ended else pace.left(done, total, now)
            parts = (_counted(done, total, unit), pace.rate(done, now), ending)
            _print(console, f"{name}: " + ", ".join(part for part in parts if part))

    _print(console, f"{name} ...")
    yield report
