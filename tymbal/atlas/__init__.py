"""The index of a dictionary's features: statistics, examples, neighbours, map, labels."""

from tymbal.atlas.atlas import Atlas, open_atlas
from tymbal.atlas.build import build_atlas, index_codes
from tymbal.atlas.codes import CodeShard, CodeStore
from tymbal.atlas.config import AtlasConfig
from tymbal.atlas.pages import (
    Cluster,
    Example,
    FeatureFilter,
    FeaturePage,
    FeatureRow,
    MapPoint,
    Neighbour,
    TokenWeight,
)

__all__ = [
    "Atlas",
    "AtlasConfig",
    "Cluster",
    "CodeShard",
    "CodeStore",
    "Example",
    "FeatureFilter",
    "FeaturePage",
    "FeatureRow",
    "MapPoint",
    "Neighbour",
    "TokenWeight",
    "build_atlas",
    "index_codes",
    "open_atlas",
]
