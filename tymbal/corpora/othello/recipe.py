"""How the Othello model is trained: the options of `tymbal othello train`, readable without torch."""

from dataclasses import dataclass

from tymbal.corpora.othello.board import PLIES

HEAD = 16
"""Units of an attention head."""


@dataclass(frozen=True, kw_only=True)
class OthelloTraining:
    """How the Othello model, and the one-layer model beside it, are trained."""

    tokens: int = 44_000_000
    """tokens to train on, about 33 a game"""
    chances: bool = True
    """learn at each move from the chances of every legal move; otherwise, as Li et al. did, from the move drawn"""
    layers: int = 8
    """blocks"""
    width: int = 128
    """units of the residual stream; a head has 16"""
    batch_tokens: int = 4_096
    """tokens a step"""
    learning_rate: float = 4e-3
    """full rate of AdamW: embedding and norms"""
    matrix_rate: float = 4e-3
    """full rate of Muon: the matrices of the blocks"""
    warmup_steps: int = 200
    """steps of linear warm-up"""
    decay: float = 0.5
    """share of the tokens over which the rate falls to zero"""
    checkpoint_steps: int = 200
    """steps between checkpoints"""
    seed: int = 0
    """seed of the games and the initial weights"""
    device: str = "cpu"
    """where to train; products in bf16 everywhere"""
    compiled: bool = True
    """fuse the arithmetic with `torch.compile` where it works"""

    def __post_init__(self) -> None:
        if min(self.tokens, self.layers, self.width, self.checkpoint_steps) < 1:
            raise ValueError("expected positive sizes; got one below 1; raise it")
        if self.width % HEAD:
            raise ValueError(f"expected --width to be a multiple of {HEAD}; got {self.width}; round it")
        if self.batch_tokens < PLIES:
            raise ValueError(f"expected --batch-tokens of at least {PLIES}, a game; got {self.batch_tokens}; raise it")
        if not 0 <= self.decay <= 1:
            raise ValueError(f"expected a decay share from 0 to 1; got {self.decay}; choose one")
