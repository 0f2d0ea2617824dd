"""A training step and its unit, one encoder-sized `torch.mm`, timed in turns, and the step's peak memory.

Imported by Tymbal's side (`dictionary_step.py`) and by the peers' (`peers/steps.py`), which run in environments that
hold nothing of each other; so this file needs torch and NumPy alone.
"""

import resource
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import torch

WARM, ROUNDS = 2, 9
"""Steps before the clock runs, and steps that are timed unless a caller says otherwise."""


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def load(path: str) -> list[torch.Tensor]:
    """Batches of rows written by `save`."""
    return list(torch.from_numpy(np.load(path)))


def save(batches: Sequence[torch.Tensor], path: str) -> None:
    """Write batches of rows for any environment."""
    np.save(path, torch.stack(list(batches)).numpy())


def in_turns(
    step: Callable[[torch.Tensor], object], batches: Sequence[torch.Tensor], features: int, *, rounds: int = ROUNDS
) -> dict[str, Any]:
    """The step's cost in units, step and unit in turns: medians of the ratios of wall and of CPU time."""
    encoder = torch.randn(features, batches[0].shape[1])
    walls, cpus = [], []
    for number in range(WARM + rounds):
        rows = batches[number % len(batches)]
        unit = seconds(lambda rows=rows: torch.mm(rows, encoder.T))
        taken = seconds(lambda rows=rows: step(rows))
        if number >= WARM:
            walls.append(taken[0] / unit[0])
            cpus.append(taken[1] / unit[1])
    return {"wall": median(walls), "cpu": median(cpus)}


def memory(make: Callable[[], Callable[[torch.Tensor], object]], batches: Sequence[torch.Tensor]) -> dict[str, Any]:
    """The most memory that making a trainer and four of its steps take beyond what the process held before, in MB."""
    before = peak()
    step = make()
    for number in range(4):
        step(batches[number % len(batches)])
    return {"memory": peak() - before}
