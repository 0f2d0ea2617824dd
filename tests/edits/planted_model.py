"""A tiny Llama in which one direction says which of two words was read last, and is used for the answer or is not."""

from pathlib import Path

import torch
from torch import Tensor

from tymbal.models import LanguageModel, open_model

READING = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
WRITING = ("o_proj", "down_proj")
SIZE = 0.1


def planted_model(folder: Path, *, used: bool) -> tuple[LanguageModel, Tensor]:
    """The model and the direction: +SIZE along it after " cat", -SIZE after " Lily", at every site.

    Nothing but the embedding writes along it. Where it is used, the unembedding of " a" reads it; else nothing does.
    """
    model = open_model(folder)
    direction = torch.nn.functional.normalize(torch.randn(32, generator=torch.Generator().manual_seed(5)), dim=0)
    with torch.no_grad():
        for name, weight in model.torch_model.named_parameters():
            if any(part in name for part in READING) or "lm_head" in name or "embed_tokens" in name:
                weight -= torch.outer(weight @ direction, direction)
            elif any(part in name for part in WRITING):
                weight -= torch.outer(direction, direction @ weight)
        embedding = model.torch_model.get_submodule("model.embed_tokens").weight
        for word, sign in ((" cat", 1), (" Lily", -1)):
            embedding[token(model, word)] += sign * SIZE * direction
        if used:
            model.torch_model.get_submodule("lm_head").weight[token(model, " a")] += 2 * direction
    return model, direction


def token(model: LanguageModel, word: str) -> int:
    """The one token of a word with its space."""
    ids = model.tokenizer(word)["input_ids"]
    assert len(ids) == 2
    return ids[1]
