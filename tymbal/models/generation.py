"""Token-by-token generation with a key-value cache.

A loop of our own and not `transformers.generate`, so that what is generated depends on the model, the prompt,
the temperature and the seed alone, and not on sampling defaults that a model's folder may carry. Prompts of unequal
length are padded on the left.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tymbal.errors import ModelError
from tymbal.models.cache import cache_name
from tymbal.models.tokens import Tokens


def token_rows(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, with the special tokens that the tokenizer puts around it."""
    if not texts:
        return []
    encoded: Any = tokenizer(list(texts), padding=False, truncation=False, verbose=False)
    return encoded["input_ids"]


def prompt_rows(tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids of each prompt; an empty one becomes the token that begins a text.

    Raises `ModelError` where the tokenizer has no such token.
    """
    rows = [row if prompt else [] for prompt, row in zip(prompts, token_rows(tokenizer, prompts), strict=True)]
    if all(rows):
        return rows
    first: Any = tokenizer.bos_token_id
    if first is None:
        first = tokenizer.eos_token_id
    if first is None:
        raise ModelError(
            expected="a prompt, since this tokenizer has no token that begins a text", got="none", do="give a prompt"
        )
    return [row or [first] for row in rows]


def generated_ids(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, count: int, temperature: float, seeds: Sequence[int]
) -> list[list[int]]:
    """At most `count` new token ids a row, up to but not including an end-of-text token."""
    new: list[list[int]] = [[] for _ in prompts]
    for tokens in stepped_ids(model, prompts, count=count, temperature=temperature, seeds=seeds):
        for row, token in zip(new, tokens, strict=True):
            if token is not None:
                row.append(token)
    return new


@torch.no_grad()
def stepped_ids(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, count: int, temperature: float, seeds: Sequence[int]
) -> Iterator[list[int | None]]:
    """Step by step the new token of each row, None where the row has come to an end-of-text token."""
    ends = _end_ids(model)
    # Drawn on the CPU, so that a seed means the same tokens on every device; one generator a row, so that a row's
    # tokens do not depend on its neighbours.
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    given = Tokens.from_rows(prompts, left=True).to(model.device)
    ids, mask, cache = given.ids, given.mask, None
    padded, name = not bool(mask.all()), cache_name(model)
    going = [True] * len(prompts)
    for _ in range(count):
        where = _places(mask, ids) if padded else {}
        step: Any = model(input_ids=ids, **{name: cache}, use_cache=True, logits_to_keep=1, **where)
        cache = step[name]
        logits = _finite(step.logits[:, -1].float().cpu())
        tokens = [_choose(row, temperature, generator) for row, generator in zip(logits, generators, strict=True)]
        going = [on and token not in ends for on, token in zip(going, tokens, strict=True)]
        if not any(going):
            break
        yield [token if on else None for on, token in zip(going, tokens, strict=True)]
        ids = torch.tensor(tokens, device=model.device).unsqueeze(1)
        mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1) if padded else mask


def _places(mask: Tensor, ids: Tensor) -> dict[str, Tensor]:
    """What a padded batch must be told; without padding the plain causal kernel runs."""
    positions = (mask.long().cumsum(1) - 1).clamp(min=0)
    return {"attention_mask": mask, "position_ids": positions[:, -ids.shape[1] :]}


def _finite(logits: Tensor) -> Tensor:
    if not bool(torch.isfinite(logits.amax())):
        raise ModelError(
            expected="finite logits",
            got="infinity or NaN",
            do="lower the strength of the edits, or open the model in a wider dtype",
        )
    return logits


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
