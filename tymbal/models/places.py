"""Where the tokens of a forward pass stand in their rows, for edits that depend on it.

Hooks on the model and on its bare backbone see what these are called with, whoever calls them: this library's own
loops, transformers' `generate`, or any other code. From the mask and the cache follow each token's position (from 0,
over real tokens), whether it is padding, and whether it was generated: what comes into a filled cache was. Code that
runs the whole row anew for each token has no cache; it must say how many tokens of each row are the prompt.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True, eq=False)
class TokenPlaces:
    """The places of the tokens of one forward pass, cached tokens not among them."""

    positions: Int[Tensor, "batch token"]
    """Counted from 0 over the real tokens of the row; 0 at padding on the left."""
    real: Bool[Tensor, "batch token"]
    """False for padding."""
    generated: Bool[Tensor, "batch token"]
    """False for the prompt."""
    padded: bool
    """Whether any token is padding."""


class PlaceFinder:
    """Knows the places of the forward pass that runs."""

    def __init__(self, prompt: int | None) -> None:
        """`prompt` counts each row's real tokens that are the prompt; None asks the cache."""
        self._prompt = prompt
        self._given: dict[str, Any] = {}
        self._outer_mask: Any = None
        self._cached = 0
        self._places: TokenPlaces | None = None

    def attach(self, model: nn.Module, backbone: nn.Module) -> list[RemovableHandle]:
        """Watch the model and its backbone, which may be one."""
        handles = [_before(backbone, self._enter)]
        return handles if model is backbone else [_before(model, self._note_mask), *handles]

    def _note_mask(self, given: dict[str, Any]) -> None:
        # Some models hand their backbone a mask from which padding can no longer be told.
        self._outer_mask = given.get("attention_mask")

    def _enter(self, given: dict[str, Any]) -> None:
        outer, self._outer_mask = self._outer_mask, None
        self._given = given if outer is None else {**given, "attention_mask": outer}
        # Asked now, since the first block will have filled the cache when the first edit asks.
        cache = given.get("past_key_values")
        self._cached = 0 if cache is None else int(cache.get_seq_length())
        self._places = None

    @property
    def places(self) -> TokenPlaces:
        """Of the forward pass that runs, worked out when first asked for."""
        if self._places is None:
            self._places = token_places(self._given, self._cached, self._prompt)
        return self._places


def _before(module: nn.Module, take: Callable[[dict[str, Any]], None]) -> RemovableHandle:
    signature = inspect.signature(module.forward)

    def hook(_module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        take(dict(signature.bind_partial(*arguments, **named).arguments) if arguments else named)

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def token_places(given: dict[str, Any], before: int, prompt: int | None) -> TokenPlaces:
    """The places that follow from the arguments of a backbone's forward and how many tokens the cache held."""
    tokens = given.get("input_ids")
    tokens = given["inputs_embeds"] if tokens is None else tokens
    batch, new = tokens.shape[:2]
    mask, told = given.get("attention_mask"), given.get("position_ids")
    plain = mask if isinstance(mask, Tensor) and mask.ndim == 2 else None
    real = torch.ones(batch, new, dtype=torch.bool, device=tokens.device)
    padded = plain is not None and not bool(plain.all())
    if plain is not None and padded:
        # A static cache's mask may be longer than what it holds so far.
        plain = plain[:, : before + new].bool()
        positions, real = (plain.long().cumsum(1) - 1).clamp(min=0)[:, -new:], plain[:, -new:]
    elif told is not None and mask is not None and plain is None:
        # Packed rows come with a mask of another form, and with positions that restart in each passage.
        positions = told.expand(batch, new)
    else:
        positions = torch.arange(before, before + new, device=tokens.device).expand(batch, new)
    generated = positions >= prompt if prompt is not None else torch.full_like(real, before > 0)
    return TokenPlaces(positions, real, generated, padded)
