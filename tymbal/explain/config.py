"""How features are explained and how explanations are scored."""

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int, str], None]
"""called with units done, units in all, and the unit"""


@dataclass(frozen=True, kw_only=True)
class PredicateConfig:
    """How the predicate explainer searches."""

    least: float = 0.2
    """agreement (chance-corrected, 1 is perfect) below which a feature is called unclear"""
    support: int = 3
    """active tokens that a description must hold for"""
    members: int = 8
    """values that one description may name"""
    penalty: float = 0.04
    """agreement that a description must gain for as much length as it takes to pick one of all that can be named"""
    breadth: int = 16
    """descriptions that conjunctions begin with"""
    trials: int = 200
    """conjunctions of a feature that are counted exactly, at most, the most promising first"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("support", "members", "breadth", "trials"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("least", "penalty"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, not {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class ExplainConfig:
    """How explanations are made and scored."""

    tokens: int = 1 << 18
    """tokens of the explain passages, and of the score passages, that are read at most"""
    baseline_features: int = 256
    """random directions, and neurons, that are explained and scored beside the features"""
    draws: int = 500
    """resamples of the score passages for each interval"""
    seed: int = 0
    """of the random directions, of which of them are taken, of shuffling and of resampling"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, least in (("tokens", 1), ("draws", 1), ("baseline_features", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
