"""Risk with numbers: explicit models instead of a number from the gut, and what those numbers rest on."""

from tymbal.theory.risk.assessment import Assessment, assess
from tymbal.theory.risk.cooke import Scored, classical_model
from tymbal.theory.risk.distributions import Beta, Distribution, Elicited, LogNormal, Point, Pooled, Uniform, elicited
from tymbal.theory.risk.draws import Estimate, Sampling
from tymbal.theory.risk.drivers import Driver, Effort, drivers
from tymbal.theory.risk.model import (
    Case,
    Correlation,
    Event,
    Input,
    Margin,
    ModelError,
    RiskModel,
    Structure,
    chain,
)
from tymbal.theory.risk.page import write_report
from tymbal.theory.risk.pooling import Pooling, neyman_factor
from tymbal.theory.risk.reading import read_model, shipped_models, what_if
from tymbal.theory.risk.spread import Spread

__all__ = [
    "Assessment",
    "Beta",
    "Case",
    "Correlation",
    "Distribution",
    "Driver",
    "Effort",
    "Elicited",
    "Estimate",
    "Event",
    "Input",
    "LogNormal",
    "Margin",
    "ModelError",
    "Point",
    "Pooled",
    "Pooling",
    "RiskModel",
    "Sampling",
    "Scored",
    "Spread",
    "Structure",
    "Uniform",
    "assess",
    "chain",
    "classical_model",
    "drivers",
    "elicited",
    "neyman_factor",
    "read_model",
    "shipped_models",
    "what_if",
    "write_report",
]
