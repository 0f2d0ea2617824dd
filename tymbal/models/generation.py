"""Token-by-token generation with a key-value cache.

A loop of our own and not `transformers.generate`, so that what is generated depends on the model, the prompt,
the temperature and the seed alone, and not on sampling defaults that a model's folder may carry.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel


@torch.no_grad()
def generated_ids(
    model: PreTrainedModel, prompt_ids: Sequence[int], *, count: int, temperature: float, seed: int
) -> list[int]:
    """At most `count` new token ids, up to but not including an end-of-text token."""
    ends = _end_ids(model)
    # Drawn on the CPU, so that a seed means the same tokens on every device.
    generator = torch.Generator().manual_seed(seed)
    new: list[int] = []
    given, cache = torch.tensor([list(prompt_ids)], device=model.device), None
    for _ in range(count):
        step: Any = model(input_ids=given, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = step.past_key_values
        token = _choose(step.logits[0, -1].float().cpu(), temperature, generator)
        if token in ends:
            break
        new.append(token)
        given = torch.tensor([[token]], device=model.device)
    return new


def _choose(logits: Tensor, temperature: float, generator: torch.Generator) -> int:
    if temperature == 0:
        return int(logits.argmax())
    probabilities = torch.softmax(logits.double() / temperature, dim=-1)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def _end_ids(model: PreTrainedModel) -> set[int]:
    ends = model.generation_config.eos_token_id if model.generation_config is not None else None
    ends = model.config.get_text_config().eos_token_id if ends is None else ends
    if ends is None:
        return set()
    return set(ends) if isinstance(ends, list) else {ends}
