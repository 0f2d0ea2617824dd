"""Published findings that were shown by editing, beside those shown by reading (`tymbal.probes.replications`).

They live here because edits stand a floor above probes: such an experiment reads with probes and then edits.
"""

from tymbal.edits.replications.flips import Flips, draw_flips
from tymbal.edits.replications.trials import Trial
from tymbal.edits.replications.turning import Reading, Turning, Way
from tymbal.probes import replications

EXPERIMENTS = {**replications.EXPERIMENTS, "othello": "tymbal.edits.replications.othello"}
"""The module of each experiment, of either kind; its function `run` conducts it."""

__all__ = ["EXPERIMENTS", "Flips", "Reading", "Trial", "Turning", "Way", "draw_flips"]
