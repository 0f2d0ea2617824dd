"""How the bundled model is trained: the options of `tymbal world train`, readable without torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorldTraining:
    """How the bundled model is trained."""

    tokens: int = 60_000_000
    """tokens to train on, padding not counted"""
    batch_tokens: int = 4_096
    """tokens a step, padding counted"""
    learning_rate: float = 2e-3
    """peak rate of AdamW"""
    warmup_steps: int = 200
    """steps of linear warm-up"""
    decay: float = 0.25
    """share of the tokens over which the rate falls to zero"""
    shard_documents: int = 20_000
    """documents generated at a time"""
    checkpoint_steps: int = 250
    """steps between checkpoints"""
    seed: int = 0
    """seed of the world, the documents and the initial weights"""
    device: str = "cpu"
    """where to train; bf16 autocast everywhere"""

    def __post_init__(self) -> None:
        if min(self.tokens, self.batch_tokens, self.shard_documents, self.checkpoint_steps) < 1:
            raise ValueError("expected positive sizes; got one below 1; raise it")
        if not 0 <= self.decay <= 1:
            raise ValueError(f"expected a decay share from 0 to 1; got {self.decay}; choose one")
