"""The control that tells what training taught from what the architecture and the tokens give away."""

from pathlib import Path
from typing import Any

import torch

from tymbal.models import LanguageModel


def untrained_copy(model: LanguageModel, *, seed: int = 0) -> LanguageModel:
    """A model of the same configuration and tokenizer with initial weights drawn by the seed.

    It lies in no folder, so it has no identity to ask for.
    """
    kind: Any = type(model.torch_model)
    more = {} if model.causal else {"add_pooling_layer": False}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = kind(model.torch_model.config, **more)
    fresh = fresh.to(device=model.device, dtype=model.dtype)
    name = f"{model.name}, untrained (seed {seed})"
    return LanguageModel(fresh, model.tokenizer, model.architecture, name=name, folder=Path(), revision=None)
