"""Edits: change activations while a model runs, and prove what the change did."""

from tymbal.edits.ablate import Ablate
from tymbal.edits.certificate import Certificate, CertificateConfig
from tymbal.edits.clamp import Clamp, Scale
from tymbal.edits.eraser import Eraser, load_eraser
from tymbal.edits.fitting import EraserFitter
from tymbal.edits.held_out import Reading
from tymbal.edits.oracle import OracleEraser
from tymbal.edits.patch import Patch, head_units
from tymbal.edits.project import Erase, Project
from tymbal.edits.quadratic import QuadraticEraser
from tymbal.edits.record import FitRecord
from tymbal.edits.steer import Steer
from tymbal.edits.where import EVERYWHERE, Where

__all__ = [
    "EVERYWHERE",
    "Ablate",
    "Certificate",
    "CertificateConfig",
    "Clamp",
    "Erase",
    "Eraser",
    "EraserFitter",
    "FitRecord",
    "OracleEraser",
    "Patch",
    "Project",
    "QuadraticEraser",
    "Reading",
    "Scale",
    "Steer",
    "Where",
    "head_units",
    "load_eraser",
]
