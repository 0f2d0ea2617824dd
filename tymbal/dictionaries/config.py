"""How a dictionary is trained: what the loss is made of, how steps descend, how dead features come back.

Saved in the dictionary's `config.json` as one flat table, so that each setting has one name there.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["topk", "batch_topk", "matryoshka", "jumprelu", "gated", "relu"]
PARTS = ("objective", "descent", "revival")
RATE, RATE_FEATURES, MOST_RATE = 6e-3, 4096, 1.2e-2
"""The learning rate at 4,096 features; it falls with the root of their number (Gao et al. 2024, appendix A.3)."""
PATIENCE, MOST_PATIENCE = 0.05, 10_000_000
"""A dead feature has not fired for this share of a run, and 10 million tokens at most (Gao et al. 2024)."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What a kind's loss is made of besides the error."""

    sparsity: float | None = None
    """Coefficient of the penalty of relu, gated and jumprelu; None: adjusted so that k features are active."""
    penalty: Literal["l0", "tanh"] = "l0"
    """Penalty of jumprelu: the number of active features, or the tanh of their values."""
    bandwidth: float = 0.3
    """Width of the window around jumprelu's thresholds from which they learn, in units of training rows."""
    multi_topk: bool = False
    """Whether topk and batch_topk are also trained to reconstruct with 4k features."""
    prefixes: tuple[int, ...] = ()
    """Ends of a matryoshka's nested prefixes, rising to all features; none: a 16th, a quarter, all."""

    def __post_init__(self) -> None:
        _require_above_zero(self, "bandwidth")
        if self.sparsity is not None and self.sparsity < 0:
            raise ValueError(f"expected sparsity of at least 0; got {self.sparsity}; leave it out to reach k")


@dataclass(frozen=True, kw_only=True)
class Descent:
    """How the steps go down."""

    learning_rate: float | None = None
    """Adam's learning rate, reached after warm-up; None: what suits the number of features (`rate`)."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises linearly."""
    decay: float = 0.4
    """Share of the steps, at the end, in which the learning rate falls linearly to zero."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Number format of what a step gathers and sums; selection, parameters and Adam stay in fp32."""

    def __post_init__(self) -> None:
        if self.learning_rate is not None:
            _require_above_zero(self, "learning_rate")
        if not (0 <= self.warmup <= 1 and 0 <= self.decay <= 1 and self.warmup + self.decay <= 1):
            raise ValueError(
                f"expected warmup and decay as shares that sum to at most 1; got {self.warmup} and {self.decay}; "
                "lower one"
            )

    def rate(self, features: int) -> float:
        """The learning rate for so many features: the fewer, the more of a step's rows teach each of them."""
        return self.learning_rate or min(MOST_RATE, RATE * (RATE_FEATURES / features) ** 0.5)


@dataclass(frozen=True, kw_only=True)
class Revival:
    """How dead features come back."""

    aux: float = 1 / 32
    """Weight of AuxK, the loss in which dead features reconstruct what is left over; 0 turns it off."""
    dead_after: int | None = None
    """A feature that has not fired for this many tokens is dead; None: a twentieth of the run, 10 million at most."""
    lift: float = 0.3
    """How far a dead feature's bias rises in a step, as a share of the lowest values kept, where features compete."""
    resample_every: int = 0
    """Tokens between replacements of dead features by badly reconstructed rows; 0: none, AuxK alone revives."""

    def __post_init__(self) -> None:
        if self.dead_after is not None:
            _require_above_zero(self, "dead_after")
        if self.resample_every < 0:
            raise ValueError(f"expected resample_every of at least 0; got {self.resample_every}; use 0 for never")
        for name in ("aux", "lift"):
            if getattr(self, name) < 0:
                raise ValueError(f"expected {name} of at least 0; got {getattr(self, name)}; use 0 to turn it off")

    def patience(self, tokens: int) -> int:
        """Tokens without firing from which a feature is dead, in a run of so many tokens."""
        return self.dead_after or max(1, min(MOST_PATIENCE, round(PATIENCE * tokens)))


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a dictionary is trained."""

    kind: Kind = "topk"
    """Architecture: topk keeps k features a token, every other k on average."""
    features: int
    """Number of features."""
    k: int = 32
    """Active features a token; relu, gated and jumprelu are led there by adjusting their penalty."""
    epochs: float = 6.0
    """Passes over the activations."""
    batch: int = 4096
    """Tokens a step."""
    objective: Objective = field(default_factory=Objective)
    """What the loss is made of besides the error."""
    descent: Descent = field(default_factory=Descent)
    """How the steps go down."""
    revival: Revival = field(default_factory=Revival)
    """How dead features come back."""
    seed: int = 0
    """Seed of the first directions."""
    checkpoint_every: int = 250
    """Steps between checkpoints."""

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.features:
            raise ValueError(f"expected k between 1 and features ({self.features}); got k = {self.k}; lower k")
        _require_above_zero(self, "epochs", "batch", "checkpoint_every")
        if self.objective.multi_topk and self.kind not in ("topk", "batch_topk"):
            raise ValueError(f"expected kind topk or batch_topk with multi_topk; got {self.kind}; turn multi_topk off")
        if self.objective.prefixes and self.kind != "matryoshka":
            raise ValueError(f"expected kind matryoshka with prefixes; got {self.kind}; leave prefixes out")

    def to_json(self) -> dict[str, Any]:
        """What `config.json` says under `training`: all settings in one table."""
        table = asdict(self)
        for part in PARTS:
            table |= table.pop(part)
        return table | {"prefixes": list(self.objective.prefixes)}

    def steps(self, rows: int) -> int:
        """Steps that `epochs` passes over `rows` activations take."""
        return max(1, round(self.epochs * rows / self.batch))


def _require_above_zero(config: Any, *names: str) -> None:
    for name in names:
        if getattr(config, name) <= 0:
            raise ValueError(f"expected {name} above 0; got {getattr(config, name)}; raise it")
