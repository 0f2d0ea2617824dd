"""Edits: change activations while a model runs, and prove what the change did."""

from tymbal.edits.certificate import Certificate, CertificateConfig
from tymbal.edits.eraser import Eraser, load_eraser
from tymbal.edits.fitting import EraserFitter
from tymbal.edits.held_out import Reading
from tymbal.edits.oracle import OracleEraser
from tymbal.edits.quadratic import QuadraticEraser
from tymbal.edits.record import FitRecord

__all__ = [
    "Certificate",
    "CertificateConfig",
    "Eraser",
    "EraserFitter",
    "FitRecord",
    "OracleEraser",
    "QuadraticEraser",
    "Reading",
    "load_eraser",
]
