"""Features put into words, and the words put to the test."""

from tymbal.explain.activity import Activity
from tymbal.explain.evidence import Evidence
from tymbal.explain.explainer import Explainer
from tymbal.explain.explanation import UNCLEAR, Explanation, unclear
from tymbal.explain.tables import ExplanationFolder, Explanations, open_explanations
from tymbal.explain.text import Text

__all__ = [
    "UNCLEAR",
    "Activity",
    "Evidence",
    "Explainer",
    "Explanation",
    "ExplanationFolder",
    "Explanations",
    "Text",
    "open_explanations",
    "unclear",
]
