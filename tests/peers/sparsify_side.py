"""sparsify's side: sparse coders, transcoders, skip connections."""

from functools import partial
from pathlib import Path

import torch
from exchange import FEATURES, WIDTH, K, exchanged, fill
from sparsify import SparseCoder, SparseCoderConfig

CODERS = {
    "coder": {},
    "transcoder": {"transcode": True},
    "skip_transcoder": {"transcode": True, "skip_connection": True},
    "skip": {"skip_connection": True},
}


def write(name: str, folder: Path) -> None:
    """Save a coder; a transcoder keeps directions of free norm, as its trainer does."""
    coder = SparseCoder(WIDTH, SparseCoderConfig(num_latents=FEATURES, k=K, **CODERS[name]))
    fill(coder)
    if not coder.cfg.transcode:
        coder.set_decoder_norm_to_unit_norm()
    coder.save_to_disk(folder)


def computed(folder: Path, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What sparsify makes of rows."""
    coder = SparseCoder.load_from_disk(folder)
    values, indices, _ = coder.encode(x)
    activations = torch.zeros(len(x), coder.num_latents).scatter(1, indices, values)
    return {"activations": activations, "decoder": coder.W_dec, "reconstruction": coder(x).sae_out}


if __name__ == "__main__":
    exchanged({name: partial(write, name) for name in CODERS}, computed)
