"""What every recipe says, readable without torch; each kind of text adds its own."""

from typing import Any, ClassVar, Protocol, runtime_checkable


@runtime_checkable
class Recipe(Protocol):
    """How a small Llama is trained: the options that do not depend on what it reads. Recipes are dataclasses."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def tokens(self) -> int:
        """Tokens to train on, padding not counted."""
        ...

    @property
    def batch_tokens(self) -> int:
        """Tokens a step, padding counted."""
        ...

    @property
    def learning_rate(self) -> float:
        """Full rate of AdamW: embedding and norms."""
        ...

    @property
    def matrix_rate(self) -> float:
        """Full rate of Muon: the matrices of the blocks."""
        ...

    @property
    def warmup_steps(self) -> int:
        """Steps of linear warm-up."""
        ...

    @property
    def decay(self) -> float:
        """Share of the tokens over which the rate falls to zero."""
        ...

    @property
    def checkpoint_steps(self) -> int:
        """Steps between checkpoints."""
        ...

    @property
    def device(self) -> str:
        """Where to train; products in bf16 everywhere."""
        ...

    @property
    def compiled(self) -> bool:
        """Fuse the arithmetic with `torch.compile` where it works."""
        ...
