"""The index of a dictionary's features: statistics, examples, neighbours, map, labels."""

from tymbal.atlas.atlas import Atlas, open_atlas
from tymbal.atlas.build import build_atlas, index_codes
from tymbal.atlas.codes import CodeShard, CodeStore
from tymbal.atlas.completeness import CompletenessBin, ConceptRow, completeness_bins
from tymbal.atlas.config import AtlasConfig
from tymbal.atlas.pages import (
    Cluster,
    Example,
    FeatureFilter,
    FeaturePage,
    FeatureRow,
    FeatureText,
    MapPoint,
    Neighbour,
    TokenWeight,
)
from tymbal.atlas.prompts import (
    ActiveFeature,
    Contrast,
    ContrastConfig,
    ContrastedFeature,
    PromptReading,
    contrast,
    read_prompt,
    special_tokens,
)

__all__ = [
    "ActiveFeature",
    "Atlas",
    "AtlasConfig",
    "Cluster",
    "CodeShard",
    "CodeStore",
    "CompletenessBin",
    "ConceptRow",
    "Contrast",
    "ContrastConfig",
    "ContrastedFeature",
    "Example",
    "FeatureFilter",
    "FeaturePage",
    "FeatureRow",
    "FeatureText",
    "MapPoint",
    "Neighbour",
    "PromptReading",
    "TokenWeight",
    "build_atlas",
    "completeness_bins",
    "contrast",
    "index_codes",
    "open_atlas",
    "read_prompt",
    "special_tokens",
]
