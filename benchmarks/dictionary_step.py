"""Cost of one dictionary training step, in units of one encoder-sized fp32 matrix product.

Width 512, 8,192 features, k 32, batch 4,096, on planted activations. A step is everything: forward, backward,
dead-feature bookkeeping, clipping, Adam, unit-norm directions. The unit is `torch.mm` of the batch with the encoder,
with a fresh result each time; step and unit take turns. Wall time and CPU time are both given: on a busy machine the
second is the fairer one. Selection is exact throughout (no low-precision screen).

"With AuxK" has one feature in sixteen dead, so that the term is at work in every step.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from report import Line, arguments, note, show

from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.trainer import Trainer
from tymbal.dictionaries.units import units

WIDTH, FEATURES, K, BATCH = 512, 8192, 32, 4096
ROUNDS, WARM = 9, 2
GOALS = {"topk": 1.0, "batch_topk": 1.2}


def planted(batches: int) -> list[torch.Tensor]:
    """Batches of sparse sums of 6,144 directions with a little noise."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(6144, WIDTH, generator=generator), dim=1)
    made = []
    for _ in range(batches):
        which = torch.randint(len(directions), (BATCH, 40), generator=generator)
        strength = torch.rand(BATCH, 40, generator=generator) + 0.5
        rows = torch.nn.functional.embedding_bag(which, directions, per_sample_weights=strength, mode="sum")
        made.append(rows + 0.05 * torch.randn(BATCH, WIDTH, generator=generator))
    return made


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(kind: str, *, aux: bool, batches: list[torch.Tensor]) -> list[Line]:
    """The lines of one kind."""
    # Without AuxK no feature may die while it is measured; with it the same ones are kept dead.
    config = TrainingConfig(kind="topk" if kind == "topk" else "batch_topk", features=FEATURES, k=K, batch=BATCH)
    trainer = Trainer(config, WIDTH, 10_000, units(batches[0]))
    trainer.begin(batches[0])
    encoder = torch.randn(FEATURES, WIDTH)
    walls, cpus = [], []
    for number in range(WARM + ROUNDS):
        rows = batches[number % len(batches)]
        trainer.idle.zero_()
        if aux:
            trainer.idle[::16] = config.dead_after
        unit = seconds(lambda rows=rows: torch.mm(rows, encoder.T))
        step = seconds(lambda rows=rows: trainer.step(rows))
        if number >= WARM:
            walls.append(step[0] / unit[0])
            cpus.append(step[1] / unit[1])
    name = f"{kind} step{' with AuxK' if aux else ''}"
    goal = None if aux else GOALS[kind]
    return [
        Line(name=name, system="tymbal", value=median(walls), unit="products, wall", goal=goal),
        Line(name=name, system="tymbal", value=median(cpus), unit="products, CPU"),
    ]


def main() -> None:
    """Print the table."""
    options = arguments(__doc__)
    torch.manual_seed(0)
    batches = planted(4)
    lines = [line for kind in GOALS for aux in (False, True) for line in measure(kind, aux=aux, batches=batches)]
    show(lines, as_json=options.json)
    note("peers (SAELens, dictionary_learning, sparsify) are left out: this script does not run them yet")


if __name__ == "__main__":
    main()
