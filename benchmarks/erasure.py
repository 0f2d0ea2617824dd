"""CPU time of fitting an eraser, beside concept-erasure where it is installed in .venv-peers.

200,000 random rows of width 768 in fp32 with 2 and 10 classes, in one batch and in batches of 256 rows. A fit counts
everything from the rows to an eraser, fingerprints included. The peer gets its one-hot labels ready-made, and runs in a
process of its own on the same rows; the two take turns, each on one thread.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import torch
from report import Line, arguments, note, one_thread, show

from tymbal.edits import EraserFitter

ROWS, WIDTH, CHUNK, ROUNDS = 200_000, 768, 256, 3
CASES = [(classes, chunk) for classes in (2, 10) for chunk in (ROWS, CHUNK)]
GOALS = {ROWS: 1.2, CHUNK: 1.0}
PEER_PYTHON = Path(__file__).parent.parent / ".venv-peers" / "bin" / "python"
PEER = """
import sys, time, torch
from importlib.metadata import version
from concept_erasure import LeaceFitter
torch.set_num_threads(1)
rows, width = map(int, sys.argv[1:])
x = torch.randn(rows, width, generator=torch.Generator().manual_seed(0))
print(version("concept-erasure"), flush=True)
for line in sys.stdin:
    classes, chunk = map(int, line.split())
    one_hot = torch.nn.functional.one_hot(torch.arange(rows) % classes, classes).float()
    start = time.process_time()
    fitter = LeaceFitter(width, classes)
    for part, labels in zip(x.split(chunk), one_hot.split(chunk)):
        fitter.update(part, labels)
    fitter.eraser
    print(time.process_time() - start, flush=True)
"""


def ours(x: torch.Tensor, classes: int, chunk: int) -> float:
    """CPU seconds of one fit."""
    labels = torch.arange(len(x)) % classes
    start = time.process_time()
    fitter = EraserFitter(x.shape[1], classes)
    for part, own in zip(x.split(chunk), labels.split(chunk), strict=True):
        fitter.update(part, own)
    fitter.fit()
    return time.process_time() - start


class Peer:
    """concept-erasure in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", version: str) -> None:
        self.process = process
        self.name = f"concept-erasure {version}"

    def __call__(self, classes: int, chunk: int) -> float:
        """CPU seconds of one fit."""
        _pipe(self.process.stdin).write(f"{classes} {chunk}\n")
        _pipe(self.process.stdin).flush()
        return float(_pipe(self.process.stdout).readline())


def _pipe(pipe: IO[Any] | None) -> IO[Any]:
    assert pipe is not None
    return pipe


def started() -> Peer | None:
    """The peer, if it is installed."""
    if not PEER_PYTHON.exists():
        return None
    process = subprocess.Popen(
        [str(PEER_PYTHON), "-c", PEER, str(ROWS), str(WIDTH)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    version = _pipe(process.stdout).readline().strip()
    return Peer(process, version) if version else None


def measure(x: torch.Tensor, fit: Callable[[int, int], float], peer: Peer | None) -> Iterator[Line]:
    """The lines of each case; CPU seconds are the least of all rounds."""
    ours(x[:4096], 2, CHUNK)
    for classes, chunk in CASES:
        name = f"erasure fit, {classes} classes, " + ("one batch" if chunk == ROWS else f"batches of {chunk}")
        pairs = [(fit(classes, chunk), peer(classes, chunk) if peer else float("nan")) for _ in range(ROUNDS)]
        own, other = (min(times) for times in zip(*pairs, strict=True))
        yield Line(name=f"{name}, CPU time", system="tymbal", value=own, unit="s")
        if peer is not None:
            yield Line(name=f"{name}, CPU time", system=peer.name, value=other, unit="s")
            unit = "x concept-erasure"
            yield Line(name=name, system="tymbal", value=own / other, unit=unit, goal=GOALS[chunk])


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    one_thread()
    x = torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(0))
    peer = started()
    if peer is None:
        note("left out: concept-erasure, which is not installed in .venv-peers")
    for line in measure(x, lambda classes, chunk: ours(x, classes, chunk), peer):
        show([line], as_json=options.json)
    if peer is not None:
        _pipe(peer.process.stdin).close()
        peer.process.wait()


if __name__ == "__main__":
    main()
