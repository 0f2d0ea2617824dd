"""Dictionaries: sparse features of a model's activations, trained, saved and judged."""

from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.bootstrap import Number
from tymbal.dictionaries.concepts import ConceptConfig, ConceptEvaluation, ConceptScore, evaluate_concepts
from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.edits import MeanAblation, Splice, ZeroAblation
from tymbal.dictionaries.evaluation import Evaluation, EvaluationConfig, evaluate
from tymbal.dictionaries.files import KINDS, load_dictionary, require_width
from tymbal.dictionaries.findings import Finding
from tymbal.dictionaries.topk import TopK
from tymbal.dictionaries.training import train

__all__ = [
    "KINDS",
    "BatchTopK",
    "Codes",
    "ConceptConfig",
    "ConceptEvaluation",
    "ConceptScore",
    "Dictionary",
    "Evaluation",
    "EvaluationConfig",
    "Finding",
    "MeanAblation",
    "Number",
    "Splice",
    "TopK",
    "TrainingConfig",
    "ZeroAblation",
    "evaluate",
    "evaluate_concepts",
    "load_dictionary",
    "require_width",
    "train",
]
