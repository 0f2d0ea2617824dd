"""Train one dictionary with many processes, on one machine or many: rows and features are cut along two axes."""

from tymbal.dictionaries.sharded.mesh import Sharding
from tymbal.dictionaries.sharded.training import train_sharded

__all__ = ["Sharding", "train_sharded"]
