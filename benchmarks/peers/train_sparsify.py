"""Train a TopK dictionary with sparsify: `python train_sparsify.py JOB THREADS`, in its own environment.

Its trainer takes a model and a text; the loop below does what that trainer does in each step, with AuxK on.
"""

import torch
from job import Batches, Job, asked
from schedulefree import ScheduleFreeWrapper
from sparsify import SparseCoder, SparseCoderConfig
from sparsify.sign_sgd import SignSGD

AUXK = 1 / 32


def trained(job: Job) -> SparseCoder:
    """The dictionary after all steps."""
    coder = SparseCoder(job.width, SparseCoderConfig(num_latents=job.features, k=job.k))
    rate = job.learning_rate or 5e-3 / (job.features / 2**14) ** 0.5
    optimiser = ScheduleFreeWrapper(SignSGD(coder.parameters(), lr=rate), momentum=0.95)
    optimiser.train()
    idle = torch.zeros(job.features, dtype=torch.long)
    for step, x in enumerate(Batches(job)):
        if step == 0:
            coder.b_dec.data = x.mean(0)
        coder.set_decoder_norm_to_unit_norm()
        out = coder(x, dead_mask=idle > job.dead_after)
        (out.fvu + AUXK * out.auxk_loss).backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        optimiser.step()
        optimiser.zero_grad()
        idle += len(x)
        idle[out.latent_indices.flatten()] = 0
    optimiser.eval()
    return coder


def main() -> None:
    """Train and save."""
    job = asked()
    trained(job).save_to_disk(job.out)


if __name__ == "__main__":
    main()
