"""One process under torchrun: `tymbal train-dictionary`, killed once on rank 1 when it asks for the rows of a step."""

import os
import signal
import sys
from pathlib import Path

import torch

from tymbal.activations import StoredRows
from tymbal.cli import main

fatal, marker, *words = sys.argv[1:]
read = StoredRows.batch


def batch(self: StoredRows, step: int, size: int) -> torch.Tensor:
    """The rows, or the end."""
    own = step % 2 if size == 128 else 0
    if own == 1 and step // 2 == int(fatal) and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return read(self, step, size)


StoredRows.batch = batch
torch.set_num_threads(1)
sys.exit(main(words))
