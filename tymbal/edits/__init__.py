"""Edits: change activations while a model runs, and prove what the change did."""

from tymbal.edits.ablate import Ablate
from tymbal.edits.aims import Aim, world_aim
from tymbal.edits.attribution import Attribution, AttributionConfig, FeatureShare, OutputToken, attribute
from tymbal.edits.behaviours import AnswerOdds, SpanLikelihood, behaviour, probed_causal_score
from tymbal.edits.by_row import ByRow
from tymbal.edits.causal import CausalConfig, CausalScore, causal_score
from tymbal.edits.certificate import Certificate, CertificateConfig
from tymbal.edits.clamp import Clamp, Scale
from tymbal.edits.control import RandomControl
from tymbal.edits.curves import as_rows, draw_causal, draw_response
from tymbal.edits.doses import Dose, DoseConfig, DoseResponse, dose_response
from tymbal.edits.eraser import Eraser, load_eraser
from tymbal.edits.erasing import Erasure, ErasureConfig, erase
from tymbal.edits.fitted import FitConfig, fitted_vector
from tymbal.edits.fitting import EraserFitter
from tymbal.edits.held_out import Reading
from tymbal.edits.influence import Influence, InfluenceConfig, influence
from tymbal.edits.oracle import OracleEraser
from tymbal.edits.patch import Patch, head_units
from tymbal.edits.project import Erase, Project
from tymbal.edits.quadratic import QuadraticEraser
from tymbal.edits.record import FitRecord
from tymbal.edits.scores import Counted, Propensity, Score, carries
from tymbal.edits.scrubbing import LabelledTokens, scrub
from tymbal.edits.searching import SearchConfig, Tried, search
from tymbal.edits.side_effects import SideEffects, side_effects
from tymbal.edits.steer import Steer
from tymbal.edits.token_bias import biased, of_divergence, token_bias, word_bias
from tymbal.edits.tracing import CausalTrace, causal_trace
from tymbal.edits.treatments import AddedVectors, ClampedFeatures, FeatureAt, Treatment
from tymbal.edits.vector_files import load_vectors, save_vectors
from tymbal.edits.vectors import (
    SteeringVector,
    feature_vector,
    mean_length,
    probe_vector,
    steering_vector,
    written_vector,
)
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.edits.written import Written

__all__ = [
    "EVERYWHERE",
    "Ablate",
    "AddedVectors",
    "Aim",
    "AnswerOdds",
    "Attribution",
    "AttributionConfig",
    "ByRow",
    "CausalConfig",
    "CausalScore",
    "CausalTrace",
    "Certificate",
    "CertificateConfig",
    "Clamp",
    "ClampedFeatures",
    "Counted",
    "Dose",
    "DoseConfig",
    "DoseResponse",
    "Erase",
    "Eraser",
    "EraserFitter",
    "Erasure",
    "ErasureConfig",
    "FeatureAt",
    "FeatureShare",
    "FitConfig",
    "FitRecord",
    "Influence",
    "InfluenceConfig",
    "LabelledTokens",
    "OracleEraser",
    "OutputToken",
    "Patch",
    "Project",
    "Propensity",
    "QuadraticEraser",
    "RandomControl",
    "Reading",
    "Scale",
    "Score",
    "SearchConfig",
    "SideEffects",
    "SpanLikelihood",
    "Steer",
    "SteeringVector",
    "Treatment",
    "Tried",
    "Where",
    "Written",
    "as_rows",
    "attribute",
    "behaviour",
    "biased",
    "carries",
    "causal_score",
    "causal_trace",
    "dose_response",
    "draw_causal",
    "draw_response",
    "erase",
    "feature_vector",
    "fitted_vector",
    "head_units",
    "influence",
    "load_eraser",
    "load_vectors",
    "mean_length",
    "of_divergence",
    "probe_vector",
    "probed_causal_score",
    "save_vectors",
    "scrub",
    "search",
    "side_effects",
    "steering_vector",
    "token_bias",
    "word_bias",
    "world_aim",
    "written_vector",
]
