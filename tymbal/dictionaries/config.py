"""How a dictionary is trained: one dataclass, saved in the dictionary's `config.json`."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["topk", "batch_topk", "matryoshka", "jumprelu", "gated", "relu"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a dictionary is trained."""

    kind: Kind = "topk"
    """Architecture: topk keeps k features a token, every other k on average."""
    features: int
    """Number of features."""
    k: int = 32
    """Active features a token; relu, gated and jumprelu are led there by adjusting their penalty."""
    sparsity: float | None = None
    """Coefficient of the penalty of relu, gated and jumprelu; None: adjusted so that k features are active."""
    prefixes: tuple[int, ...] = ()
    """Ends of a matryoshka's nested prefixes, rising to all features; none: a 16th, a quarter, all."""
    multi_topk: bool = False
    """Whether topk and batch_topk are also trained to reconstruct with 4k features."""
    penalty: Literal["l0", "tanh"] = "l0"
    """Penalty of jumprelu: the number of active features, or the tanh of their values."""
    bandwidth: float = 0.3
    """Width of the window around jumprelu's thresholds from which they learn, in units of training rows."""
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
    resample_every: int = 0
    """Tokens between replacements of dead features by badly reconstructed rows; 0: none, AuxK alone revives."""
    seed: int = 0
    """Seed of the first directions."""
    checkpoint_every: int = 250
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.features:
            raise ValueError(f"expected k between 1 and features ({self.features}); got k = {self.k}; lower k")
        for name in ("epochs", "batch", "learning_rate", "bandwidth", "dead_after", "checkpoint_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"expected {name} above 0; got {getattr(self, name)}; raise it")
        if not (0 <= self.warmup <= 1 and 0 <= self.decay <= 1 and self.warmup + self.decay <= 1):
            raise ValueError(
                f"expected warmup and decay as shares that sum to at most 1; got {self.warmup} and {self.decay}; "
                "lower one"
            )
        if self.sparsity is not None and self.sparsity < 0:
            raise ValueError(f"expected sparsity of at least 0; got {self.sparsity}; leave it out to reach k")
        if self.resample_every < 0:
            raise ValueError(f"expected resample_every of at least 0; got {self.resample_every}; use 0 for never")
        if self.multi_topk and self.kind not in ("topk", "batch_topk"):
            raise ValueError(f"expected kind topk or batch_topk with multi_topk; got {self.kind}; turn multi_topk off")
        if self.prefixes and self.kind != "matryoshka":
            raise ValueError(f"expected kind matryoshka with prefixes; got {self.kind}; leave prefixes out")
        if self.aux < 0:
            raise ValueError(f"expected aux of at least 0; got {self.aux}; use 0 to turn it off")

    def to_json(self) -> dict[str, Any]:
        """What `config.json` says under `training`."""
        return asdict(self) | {"prefixes": list(self.prefixes)}

    def steps(self, rows: int) -> int:
        """Steps that `epochs` passes over `rows` activations take."""
        return max(1, round(self.epochs * rows / self.batch))
