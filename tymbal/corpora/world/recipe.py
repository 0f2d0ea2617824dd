"""How the bundled model is trained: the options of `tymbal world train`, readable without torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorldTraining:
    """How the bundled model is trained."""

    tokens: int = 26_000_000
    """tokens to train on, padding not counted"""
    batch_tokens: int = 4_096
    """tokens a step, padding counted; at least the context of 256"""
    learning_rate: float = 4e-3
    """full rate of AdamW: embedding and norms"""
    matrix_rate: float = 4e-3
    """full rate of Muon: the matrices of the blocks"""
    warmup_steps: int = 200
    """steps of linear warm-up"""
    decay: float = 0.25
    """share of the tokens over which the rate falls to zero"""
    shard_documents: int = 20_000
    """documents generated at a time"""
    checkpoint_steps: int = 100
    """steps between checkpoints"""
    seed: int = 0
    """seed of the world, the documents and the initial weights"""
    device: str = "cpu"
    """where to train; products in bf16 everywhere"""
    compiled: bool = True
    """fuse the arithmetic with `torch.compile` where it works; without it training takes half as long again"""

    def __post_init__(self) -> None:
        if min(self.tokens, self.batch_tokens, self.shard_documents, self.checkpoint_steps) < 1:
            raise ValueError("expected positive sizes; got one below 1; raise it")
        if self.batch_tokens < 256:
            raise ValueError(f"expected --batch-tokens of at least 256; got {self.batch_tokens}; raise it")
        if not 0 <= self.decay <= 1:
            raise ValueError(f"expected a decay share from 0 to 1; got {self.decay}; choose one")
