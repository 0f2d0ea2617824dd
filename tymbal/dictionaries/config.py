"""How a dictionary is trained: one dataclass, saved in the dictionary's `config.json`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a dictionary is trained."""

    kind: Literal["topk", "batch_topk"] = "topk"
    """Architecture: topk keeps k features a token, batch_topk k on average."""
    features: int
    """Number of features."""
    k: int = 32
    """Active features a token."""
    epochs: float = 6.0
    """Passes over the activations."""
    batch: int = 4096
    """Tokens a step."""
    learning_rate: float = 2e-3
    """Adam's learning rate, reached after warm-up."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises linearly."""
    decay: float = 0.4
    """Share of the steps, at the end, in which the learning rate falls linearly to zero."""
    aux: float = 1 / 32
    """Weight of AuxK, the loss that revives dead features; 0 turns it off."""
    dead_after: int = 300_000
    """A feature that has not fired for this many tokens is dead."""
    seed: int = 0
    """Seed of the first directions."""
    checkpoint_every: int = 250
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.features:
            raise ValueError(f"expected k between 1 and features ({self.features}); got k = {self.k}; lower k")
        for name in ("epochs", "batch", "learning_rate", "dead_after", "checkpoint_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"expected {name} above 0; got {getattr(self, name)}; raise it")
        if not (0 <= self.warmup <= 1 and 0 <= self.decay <= 1 and self.warmup + self.decay <= 1):
            raise ValueError(
                f"expected warmup and decay as shares that sum to at most 1; got {self.warmup} and {self.decay}; "
                "lower one"
            )
        if self.aux < 0:
            raise ValueError(f"expected aux of at least 0; got {self.aux}; use 0 to turn it off")

    def steps(self, rows: int) -> int:
        """Steps that `epochs` passes over `rows` activations take."""
        return max(1, round(self.epochs * rows / self.batch))
