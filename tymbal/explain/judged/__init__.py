"""Explanations put to judges: scorers that ask a language model, or an encoder, beside their baselines."""

from tymbal.explain.judged.detection import Detection
from tymbal.explain.judged.embedding import Embedding, Encoder
from tymbal.explain.judged.fuzzing import Fuzzing
from tymbal.explain.judged.intruder import Intruder
from tymbal.explain.judged.judging import (
    JUDGED,
    JudgeConfig,
    Panel,
    chosen_features,
    identity_of,
    judge_features,
    require_other_judge,
)
from tymbal.explain.judged.rubric import Rubric
from tymbal.explain.judged.scorer import Case, ScoreConfig, Scorer, Verdict
from tymbal.explain.judged.simulation import Simulation
from tymbal.explain.judged.surprisal import Surprisal

JUDGES = {scorer.name: scorer for scorer in (Detection, Fuzzing, Simulation, Intruder, Rubric, Surprisal)}
"""scorers that ask a language model, by name"""

__all__ = [
    "JUDGED",
    "JUDGES",
    "Case",
    "Detection",
    "Embedding",
    "Encoder",
    "Fuzzing",
    "Intruder",
    "JudgeConfig",
    "Panel",
    "Rubric",
    "ScoreConfig",
    "Scorer",
    "Simulation",
    "Surprisal",
    "Verdict",
    "chosen_features",
    "identity_of",
    "judge_features",
    "require_other_judge",
]
