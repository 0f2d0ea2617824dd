"""Dictionaries of every system on the same batches: Tymbal's kinds and the peers', each trained once and kept.

A peer trains in its own environment (`make peers`) with its own script (`peers/train_*.py`), which is told where the
rows lie and in which order to take them. What it saves is read by `load_dictionary`.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, get_args

import torch
from report import note
from rows import Rows

from tymbal import artifact
from tymbal.dictionaries import Descent, Dictionary, Revival, TrainingConfig, load_dictionary, train
from tymbal.dictionaries.config import Kind

HERE = Path(__file__).parent
OURS = "tymbal"
KINDS: tuple[Kind, ...] = get_args(Kind)
ROWS = "rows.safetensors"


class Peer(NamedTuple):
    """A peer's environment, script and kinds."""

    environment: str
    script: str
    kinds: tuple[Kind, ...]

    @property
    def python(self) -> Path:
        """Its interpreter; absent before `make peers`."""
        return HERE.parent / self.environment / "bin" / "python"


PEERS = {
    "SAELens": Peer(".venv-peers", "train_saelens.py", ("topk", "batch_topk", "matryoshka", "jumprelu")),
    "dictionary_learning": Peer(
        ".venv-peers-old", "train_dictionary_learning.py", ("topk", "batch_topk", "matryoshka", "jumprelu")
    ),
    "sparsify": Peer(".venv-peers", "train_sparsify.py", ("topk",)),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What every system is asked to train."""

    kind: Kind
    features: int
    k: int
    batch: int
    steps: int
    seed: int = 0

    def config(self, rows: Rows) -> TrainingConfig:
        """Tymbal's settings for it, all others by default."""
        epochs = self.steps * self.batch / rows.rows_per_epoch
        return TrainingConfig(
            kind=self.kind, features=self.features, k=self.k, batch=self.batch, epochs=epochs, seed=self.seed
        )

    @property
    def rate(self) -> float:
        """Tymbal's learning rate."""
        return Descent().rate(self.features)


def ours(rows: Rows, asked: Asked, folder: Path) -> Dictionary:
    """Tymbal's dictionary."""
    return train(rows, asked.config(rows), folder).requires_grad_(False)


def peers_of(kind: Kind) -> Iterator[str]:
    """The peers that train this kind and are installed."""
    return (name for name, peer in PEERS.items() if kind in peer.kinds and peer.python.exists())


def theirs(name: str, rows: Rows, asked: Asked, folder: Path, *, rate: float | None) -> Dictionary | None:
    """A peer's dictionary, trained at a learning rate (None: its own); None, with a note, where it fails.

    The rows that it reads are written beside all folders of one bed and batch, `folder.parent`.
    """
    if not folder.exists():
        file = written_rows(rows, asked, folder.parent)
        job = asdict(asked) | {
            "learning_rate": rate,
            "width": rows.width,
            "prefixes": [asked.features // 16, asked.features // 4, asked.features],
            "dead_after": Revival().patience(asked.steps * asked.batch),
            "rows": str(file),
            "out": str(folder),
        }
        told = folder.with_suffix(".json")
        told.write_text(json.dumps(job))
        script = HERE / "peers" / PEERS[name].script
        command = [str(PEERS[name].python), str(script), str(told), str(torch.get_num_threads())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            note(f"{name} {asked.kind} k {asked.k}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
            return None
    return load_dictionary(folder).requires_grad_(False)


def written_rows(rows: Rows, asked: Asked, folder: Path) -> Path:
    """The rows and the order in which the steps take them, as a file."""
    file = folder / ROWS
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        order = torch.cat([rows.places(step, asked.batch) for step in range(asked.steps)])
        artifact.write_tensors(file, {"rows": rows.rows, "order": order.int()})
    return file
