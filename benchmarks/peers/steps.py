"""One training step of a peer's own trainer, in the peers' environment: `steps.py SYSTEM KIND DATA FEATURES K WHAT`.

Prints one JSON object: version and, as WHAT says, the step's cost in units or its memory in MB. Settings are the peers'
defaults but for the sizes; nothing is logged or evaluated. sparsify's trainer is tied to a language model; its step is
repeated here from its `Trainer.fit` with its default loss and Adam, which is among its optimisers.
"""

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from turns import in_turns, load, memory

STEPS = 10_000
PREFIX_SHARES = (1 / 16, 3 / 16, 1 / 4, 1 / 2)
"""Share of the features that each ring of a Matryoshka adds: four prefixes."""
ROUNDS = 5
"""Timed steps: fewer than ours, each takes ten times as long and the ratios are far from any goal."""
Step = Callable[[torch.Tensor], object]


def saelens(kind: str, batches: list[torch.Tensor], features: int, k: int) -> Step:
    """SAETrainer.step, in a loop that `fit` would run."""
    import sae_lens as lens
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    rows, width = batches[0].shape
    sizes: dict[str, Any] = {"d_in": width, "d_sae": features}
    if kind == "matryoshka":
        ends = [round(features * sum(PREFIX_SHARES[: place + 1])) for place in range(len(PREFIX_SHARES))]
        sae = lens.MatryoshkaBatchTopKTrainingSAE(
            lens.MatryoshkaBatchTopKTrainingSAEConfig(**sizes, k=k, matryoshka_widths=ends)
        )
    elif kind == "topk":
        sae = lens.TopKTrainingSAE(lens.TopKTrainingSAEConfig(**sizes, k=k))
    elif kind == "batch_topk":
        sae = lens.BatchTopKTrainingSAE(lens.BatchTopKTrainingSAEConfig(**sizes, k=k))
    elif kind == "jumprelu":
        sae = lens.JumpReLUTrainingSAE(lens.JumpReLUTrainingSAEConfig(**sizes))
    else:
        sae = lens.StandardTrainingSAE(lens.StandardTrainingSAEConfig(**sizes))
    config = SAETrainerConfig(total_training_samples=STEPS * rows, train_batch_size_samples=rows, lr_end=3e-5)
    trainer = SAETrainer(config, sae, data_provider=iter(batches))

    def step(rows: torch.Tensor) -> None:
        trainer.step(rows)
        trainer.n_training_steps += 1

    return step


def dictionary_learning(kind: str, batches: list[torch.Tensor], features: int, k: int) -> Step:
    """The trainer's `update`."""
    from dictionary_learning.trainers import batch_top_k, jumprelu, matryoshka_batch_top_k, standard, top_k

    sizes: dict[str, Any] = {"steps": STEPS, "activation_dim": batches[0].shape[1], "dict_size": features}
    common: dict[str, Any] = {"layer": 0, "lm_name": "none", "device": "cpu"}
    if kind == "matryoshka":
        trainer = matryoshka_batch_top_k.MatryoshkaBatchTopKTrainer(
            **sizes, **common, k=k, group_fractions=list(PREFIX_SHARES)
        )
    elif kind == "topk":
        trainer = top_k.TopKTrainer(**sizes, **common, k=k)
    elif kind == "batch_topk":
        trainer = batch_top_k.BatchTopKTrainer(**sizes, **common, k=k)
    elif kind == "jumprelu":
        trainer = jumprelu.JumpReluTrainer(**sizes, **common, target_l0=float(k))
    else:
        trainer = standard.StandardTrainerAprilUpdate(**sizes, **common)
    steps: Iterator[int] = iter(range(STEPS))
    return lambda rows: trainer.update(next(steps), rows)


def sparsify(kind: str, batches: list[torch.Tensor], features: int, k: int) -> Step:
    """What `Trainer.fit` does with the activations of one batch."""
    from sparsify import SparseCoder, SparseCoderConfig

    assert kind == "topk", "sparsify trains TopK alone"
    coder = SparseCoder(batches[0].shape[1], SparseCoderConfig(num_latents=features, k=k))
    coder.b_dec.data = batches[0].mean(0)
    optimiser = torch.optim.Adam(coder.parameters(), lr=5e-3)
    idle = torch.zeros(features, dtype=torch.long)

    def step(rows: torch.Tensor) -> None:
        coder.set_decoder_norm_to_unit_norm()
        out = coder(x=rows, y=rows, dead_mask=idle > 10_000_000, total_variance=(rows - rows.mean(0)).pow(2).sum())
        out.fvu.backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        optimiser.step()
        optimiser.zero_grad()
        idle.add_(len(rows))
        idle[out.latent_indices.flatten()] = 0

    return step


SYSTEMS = {
    "sae-lens": saelens,
    "dictionary-learning": dictionary_learning,
    "eai-sparsify": sparsify,
}


def main() -> None:
    """Measure one system and kind."""
    system, kind, data, features, k, what = sys.argv[1:]
    warnings.simplefilter("ignore")
    batches = load(data)

    def make(features: int = int(features), k: int = int(k)) -> Step:
        return SYSTEMS[system](kind, batches, features, k)

    make(64, 4)(batches[0][:64])  # so that no import counts as memory of a step
    found = memory(make, batches) if what == "memory" else in_turns(make(), batches, int(features), rounds=ROUNDS)
    print(json.dumps({"version": version(system), **found}))


if __name__ == "__main__":
    main()
