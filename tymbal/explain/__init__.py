"""Features put into words, and the words put to the test."""

from tymbal.explain.activity import Activity
from tymbal.explain.chat_explainer import ChatConfig, ChatExplainer
from tymbal.explain.config import ExplainConfig, PredicateConfig
from tymbal.explain.evidence import Evidence
from tymbal.explain.explainer import Explainer
from tymbal.explain.explaining import Subject, explain_features
from tymbal.explain.explanation import UNCLEAR, Explanation, unclear
from tymbal.explain.intervention import InterventionConfig, intervene
from tymbal.explain.naming import Told
from tymbal.explain.predicate import Predicate, parse_predicate
from tymbal.explain.predicates import PredicateExplainer
from tymbal.explain.single_token import TokenExplainer
from tymbal.explain.tables import ExplanationFolder, Explanations, open_explanations
from tymbal.explain.text import Text
from tymbal.explain.windows import Window, WindowReader

__all__ = [
    "UNCLEAR",
    "Activity",
    "ChatConfig",
    "ChatExplainer",
    "Evidence",
    "ExplainConfig",
    "Explainer",
    "Explanation",
    "ExplanationFolder",
    "Explanations",
    "InterventionConfig",
    "Predicate",
    "PredicateConfig",
    "PredicateExplainer",
    "Subject",
    "Text",
    "TokenExplainer",
    "Told",
    "Window",
    "WindowReader",
    "explain_features",
    "intervene",
    "open_explanations",
    "parse_predicate",
    "unclear",
]
