"""Questions asked of a finished study's features: found again elsewhere, split, chained, many-tongued, shaped."""

from tymbal.analyses.across import Annotated, across
from tymbal.analyses.analysis import Analysis, save_analysis
from tymbal.analyses.automata import automata
from tymbal.analyses.coded import Coded, labels_of, read_coded
from tymbal.analyses.geometry import geometry, true_places
from tymbal.analyses.parallel import Passage, lit, read_passages, world_passages
from tymbal.analyses.pictures import draw_across, draw_correlations, draw_shape
from tymbal.analyses.splitting import splitting
from tymbal.analyses.subject import Subject
from tymbal.analyses.universality import universality

__all__ = [
    "Analysis",
    "Annotated",
    "Coded",
    "Passage",
    "Subject",
    "across",
    "automata",
    "draw_across",
    "draw_correlations",
    "draw_shape",
    "geometry",
    "labels_of",
    "lit",
    "read_coded",
    "read_passages",
    "save_analysis",
    "splitting",
    "true_places",
    "universality",
    "world_passages",
]
