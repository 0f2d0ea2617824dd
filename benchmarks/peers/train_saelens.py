"""Train a dictionary with SAELens: `python train_saelens.py JOB THREADS`, in its own environment."""

from itertools import chain, islice
from typing import Any

from job import Batches, Job, asked
from sae_lens import (
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    JumpReLUTrainingSAE,
    JumpReLUTrainingSAEConfig,
    MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig,
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.config import SAETrainerConfig
from sae_lens.training.sae_trainer import SAETrainer

NORM_BATCHES = 20
LEARNING_RATE = 3e-4


def untrained(job: Job) -> Any:
    """The dictionary as SAELens would start it; its activations are scaled as its own runner scales them."""
    common: dict[str, Any] = {
        "d_in": job.width,
        "d_sae": job.features,
        "normalize_activations": "expected_average_only_in",
    }
    if job.kind == "topk":
        return TopKTrainingSAE(TopKTrainingSAEConfig(k=job.k, **common))
    if job.kind == "batch_topk":
        return BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(k=job.k, **common))
    if job.kind == "matryoshka":
        widths = job.prefixes
        return MatryoshkaBatchTopKTrainingSAE(
            MatryoshkaBatchTopKTrainingSAEConfig(k=job.k, matryoshka_widths=widths, **common)
        )
    if job.kind == "jumprelu":
        settings = {"jumprelu_sparsity_loss_mode": "quadratic", "target_l0": job.k}
        return JumpReLUTrainingSAE(JumpReLUTrainingSAEConfig(l0_warm_up_steps=job.warmup, **settings, **common))
    raise ValueError(job.kind)


def main() -> None:
    """Train and save."""
    job = asked()
    batches = Batches(job)
    rate = job.learning_rate or LEARNING_RATE
    config = SAETrainerConfig(
        total_training_samples=job.steps * job.batch,
        train_batch_size_samples=job.batch,
        lr=rate,
        lr_end=rate / 10,
        lr_warm_up_steps=job.warmup,
        lr_decay_steps=job.decay,
        dead_feature_window=job.dead_after // job.batch,
        n_batches_for_norm_estimate=NORM_BATCHES,
    )
    data = chain(islice(batches, NORM_BATCHES), batches)
    SAETrainer(config, untrained(job), data).fit().save_inference_model(job.out)


if __name__ == "__main__":
    main()
