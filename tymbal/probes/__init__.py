"""Probes: read a concept from activations, and say beside which controls the reading stands."""

from tymbal.probes.attention import Attention
from tymbal.probes.batched import Solved, solve_logistic
from tymbal.probes.description import DescriptionLength, description_length
from tymbal.probes.labelled import Example, LabelConfig, LabelledTexts, read_labels
from tymbal.probes.lda import LDA
from tymbal.probes.logistic import Logistic
from tymbal.probes.mean_difference import MeanDifference
from tymbal.probes.mlp import MLP
from tymbal.probes.probe import LinearProbe, Probe, Reader
from tymbal.probes.probing import ProbeConfig, ProbeReport, probe, save_report
from tymbal.probes.readers import READERS, load_probe, save_probe
from tymbal.probes.reading import Pooling, Readings, read
from tymbal.probes.result import Controls, ProbeResult, Sample, TransferMatrix
from tymbal.probes.ridge import Ridge
from tymbal.probes.targets import Classes, Numbers
from tymbal.probes.untrained import untrained_copy
from tymbal.probes.world import concept_texts, statements

__all__ = [
    "LDA",
    "MLP",
    "READERS",
    "Attention",
    "Classes",
    "Controls",
    "DescriptionLength",
    "Example",
    "LabelConfig",
    "LabelledTexts",
    "LinearProbe",
    "Logistic",
    "MeanDifference",
    "Numbers",
    "Pooling",
    "Probe",
    "ProbeConfig",
    "ProbeReport",
    "ProbeResult",
    "Reader",
    "Readings",
    "Ridge",
    "Sample",
    "Solved",
    "TransferMatrix",
    "concept_texts",
    "description_length",
    "load_probe",
    "probe",
    "read",
    "read_labels",
    "save_probe",
    "save_report",
    "solve_logistic",
    "statements",
    "untrained_copy",
]
