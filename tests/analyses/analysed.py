"""Coded text with planted features."""

import numpy as np
from scipy import sparse

from tymbal.analyses import Coded

PASSAGE = 50


def coded(values: np.ndarray, *, tokens: np.ndarray | None = None) -> Coded:
    """Codes of passages of 50 tokens, whose roles are explain, score, show in turn."""
    rows = np.arange(len(values))
    passage = rows // PASSAGE
    return Coded(
        codes=sparse.csr_array(values.astype(np.float32)),
        token=(np.zeros(len(values)) if tokens is None else tokens).astype(np.int32),
        passage=passage.astype(np.int64),
        position=(rows % PASSAGE + 1).astype(np.int32),
        role=(1 + passage % 3).astype(np.int32),
    )


def sparse_features(rows: int, features: int, *, seed: int, share: float = 0.05) -> np.ndarray:
    """Features that fire at random."""
    generator = np.random.default_rng(seed)
    return generator.gamma(2.0, 1.0, (rows, features)) * (generator.random((rows, features)) < share)


def called(feature: int) -> str:
    """A feature's name."""
    return f"f{feature}"
