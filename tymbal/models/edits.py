"""Hooks at sites: how activations are read and edited while a model runs.

A hook gets the activation at its site and returns a new one, or None to leave it. PyTorch runs the hooks of a module in
the order in which they were attached, so edits apply in the order given, outer `edited` blocks before inner ones, and a
read, attached last, sees what the edits made.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from tymbal.models.sites import SiteKind

Hook = Callable[[Tensor], Tensor | None]


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


def attach(module: nn.Module, kind: SiteKind, hook: Hook) -> RemovableHandle:
    """Call `hook` at what enters the module (`resid_pre`) or leaves it (all other kinds)."""
    if kind is SiteKind.RESID_PRE:

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


def as_hook(edit: Edit) -> Hook:
    """The edit as a hook; raises `ValueError` when the edit returns another shape."""

    def apply(activation: Tensor) -> Tensor:
        changed = edit(activation)
        if changed.shape != activation.shape:
            raise ValueError(
                f"an edit at {edit.site} must return the shape {tuple(activation.shape)}, got {tuple(changed.shape)}"
            )
        return changed.to(activation.dtype)

    return apply
