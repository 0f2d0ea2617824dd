"""Dictionaries: sparse features of a model's activations, trained, saved and judged."""

from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.bootstrap import Number
from tymbal.dictionaries.concepts import ConceptConfig, ConceptEvaluation, ConceptScore, evaluate_concepts
from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.conversion import convert_dictionary
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.edits import MeanAblation, Splice, ZeroAblation
from tymbal.dictionaries.ends import Ends, Part, Target
from tymbal.dictionaries.evaluation import Evaluation, EvaluationConfig, evaluate
from tymbal.dictionaries.files import KINDS, load_dictionary, require_width
from tymbal.dictionaries.findings import Finding
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU, as_jumprelu
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.relu import ReLU
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
    "Ends",
    "Evaluation",
    "EvaluationConfig",
    "Finding",
    "Gated",
    "JumpReLU",
    "Matryoshka",
    "MeanAblation",
    "Number",
    "Part",
    "ReLU",
    "Splice",
    "Target",
    "TopK",
    "TrainingConfig",
    "ZeroAblation",
    "as_jumprelu",
    "convert_dictionary",
    "evaluate",
    "evaluate_concepts",
    "load_dictionary",
    "require_width",
    "train",
]
