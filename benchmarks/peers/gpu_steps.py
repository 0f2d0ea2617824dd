"""A peer's training step on a GPU, in the peers' environment: `gpu_steps.py SYSTEM DEVICE WIDTH FEATURES K BATCH`.

Prints one JSON object: version and median seconds of a step. The steps are those of `steps.py`, under bfloat16
autocast, which both peers offer; on the CPU as they are, for a trial of the script.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version
from statistics import median

import torch
from steps import SYSTEMS

WARM, ROUNDS = 3, 10


def main() -> None:
    """Measure one system."""
    system, device, *sizes = sys.argv[1:]
    width, features, k, batch = map(int, sizes)
    warnings.simplefilter("ignore")
    torch.set_default_device(device)
    batches = [torch.randn(batch, width) for _ in range(2)]
    step = SYSTEMS[system]("topk", batches, features, k)
    taken = []
    for number in range(WARM + ROUNDS):
        begun = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            step(batches[number % 2])
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
    print(json.dumps({"version": version(system), "seconds": median(taken[WARM:])}))


if __name__ == "__main__":
    main()
