"""What a peer is asked to train: read from the file that the benchmark wrote, in the peer's own environment.

The file of rows also has the order in which `steps` batches take them, which is the one that Tymbal trains in too.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training."""

    kind: str
    features: int
    k: int
    learning_rate: float | None
    """None: the peer's own default."""
    batch: int
    steps: int
    width: int
    prefixes: list[int]
    """Ends of a Matryoshka dictionary's prefixes."""
    dead_after: int
    """Tokens without firing from which a feature is dead, where the peer lets that be set."""
    rows: str
    """A safetensors file with `rows` and `order`, where the rows of all steps lie in them, one step after the other."""
    seed: int
    """Of the first directions."""
    out: str
    """The folder to save the dictionary to, in the peer's own layout."""

    @property
    def warmup(self) -> int:
        """Steps in which the learning rate rises."""
        return self.steps // 20

    @property
    def decay(self) -> int:
        """Steps, at the end, in which it falls."""
        return 2 * self.steps // 5


class Batches:
    """The batches in order, as often as they are asked for."""

    def __init__(self, job: Job) -> None:
        self.job = job
        held = load_file(job.rows)
        self.rows, self.order = held["rows"], held["order"].long()

    def __iter__(self) -> Iterator[torch.Tensor]:
        for step in range(self.job.steps):
            yield self.rows[self.order[step * self.job.batch : (step + 1) * self.job.batch]].float()


def asked() -> Job:
    """The job named on the command line."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    torch.manual_seed(job.seed)
    torch.set_num_threads(int(sys.argv[2]))
    return job
