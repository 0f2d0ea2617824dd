"""Dictionaries: sparse features of a model's activations, trained, saved and judged."""

from tymbal.dictionaries.batch_topk import BatchTopK
from tymbal.dictionaries.bootstrap import Number
from tymbal.dictionaries.concepts import ConceptConfig, ConceptEvaluation, ConceptScore, evaluate_concepts
from tymbal.dictionaries.config import Descent, Objective, Revival, TrainingConfig
from tymbal.dictionaries.conversion import convert_dictionary
from tymbal.dictionaries.curve import draw_curve
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.edits import MeanAblation, Splice, ZeroAblation
from tymbal.dictionaries.ends import Ends, Part, Target
from tymbal.dictionaries.evaluation import Evaluation, EvaluationConfig, evaluate
from tymbal.dictionaries.files import KINDS, load_dictionary, require_width
from tymbal.dictionaries.findings import Finding
from tymbal.dictionaries.gated import Gated
from tymbal.dictionaries.jumprelu import JumpReLU, as_jumprelu
from tymbal.dictionaries.latent_scaling import LatentScaling, Scaling
from tymbal.dictionaries.loggers import Logger, TensorBoard, WeightsAndBiases
from tymbal.dictionaries.matryoshka import Matryoshka
from tymbal.dictionaries.relu import ReLU
from tymbal.dictionaries.sources import SideBySide
from tymbal.dictionaries.topk import TopK
from tymbal.dictionaries.training import Run, train, train_many

__all__ = [
    "KINDS",
    "BatchTopK",
    "Codes",
    "ConceptConfig",
    "ConceptEvaluation",
    "ConceptScore",
    "Descent",
    "Dictionary",
    "Ends",
    "Evaluation",
    "EvaluationConfig",
    "Finding",
    "Gated",
    "JumpReLU",
    "LatentScaling",
    "Logger",
    "Matryoshka",
    "MeanAblation",
    "Number",
    "Objective",
    "Part",
    "ReLU",
    "Revival",
    "Run",
    "Scaling",
    "SideBySide",
    "Splice",
    "Target",
    "TensorBoard",
    "TopK",
    "TrainingConfig",
    "WeightsAndBiases",
    "ZeroAblation",
    "as_jumprelu",
    "convert_dictionary",
    "draw_curve",
    "evaluate",
    "evaluate_concepts",
    "load_dictionary",
    "require_width",
    "train",
    "train_many",
]
