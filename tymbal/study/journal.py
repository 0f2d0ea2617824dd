"""What a study tells while it works: progress to a display, times and messages to `log/`.

`log/journal.jsonl` has one object a line: when, which stage, seconds of wall and processor time. It is the one place
where times stand, so that everything else in the folder is the same each time.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

JOURNAL = "journal.jsonl"
Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is in all, and the unit, such as "tokens"."""


@runtime_checkable
class Display(Protocol):
    """Shows how far a study has come."""

    def stage(self, name: str) -> AbstractContextManager[Progress]:
        """A callable for the progress of one stage, while the block lasts."""
        ...

    def say(self, line: str) -> None:
        """One line of plain text."""
        ...


class Silence:
    """A display that shows nothing."""

    def stage(self, name: str) -> AbstractContextManager[Progress]:  # noqa: ARG002
        """No progress shown."""
        return nullcontext(_unseen)

    def say(self, line: str) -> None:
        """Nothing said."""


def _unseen(done: int, total: int, unit: str) -> None:
    pass


class Journal:
    """Writes a study's times and messages to `folder` and shows them on `display`."""

    def __init__(self, folder: Path, display: Display) -> None:
        self.path = folder / JOURNAL
        self.display = display

    def say(self, line: str) -> None:
        """Tell and write one message."""
        self.display.say(line)
        self.write(message=line)

    def write(self, **entry: Any) -> None:
        """Append one entry; a disk that is full must not hide the error that says so."""
        line = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%S"), **entry}, ensure_ascii=False)
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            return

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Show a stage's progress while the block lasts; write down how long it took."""
        wall, processor = time.monotonic(), time.process_time()
        last: dict[str, int] = {}
        with self.display.stage(name) as show:

            def progress(done: int, total: int, unit: str) -> None:
                last[unit] = total
                show(done, total, unit)

            yield progress
        self.write(
            stage=name,
            seconds=round(time.monotonic() - wall, 3),
            processor_seconds=round(time.process_time() - processor, 3),
            units=last,
        )
