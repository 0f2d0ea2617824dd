"""Published findings about what models know, made again with all controls: one function an experiment.

Each writes a folder of tables and pictures, and returns it as text for a page.
"""

from tymbal.probes.replications.experiment import EXPERIMENTS, Page, ReplicationConfig, replicate

__all__ = ["EXPERIMENTS", "Page", "ReplicationConfig", "replicate"]
