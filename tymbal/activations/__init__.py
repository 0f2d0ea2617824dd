"""Harvest a model's activations: streamed or stored, read back as shuffled rows, and summed up as moments."""

from tymbal.activations.buffer import StreamedRows
from tymbal.activations.cluster import harvest_on_cluster
from tymbal.activations.harvest import Progress, harvest
from tymbal.activations.moments import Moments
from tymbal.activations.rows import RowSource, StoredRows
from tymbal.activations.selection import RowSelection
from tymbal.activations.store import ActivationStore, RowIds
from tymbal.activations.stream import Batch, HarvestConfig, stream

__all__ = [
    "ActivationStore",
    "Batch",
    "HarvestConfig",
    "Moments",
    "Progress",
    "RowIds",
    "RowSelection",
    "RowSource",
    "StoredRows",
    "StreamedRows",
    "harvest",
    "harvest_on_cluster",
    "stream",
]
