"""Cost of one dictionary training step, in units of one encoder-sized fp32 matrix product, beside the peers' trainers.

Width 512, 8,192 features, k 32, batch 4,096, on planted activations; a Matryoshka has four prefixes. A step is
everything: forward, backward, dead-feature bookkeeping, clipping, Adam, unit-norm directions. The unit is `torch.mm` of
the batch with the encoder, with a fresh result each time; step and unit take turns in one process, and each system and
kind has a process of its own. Wall time and CPU time are both given: on a busy machine the second is the fairer one.
Memory is what a trainer and its steps take at most beyond what its process held before.

"With AuxK" has one feature in sixteen dead, so that the term is at work in every step. Peers run where `make peers` has
installed them; their settings are their defaults.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from report import Line, arguments, note, show
from turns import in_turns, load, memory, save

from tymbal.dictionaries.config import Objective, TrainingConfig
from tymbal.dictionaries.trainer import Trainer
from tymbal.dictionaries.units import units

WIDTH, FEATURES, K, BATCH = 512, 8192, 32, 4096
PREFIX_SHARES = (16, 4, 2, 1)
GOALS = {"topk": 1.0, "batch_topk": 1.2, "matryoshka": 2.0, "jumprelu": None, "relu": None}
"""Goals in units; those of the last two depend on the peers."""
SHARE_OF_PEER = 0.6
"""JumpReLU and ReLU may take this share of the fastest peer's time."""
ROUNDS = 15
HERE = Path(__file__).resolve().parent
PEERS = {
    "sae-lens": (".venv-peers", ("topk", "batch_topk", "matryoshka", "jumprelu", "relu")),
    "dictionary-learning": (".venv-peers-old", ("topk", "batch_topk", "matryoshka", "jumprelu", "relu")),
    "eai-sparsify": (".venv-peers", ("topk",)),
}
"""Each peer's environment, and the kinds that it trains."""


def planted(batches: int, *, width: int = WIDTH, batch: int = BATCH) -> list[torch.Tensor]:
    """Batches of sparse sums of 12 directions a dimension with a little noise."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(12 * width, width, generator=generator), dim=1)
    made = []
    for _ in range(batches):
        which = torch.randint(len(directions), (batch, 40), generator=generator)
        strength = torch.rand(batch, 40, generator=generator) + 0.5
        rows = torch.nn.functional.embedding_bag(which, directions, per_sample_weights=strength, mode="sum")
        made.append(rows + 0.05 * torch.randn(batch, width, generator=generator))
    return made


def config_of(kind: str, features: int = FEATURES, k: int = K, batch: int = BATCH) -> TrainingConfig:
    """The default training of a kind at these sizes."""
    prefixes = tuple(features // share for share in PREFIX_SHARES) if kind == "matryoshka" else ()
    objective = Objective(prefixes=prefixes)
    return TrainingConfig(kind=kind, features=features, k=k, batch=batch, objective=objective)  # pyright: ignore[reportArgumentType]


def stepping(
    config: TrainingConfig, batches: list[torch.Tensor], *, aux: bool = False, screened: bool = True
) -> Callable[[torch.Tensor], object]:
    """A step of a trainer that has begun. Without `aux` no feature is dead, with it the same ones are kept dead."""
    trainer = Trainer(config, batches[0].shape[1], 10_000, units(batches[0]))
    trainer.begin(batches[0])
    if not screened:
        trainer.room = None

    def step(rows: torch.Tensor) -> object:
        trainer.idle.zero_()
        if aux:
            trainer.idle[::16] = trainer.patience
        return trainer.step(rows)

    return step


def child(kind: str, data: str, what: str) -> dict[str, Any]:
    """What one process of ours measures."""
    torch.manual_seed(0)
    batches = load(data)
    if what == "memory":
        stepping(config_of(kind, 64, 4), [batches[0][:64]])(batches[0][:64])
        return memory(lambda: stepping(config_of(kind), batches), batches)
    return in_turns(stepping(config_of(kind), batches, aux=what == "aux"), batches, FEATURES, rounds=ROUNDS)


def found(command: list[str]) -> dict[str, Any] | None:
    """What a process printed on its last line; None where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        note(f"failed: {' '.join(command[1:4])}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def peers(kind: str, data: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each peer that trains this kind, with its version, and what was measured."""
    for system, (environment, kinds) in PEERS.items():
        python = HERE.parent / environment / "bin" / "python"
        if kind not in kinds or not python.exists():
            continue
        command = [str(python), str(HERE / "peers" / "steps.py"), system, kind, data, str(FEATURES), str(K)]
        parts = [found([*command, what]) for what in ("time", "memory")]
        if all(part is not None for part in parts):
            together = {name: value for part in parts if part for name, value in part.items()}
            yield f"{system} {together['version']}", together


def lines(kind: str, data: str) -> Iterator[Line]:
    """The table of one kind: ours with the goals, then the peers'."""
    ours = {what: found([sys.executable, __file__, "--child", kind, data, what]) for what in ("time", "aux", "memory")}
    others = dict(peers(kind, data))
    least = {unit: min((each[unit] for each in others.values()), default=None) for unit in ("wall", "memory")}
    goal = GOALS[kind]
    if goal is None and least["wall"] is not None:
        goal = SHARE_OF_PEER * least["wall"]
    for name, what, unit, label, most in (
        (f"{kind} step", "time", "wall", "products, wall", goal),
        (f"{kind} step", "time", "cpu", "products, CPU", None),
        (f"{kind} step with AuxK", "aux", "wall", "products, wall", None),
        (f"{kind} step with AuxK", "aux", "cpu", "products, CPU", None),
        (f"{kind} step, memory", "memory", "memory", "MB", least["memory"]),
    ):
        measure = ours[what]
        if measure is not None:
            yield Line(name=name, system="tymbal", value=measure[unit], unit=label, goal=most)
    for system, each in others.items():
        yield Line(name=f"{kind} step", system=system, value=each["wall"], unit="products, wall")
        yield Line(name=f"{kind} step", system=system, value=each["cpu"], unit="products, CPU")
        yield Line(name=f"{kind} step, memory", system=system, value=each["memory"], unit="MB")


def main() -> None:
    """Print the table, kind by kind."""
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(*sys.argv[2:])))
        return
    options = arguments(__doc__)
    missing = [system for system, (place, _) in PEERS.items() if not (HERE.parent / place / "bin" / "python").exists()]
    if missing:
        note(f"left out: {', '.join(missing)}, which `make peers` installs")
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "batches.npy")
        save(planted(4), data)
        for kind in GOALS:
            show(list(lines(kind, data)), as_json=options.json)


if __name__ == "__main__":
    main()
