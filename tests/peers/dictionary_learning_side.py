"""dictionary_learning's side: each trainer's dictionary and configuration, saved as its training loop does."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
from dictionary_learning.trainers.gdm import GatedSAETrainer
from dictionary_learning.trainers.jumprelu import JumpReluTrainer
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer
from dictionary_learning.trainers.standard import StandardTrainer, StandardTrainerAprilUpdate
from dictionary_learning.trainers.top_k import TopKTrainer
from dictionary_learning.utils import load_dictionary
from exchange import FEATURES, WIDTH, K, exchanged, fill

TRAINERS: dict[str, tuple[type, dict[str, Any]]] = {
    "standard": (StandardTrainer, {}),
    "april": (StandardTrainerAprilUpdate, {}),
    "gated": (GatedSAETrainer, {}),
    "jumprelu": (JumpReluTrainer, {}),
    "topk": (TopKTrainer, {"k": K}),
    "batchtopk": (BatchTopKTrainer, {"k": K}),
    "matryoshka": (MatryoshkaBatchTopKTrainer, {"k": K, "group_fractions": [0.1, 0.2, 0.7]}),
}


def write(name: str, folder: Path) -> None:
    """Save what a trainer holds."""
    kind, options = TRAINERS[name]
    trainer = kind(
        steps=10_000,
        activation_dim=WIDTH,
        dict_size=FEATURES,
        layer=2,
        lm_name="pythia",
        submodule_name="resid_post_layer_2",
        device="cpu",
        **options,
    )
    fill(trainer.ae)
    if name not in ("standard", "april"):  # whose norms are folded when they are loaded
        normalise(trainer.ae)
    if name in ("batchtopk", "matryoshka"):
        trainer.ae.threshold.fill_(0.6)
    folder.mkdir()
    torch.save(trainer.ae.state_dict(), folder / "ae.pt")
    (folder / "config.json").write_text(json.dumps({"trainer": trainer.config}))


@torch.no_grad()
def normalise(dictionary: torch.nn.Module) -> None:
    """Give directions norm 1, as training does after each step."""
    matrix = directions(dictionary)
    matrix /= matrix.norm(dim=1, keepdim=True)


def directions(dictionary: torch.nn.Module) -> torch.Tensor:
    """The decoder, features first."""
    return dictionary.W_dec if hasattr(dictionary, "W_dec") else dictionary.decoder.weight.T


def computed(folder: Path, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What dictionary_learning makes of rows."""
    dictionary, _ = load_dictionary(str(folder), "cpu")
    return {
        "activations": dictionary.encode(x),
        "decoder": directions(dictionary),
        "reconstruction": dictionary(x),
    }


if __name__ == "__main__":
    exchanged({name: partial(write, name) for name in TRAINERS}, computed)
