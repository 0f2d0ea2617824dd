"""SAELens's side: its training and inference classes, and its loaders of Gemma Scope, as if the hub were the folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from exchange import FEATURES, TRANSCODED, WIDTH, K, exchanged, fill
from sae_lens import (
    SAE,
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    GatedTrainingSAE,
    GatedTrainingSAEConfig,
    JumpReLUTrainingSAE,
    JumpReLUTrainingSAEConfig,
    MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig,
    StandardTrainingSAE,
    StandardTrainingSAEConfig,
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.loading import pretrained_sae_loaders as loaders
from safetensors import safe_open

HOOKS = {"hook_name": "blocks.2.hook_resid_post", "model_name": "pythia"}
TRAINED = {
    "standard": (StandardTrainingSAE, StandardTrainingSAEConfig, {}),
    "topk": (TopKTrainingSAE, TopKTrainingSAEConfig, {"k": K}),
    "batchtopk": (BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, {"k": K}),
    "matryoshka": (
        MatryoshkaBatchTopKTrainingSAE,
        MatryoshkaBatchTopKTrainingSAEConfig,
        {"k": K, "matryoshka_widths": [4, 12, FEATURES]},
    ),
    "jumprelu": (JumpReLUTrainingSAE, JumpReLUTrainingSAEConfig, {}),
    "gated": (GatedTrainingSAE, GatedTrainingSAEConfig, {}),
}
"""Trained and saved for inference."""
PLAIN = {"apply_b_dec_to_input": True}
TAKEN_AS_IT_IS = {"apply_b_dec_to_input": False}
USED = {
    "standard.normalised": {"architecture": "standard", "normalize_activations": "layer_norm"},
    "gated.normalised": {"architecture": "gated", "normalize_activations": "constant_norm_rescale"},
    "topk.normalised": {"architecture": "topk", "k": K, "normalize_activations": "layer_norm"},
    "standard.bias": {"architecture": "standard", **TAKEN_AS_IT_IS},
    "gated.bias": {"architecture": "gated", **TAKEN_AS_IT_IS},
    "topk.raw": {"architecture": "topk", "k": K, "rescale_acts_by_decoder_norm": False},
    "topk.rescaled": {"architecture": "topk", "k": K, "rescale_acts_by_decoder_norm": True},
    **{
        name: {"architecture": name, "d_out": TRANSCODED, **TAKEN_AS_IT_IS}
        for name in ("transcoder", "skip_transcoder", "jumprelu_transcoder", "jumprelu_skip_transcoder")
    },
}
"""Saved by the classes for use."""


def trained(name: str) -> Callable[[Path], None]:
    """Writes what a trainer would leave."""
    kind, config, options = TRAINED[name]

    def write(folder: Path) -> None:
        sae = kind(config(d_in=WIDTH, d_sae=FEATURES, **options))
        fill(sae)
        if name in ("batchtopk", "matryoshka"):
            sae.topk_threshold.fill_(0.6)
        sae.save_inference_model(folder)

    return write


def used(config: dict[str, Any], folder: Path) -> None:
    """Writes what a class for use saves."""
    sae = SAE.from_dict({"d_in": WIDTH, "d_sae": FEATURES, "metadata": HOOKS, **PLAIN, **config})
    fill(sae)
    sae.save_model(folder)


def gemma(folder: Path) -> None:
    """Writes the arrays of Gemma Scope 1."""
    draw = np.random.default_rng(0).standard_normal
    shapes = {"W_enc": (WIDTH, FEATURES), "W_dec": (FEATURES, WIDTH), "b_enc": FEATURES, "b_dec": WIDTH}
    arrays = {name: draw(shape).astype(np.float32) for name, shape in shapes.items()}
    folder.mkdir()
    np.savez(folder / "params.npz", **arrays, threshold=np.abs(draw(FEATURES)).astype(np.float32))


def loaded(folder: Path) -> Any:
    """The dictionary of a folder, by SAELens."""
    if (folder / "sae_weights.safetensors").exists():
        return SAE.load_from_disk(folder)
    # Its loaders of Gemma Scope know the hub only, and tell the model by the name of the repository.
    loaders.hf_hub_download = lambda repo_id, filename, subfolder="", **_: str(folder / Path(filename).name)
    loaders.get_safetensors_tensor_shapes = shapes
    if (folder / "params.npz").exists():
        overrides = {"d_in": WIDTH, "d_sae": FEATURES}
        loader, names = loaders.gemma_2_sae_huggingface_loader, ("gemma-scope-2b-pt-res", "layer_3/width_16k")
    else:
        overrides = {}
        place = "transcoder" if "transcoder" in folder.name else "resid_post"
        loader, names = loaders.gemma_3_sae_huggingface_loader, ("gemma-scope-2-1b-pt", f"{place}/layer_3")
    config, state, _ = loader(*names, cfg_overrides=overrides)
    sae = SAE.from_dict({**config, "normalize_activations": "none", "metadata": {}, "device": "cpu"})
    sae.load_state_dict(state)
    return sae


def shapes(_: str, filename: str) -> dict[str, list[int]]:
    """Shapes of the tensors in a file that is already here."""
    with safe_open(loaders.hf_hub_download("", filename), framework="pt") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118


def computed(folder: Path, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What SAELens makes of rows."""
    sae = loaded(folder)
    activations = sae.encode(x)
    tensors = {"activations": activations, "decoder": sae.W_dec, "reconstruction": sae(x)}
    if getattr(sae.cfg, "rescale_acts_by_decoder_norm", False):
        tensors["decoder"] = sae.W_dec / sae.W_dec.norm(dim=1, keepdim=True)  # its activations hold the norms
    if sae.cfg.normalize_activations == "layer_norm":
        tensors["scale"] = x.std(1, keepdim=True)
    if sae.cfg.normalize_activations == "constant_norm_rescale":
        tensors["scale"] = x.norm(dim=1, keepdim=True) / WIDTH**0.5
    return tensors


if __name__ == "__main__":
    exchanged(
        {name: trained(name) for name in TRAINED}
        | {name: partial(used, config) for name, config in USED.items()}
        | {"gemma": gemma},
        computed,
    )
