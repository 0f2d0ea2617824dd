"""Where a run stands, kept so that a killed one goes on with the same numbers."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from transformers import LlamaForCausalLM

from tymbal import artifact
from tymbal.corpora.pretraining.recipe import Recipe
from tymbal.errors import ArtifactError

CHECKPOINT = "checkpoint.safetensors"
RECIPE = "recipe.json"
CHANGEABLE = ("tokens", "decay", "device", "checkpoint_steps", "compiled")
"""What a run may change from one start to the next."""
Optimisers = Mapping[str, torch.optim.Optimizer]


class State(NamedTuple):
    """What a run has done, and the batch that it goes on with."""

    step: int
    tokens: int
    shard: int
    batch: int


def claim(folder: Path, recipe: Recipe) -> None:
    """Make the folder, or refuse one of another recipe; only the length of the run may change."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECIPE
    given: dict[str, Any] = asdict(recipe)
    if path.exists():
        known = artifact.read_json(path)
        changed = sorted(name for name in given if name not in CHANGEABLE and known.get(name) != given[name])
        if changed:
            raise ArtifactError(
                expected=f"the recipe of {folder}", got=f"another {changed[0]}", do="give another --out or keep it"
            )
    artifact.write_json(path, given)


def write_checkpoint(folder: Path, model: LlamaForCausalLM, optimisers: Optimisers, state: State) -> None:
    """Weights, the optimisers' moments and the place in the run."""
    tensors = {f"model.{name}": parameter.detach().cpu() for name, parameter in model.named_parameters()}
    for kind, optimiser in optimisers.items():
        for index, entry in optimiser.state_dict()["state"].items():
            tensors |= {f"{kind}.{index}.{name}": torch.as_tensor(value).cpu() for name, value in entry.items()}
    artifact.write_tensors(folder / CHECKPOINT, tensors, {name: str(value) for name, value in state._asdict().items()})


def read_checkpoint(folder: Path, model: LlamaForCausalLM, optimisers: Optimisers) -> State:
    """Put model and optimisers where the last checkpoint left them; a run without one is at its beginning."""
    if not (folder / CHECKPOINT).exists():
        return State(0, 0, 0, 0)
    tensors = artifact.read_tensors(folder / CHECKPOINT)
    with safe_open(folder / CHECKPOINT, "pt") as file:
        state = State(*(int(file.metadata()[name]) for name in State._fields))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    for kind, optimiser in optimisers.items():
        known = optimiser.state_dict()
        for name, tensor in tensors.items():
            if name.startswith(f"{kind}."):
                _, index, field = name.split(".")
                known["state"].setdefault(int(index), {})[field] = tensor
        optimiser.load_state_dict(known)
    return state
