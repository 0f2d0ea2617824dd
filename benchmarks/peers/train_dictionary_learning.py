"""Train with dictionary_learning: `python train_dictionary_learning.py JOB THREADS`, in its own environment."""

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE, BatchTopKTrainer
from dictionary_learning.trainers.jumprelu import JumpReluTrainer
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE, MatryoshkaBatchTopKTrainer
from dictionary_learning.trainers.top_k import AutoEncoderTopK, TopKTrainer
from dictionary_learning.training import trainSAE
from job import Batches, Job, asked

TRAINERS = {
    "topk": (TopKTrainer, AutoEncoderTopK),
    "batch_topk": (BatchTopKTrainer, BatchTopKSAE),
    "matryoshka": (MatryoshkaBatchTopKTrainer, MatryoshkaBatchTopKSAE),
}


def settings(job: Job) -> dict[str, Any]:
    """What its trainer is told; all else is as its authors left it."""
    common: dict[str, Any] = {
        "steps": job.steps,
        "activation_dim": job.width,
        "dict_size": job.features,
        "layer": 0,
        "lm_name": "none",
        "warmup_steps": job.warmup,
        "decay_start": job.steps - job.decay,
        "device": "cpu",
        "seed": job.seed,
    }
    if job.learning_rate is not None:
        common["lr"] = job.learning_rate
    if job.kind == "jumprelu":
        return common | {"trainer": JumpReluTrainer, "target_l0": job.k, "sparsity_warmup_steps": job.warmup}
    trainer, kind = TRAINERS[job.kind]
    common |= {"trainer": trainer, "dict_class": kind, "k": job.k, "threshold_start_step": job.steps // 4}
    if job.kind == "matryoshka":
        ends = [0, *job.prefixes]
        common["group_fractions"] = [(b - a) / job.features for a, b in pairwise(ends)]
    return common


def main() -> None:
    """Train and save."""
    job = asked()
    saved = Path(job.out + ".trainer")
    trainSAE(
        Batches(job),
        [settings(job)],
        job.steps,
        save_dir=str(saved),
        normalize_activations=True,
        device="cpu",
        autocast_dtype=torch.float32,
    )
    shutil.move(saved / "trainer_0", job.out)


if __name__ == "__main__":
    main()
