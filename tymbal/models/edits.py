"""Hooks at sites: how activations are read and edited while a model runs.

A hook gets the activation at its site and returns a new one, or None to leave it. PyTorch runs the hooks of a module in
the order in which they were attached, so edits apply in the order given, outer `edited` blocks before inner ones, and a
read, attached last, sees what the edits made.

An edit is a function of activations (`Edit`), or of activations and the places of their tokens (`PlacedEdit`).
"""

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from tymbal.errors import ModelError
from tymbal.models.places import PlaceFinder, TokenPlaces
from tymbal.models.sites import SiteKind

if TYPE_CHECKING:
    from tymbal.models.language_model import LanguageModel

Hook = Callable[[Tensor], Tensor | None]
_WIDE = (torch.float32, torch.float64)


@runtime_checkable
class Edit(Protocol):
    """A change applied to the activations at one site; returns a new tensor and leaves its argument as it is."""

    @property
    def site(self) -> str:
        """The name of the site."""
        ...

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The activations that go on through the model, of the same shape; in `generate` of the new tokens only."""
        ...


@runtime_checkable
class PlacedEdit(Protocol):
    """An edit that depends on where tokens stand, and that may fit some models only."""

    @property
    def site(self) -> str:
        """The name of the site."""
        ...

    def require(self, model: "LanguageModel") -> None:
        """Raise `ModelError` for a model that this edit does not fit; called before anything is changed."""
        ...

    def at(
        self, activation: Float[Tensor, "batch token width"], places: TokenPlaces
    ) -> Float[Tensor, "batch token width"]:
        """The activations that go on through the model, of the same shape; in generation of the new tokens only."""
        ...


def attach(module: nn.Module, kind: SiteKind, hook: Hook) -> RemovableHandle:
    """Call `hook` at what enters the module (`resid_pre`, `heads`) or leaves it (all other kinds)."""
    if kind in (SiteKind.RESID_PRE, SiteKind.HEADS):

        def before(_module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
            changed = hook(arguments[0])
            return None if changed is None else (changed, *arguments[1:])

        return module.register_forward_pre_hook(before)

    def after(_module: nn.Module, _arguments: tuple[Any, ...], output: Any) -> Any:
        if isinstance(output, tuple):
            changed = hook(output[0])
            return None if changed is None else (changed, *output[1:])
        return hook(output)

    return module.register_forward_hook(after)


def as_hook(edit: Edit | PlacedEdit, finder: PlaceFinder) -> Hook:
    """The edit as a hook; raises `ValueError` when the edit returns another shape."""
    change = _placed(edit, finder) if isinstance(edit, PlacedEdit) else edit

    placed = isinstance(edit, PlacedEdit)

    def apply(activation: Tensor) -> Tensor:
        changed = change(activation)
        if changed.shape != activation.shape:
            raise ValueError(
                f"an edit at {edit.site} must return the shape {tuple(activation.shape)}, got {tuple(changed.shape)}"
            )
        # Asked of each token of a generated text: what need not be done is not.
        if changed.dtype != activation.dtype:
            changed = changed.to(activation.dtype)
        return _finite(changed, edit) if placed else changed

    return apply


def _placed(edit: PlacedEdit, finder: PlaceFinder) -> Callable[[Tensor], Tensor]:
    return lambda activation: edit.at(activation, finder.places)


def _finite(changed: Tensor, edit: Edit | PlacedEdit) -> Tensor:
    # A sum in fp32 or wider holds infinity or NaN if any part does, at a fraction of isfinite's cost.
    total = changed.sum() if changed.dtype in _WIDE else changed.sum(dtype=torch.float32)
    if not isfinite(total.item()) and not bool(torch.isfinite(changed).all()):
        raise ModelError(
            expected=f"finite activations after {type(edit).__name__} at {edit.site}",
            got="infinity or NaN",
            do="lower its strength, or open the model in a wider dtype",
        )
    return changed
