"""Where the tokens of a forward pass stand in their rows, for edits that depend on it.

Hooks on the model and on its bare backbone see what these are called with, whoever calls them: this library's own
loops, transformers' `generate`, or any other code. From the mask and the cache follow each token's position (from 0,
over real tokens), whether it is padding, and whether it was generated: what comes into a filled cache was. Code that
runs the whole row anew for each token has no cache; it must say how many tokens of each row are the prompt.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from tymbal.models.cache import given_cache


class TokenPlaces:
    """The places of the tokens of one forward pass, cached tokens not among them; worked out as they are asked for."""

    def __init__(self, given: dict[str, Any], cached: int, prompt: int | Sequence[int] | None) -> None:
        """From the arguments of a backbone's forward, how many tokens the cache held, and each row's prompt tokens."""
        tokens = given.get("input_ids")
        self._tokens: Tensor = given["inputs_embeds"] if tokens is None else tokens
        self._batch, self._new = self._tokens.shape[:2]
        self._cached = cached
        self._prompt = prompt
        self._mask, self._told = given.get("attention_mask"), given.get("position_ids")

    @cached_property
    def padded(self) -> bool:
        """Whether any token of the row, cached ones among them, is padding."""
        return self._plain is not None and not bool(self._plain.all())

    @cached_property
    def positions(self) -> Int[Tensor, "batch token"]:
        """Counted from 0 over the real tokens of the row; 0 at padding on the left."""
        if self._plain is not None and self.padded:
            return (self._plain.long().cumsum(1) - 1).clamp(min=0)[:, -self._new :]
        if self._told is not None and self._mask is not None and self._plain is None:
            # Packed rows come with a mask of another form, and with positions that restart in each passage.
            return self._told.expand(self._batch, self._new)
        counted = torch.arange(self._cached, self._cached + self._new, device=self._tokens.device)
        return counted.expand(self._batch, self._new)

    @cached_property
    def real(self) -> Bool[Tensor, "batch token"]:
        """False for padding."""
        if self._plain is not None:
            return self._plain[:, -self._new :]
        return torch.ones(self._batch, self._new, dtype=torch.bool, device=self._tokens.device)

    @cached_property
    def generated(self) -> Bool[Tensor, "batch token"]:
        """False for the prompt."""
        if isinstance(self._prompt, int):
            return self.positions >= self._prompt
        if self._prompt is not None:
            return self.positions >= torch.tensor(self._prompt, device=self._tokens.device).unsqueeze(1)
        return torch.full_like(self.real, self._cached > 0)

    @cached_property
    def _plain(self) -> Bool[Tensor, "batch held"] | None:
        """The mask of the tokens held so far, where it is told by token; a static cache's may be longer than that."""
        if not isinstance(self._mask, Tensor) or self._mask.ndim != 2:
            return None
        return self._mask[:, : self._cached + self._new].bool()


class PlaceFinder:
    """Knows the places of the forward pass that runs."""

    def __init__(self, prompt: int | Sequence[int] | None) -> None:
        """`prompt` counts each row's real tokens that are the prompt, one number for all or one a row; None asks the
        cache."""
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
        cache = given_cache(given)
        self._cached = 0 if cache is None else int(cache.get_seq_length())
        self._places = None

    @property
    def places(self) -> TokenPlaces:
        """Of the forward pass that runs, worked out when first asked for."""
        if self._places is None:
            self._places = TokenPlaces(self._given, self._cached, self._prompt)
        return self._places


def _before(module: nn.Module, take: Callable[[dict[str, Any]], None]) -> RemovableHandle:
    signature = inspect.signature(module.forward)

    def hook(_module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        take(dict(signature.bind_partial(*arguments, **named).arguments) if arguments else named)

    return module.register_forward_pre_hook(hook, with_kwargs=True)
