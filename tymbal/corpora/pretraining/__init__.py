"""Small models trained from nothing on text made here: what the world's and the games' models share."""

from tymbal.corpora.pretraining.batch import PADDING, Batch, BatchSource
from tymbal.corpora.pretraining.checkpoints import State, claim
from tymbal.corpora.pretraining.intervals import Interval, ratio
from tymbal.corpora.pretraining.loss import BatchLoss
from tymbal.corpora.pretraining.recipe import Recipe
from tymbal.corpora.pretraining.training import (
    TRAINING,
    Progress,
    new_llama,
    read_model,
    require_torch,
    train,
    write_model,
)

__all__ = [
    "PADDING",
    "TRAINING",
    "Batch",
    "BatchLoss",
    "BatchSource",
    "Interval",
    "Progress",
    "Recipe",
    "State",
    "claim",
    "new_llama",
    "ratio",
    "read_model",
    "require_torch",
    "train",
    "write_model",
]
