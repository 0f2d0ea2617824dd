"""Processes forked from the test, which find one another through a file."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from jaxtyping import Float
from torch import Tensor


class Sequenced:
    """Rows in a fixed order, over and over: a batch is the same however the rows are cut into batches."""

    def __init__(self, rows: Float[Tensor, "row width"]) -> None:
        self.rows = rows

    @property
    def width(self) -> int:
        return self.rows.shape[1]

    @property
    def rows_per_epoch(self) -> int:
        return len(self.rows)

    def batch(self, step: int, size: int) -> Float[Tensor, "row width"]:
        return self.rows[torch.arange(step * size, (step + 1) * size) % len(self.rows)]


def _process(rank: int, processes: int, meeting: Path, work: Callable[[], object], answers: "mp.SimpleQueue") -> None:
    torch.set_num_threads(1)
    try:
        dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=processes)
        answer = work()
        dist.barrier()
        answers.put((rank, answer, None))
    except BaseException:
        answers.put((rank, None, traceback.format_exc()))
    # Leaves without the tidying up of the test's own process, of which this is a copy.
    os._exit(0)


@pytest.fixture
def together(tmp_path: Path) -> Callable[..., list[object]]:
    """`together(work, processes)`: what `work` returns in each of some processes that share a gloo group."""

    def run(work: Callable[[], object], processes: int = 2) -> list[object]:
        context = mp.get_context("fork")
        answers = context.SimpleQueue()
        meeting = tmp_path / f"meeting-{len(list(tmp_path.iterdir()))}"
        started = [
            context.Process(target=_process, args=(rank, processes, meeting, work, answers), daemon=True)
            for rank in range(processes)
        ]
        for process in started:
            process.start()
        found = {}
        for _ in started:
            rank, answer, failed = answers.get()
            if failed is not None:
                for process in started:
                    process.kill()
                pytest.fail(f"rank {rank}:\n{failed}")
            found[rank] = answer
        for process in started:
            process.join()
        return [found[rank] for rank in range(processes)]

    return run


@pytest.fixture(scope="session")
def sequenced(planted) -> Sequenced:
    """4,000 planted rows in a fixed order."""
    return Sequenced(planted.rows[:4000])
