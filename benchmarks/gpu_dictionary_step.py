"""A dictionary's training step on a GPU: tokens a second and model-flops utilisation, beside roofline and peers.

Width 4,096, 131,072 features, k 64, batch 32,768. First the step's roofline is counted
(`tymbal/dictionaries/roofline.py`, formulas printed), then measured in one process, in turns: the encoder's product
in bfloat16 alone, and our step (forward, backward, dead-feature bookkeeping, clipping, Adam, unit-norm directions)
with rows in bfloat16 on the device. Peers run in processes of their own where `make peers` has installed them with a
build of torch for CUDA, in bfloat16 as they offer it.

Goals: the step at least half as fast as the product alone; at most 1.3 times its roofline; at least 3 times sparsify's
tokens a second and 5 times SAELens's. Without a CUDA device the count for an H200 is printed and nothing is measured;
`--tiny` runs every part of the script at toy sizes on whatever there is.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from report import Line, note, parser, show

from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.roofline import H200, Device, Roofline, Step, roofline
from tymbal.dictionaries.trainer import Trainer
from tymbal.dictionaries.units import units

HERE = Path(__file__).resolve().parent
PEERS = {"eai-sparsify": 3.0, "sae-lens": 5.0}
"""Peers, and how many times their tokens a second ours are meant to be."""
SHARE_OF_PRODUCT, OF_ROOFLINE = 0.5, 1.3
WARM, ROUNDS = 3, 10


class Sizes(NamedTuple):
    """Sizes of a step."""

    width: int
    features: int
    k: int
    batch: int


FULL, TINY = Sizes(4096, 131072, 64, 32768), Sizes(32, 2048, 4, 256)
KNOWN = {"H200": H200}
"""Devices whose roofline is known, by a word of their names."""


def counted(sizes: Sizes, device: Device) -> tuple[Step, Roofline]:
    """The step's count, and what it comes to on a device."""
    step = Step(width=sizes.width, features=sizes.features, rows=sizes.batch, k=sizes.k)
    return step, roofline(step, device)


def explain(sizes: Sizes, step: Step, bound: Roofline, device: Device) -> str:
    """The roofline with its formulas."""
    width, features, k, batch = sizes
    return "\n".join(
        (
            f"roofline on {device.name}: {device.operations / 1e12:g} TFLOP/s, {device.bandwidth / 1e12:g} TB/s",
            f"  product    2·b·f·w = 2·{batch}·{features}·{width} = {step.operations:.3g} FLOP: "
            f"{1e3 * bound.product:.1f} ms",
            f"  sparse     4·b·k·w·{step.gathered} + 4·P, P = 2·f·w: {step.sparse_bytes:.3g} B, k {k}: "
            f"{1e3 * bound.sparse:.1f} ms",
            f"  optimiser  28·P + 2·f·w: {step.optimiser_bytes:.3g} B: {1e3 * bound.optimiser:.1f} ms",
            f"  total      {1e3 * bound.total:.1f} ms, {batch / bound.total:,.0f} tokens/s",
        )
    )


def rows_of(sizes: Sizes, device: str) -> list[torch.Tensor]:
    """Batches of sparse sums of random directions, in bfloat16 on the device."""
    generator = torch.Generator(device).manual_seed(0)
    directions = torch.randn(4 * sizes.width, sizes.width, device=device, generator=generator)
    directions /= directions.norm(dim=1, keepdim=True)
    made = []
    for _ in range(2):
        which = torch.randint(len(directions), (sizes.batch, 16), device=device, generator=generator)
        rows = torch.zeros(sizes.batch, sizes.width, device=device)
        for column in which.T:
            rows += directions[column]
        made.append(rows.bfloat16())
    return made


def stepping(sizes: Sizes, batches: list[torch.Tensor], device: str) -> Callable[[torch.Tensor], object]:
    """A step of a trainer that has begun."""
    config = TrainingConfig(features=sizes.features, k=sizes.k, batch=sizes.batch)
    first = batches[0][:4096].float().cpu()
    trainer = Trainer(config, sizes.width, 10_000, units(first), device=device)
    trainer.begin(first)

    def step(rows: torch.Tensor) -> object:
        trainer.idle.zero_()
        return trainer.step(rows.float())

    return step


def seconds(call: Callable[[torch.Tensor], object], rows: torch.Tensor) -> float:
    """Wall seconds of one call, until the device has done it."""
    begun = time.perf_counter()
    call(rows)
    if rows.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def in_turns(calls: dict[str, Callable[[torch.Tensor], object]], batches: list[torch.Tensor]) -> dict[str, float]:
    """Median seconds of each call; the calls take turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(WARM + ROUNDS):
        for name, call in calls.items():
            second = seconds(call, batches[number % len(batches)])
            if number >= WARM:
                taken[name].append(second)
    return {name: sorted(each)[len(each) // 2] for name, each in taken.items()}


def ours(sizes: Sizes, device: str) -> tuple[dict[str, float], float]:
    """Seconds of step and product, and the most memory held, in GB."""
    batches = rows_of(sizes, device)
    encoder = torch.randn(sizes.features, sizes.width, device=device, dtype=torch.bfloat16)
    out = torch.empty(sizes.batch, sizes.features, device=device, dtype=torch.bfloat16)
    calls = {"step": stepping(sizes, batches, device), "product": lambda rows: torch.mm(rows, encoder.T, out=out)}
    found = in_turns(calls, batches)
    return found, torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0.0


def peers(sizes: Sizes, device: str) -> Iterator[tuple[str, str, float]]:
    """Name, version and seconds a step of each peer that is there."""
    for system in PEERS:
        python = HERE.parent / ".venv-peers" / "bin" / "python"
        if not python.exists():
            note(f"left out: {system}, which `make peers` installs")
            continue
        command = [str(python), str(HERE / "peers" / "gpu_steps.py"), system, device, *map(str, sizes)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            note(f"failed: {system}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
            continue
        measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        yield system, measured["version"], measured["seconds"]


def lines(sizes: Sizes, device: str, name: str, bound: Roofline | None) -> Iterator[Line]:
    """The table. Goals are the most that a value may be, so that speeds stand as ratios of times; toys have none."""
    step, full = counted(sizes, H200)[0], sizes == FULL
    others = list(peers(sizes, device))
    found, memory = ours(sizes, device)
    took = found["step"]
    yield Line(name=f"TopK step on {name}", system="tymbal", value=1e3 * took, unit="ms")
    yield Line(name="encoder product in bfloat16", system="torch.mm", value=1e3 * found["product"], unit="ms")
    yield Line(
        name="step",
        system="tymbal",
        value=took / found["product"],
        unit="products",
        goal=1 / SHARE_OF_PRODUCT if full else None,
    )
    if bound is not None:
        yield Line(name="step", system="tymbal", value=took / bound.total, unit="rooflines", goal=OF_ROOFLINE)
        used = step.operations / took / H200.operations
        yield Line(name="model-flops utilisation, the product's operations", system="tymbal", value=used, unit="share")
    yield Line(name="tokens a second", system="tymbal", value=sizes.batch / took, unit="tokens/s")
    yield Line(name="memory", system="tymbal", value=memory, unit="GB")
    for system, version, taken in others:
        yield Line(name="tokens a second", system=f"{system} {version}", value=sizes.batch / taken, unit="tokens/s")
        goal = 1 / PEERS[system] if full else None
        yield Line(name=f"step over {system}'s", system="tymbal", value=took / taken, unit="ratio", goal=goal)


def main() -> None:
    """Print the count, and where there is a GPU the table."""
    options = parser(__doc__)
    options.add_argument("--tiny", action="store_true", help="toy sizes, on the CPU where there is no GPU")
    chosen = options.parse_args()
    sizes = TINY if chosen.tiny else FULL
    step, bound = counted(sizes, H200)
    note(explain(sizes, step, bound, H200))
    show(
        [Line(name="roofline of the step, counted", system="NVIDIA H200", value=1e3 * bound.total, unit="ms")],
        as_json=chosen.json,
    )
    there = torch.cuda.is_available()
    if not there and not chosen.tiny:
        note("nothing measured: this needs a GPU, best an H200, and torch built for CUDA")
        return
    name = torch.cuda.get_device_name() if there else "this processor"
    known = next((device for word, device in KNOWN.items() if word in name), None)
    measured = list(lines(sizes, "cuda" if there else "cpu", name, counted(sizes, known)[1] if known else None))
    show(measured, as_json=chosen.json)


if __name__ == "__main__":
    main()
