"""The key-value cache's name in a forward pass: `cache`, or `past_key_values` before transformers 5.24."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

NAMES = ("cache", "past_key_values")


def cache_name(model: nn.Module) -> str:
    """What this model's forward calls the cache, as an argument and in what it returns."""
    known = inspect.signature(model.forward).parameters
    return next(name for name in NAMES if name in known)


def given_cache(arguments: Mapping[str, Any]) -> Any:
    """The cache among a forward pass's arguments, whichever way it was named; None where there is none."""
    return next((arguments[name] for name in NAMES if arguments.get(name) is not None), None)
