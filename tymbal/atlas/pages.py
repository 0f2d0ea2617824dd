"""What a reader of an atlas gets back: rows, pages, examples, points of the map.

Activations are in the units of the dictionary's codes. A density is a share of tokens, special tokens left out.
"""

from dataclasses import dataclass
from typing import NamedTuple


class TokenWeight(NamedTuple):
    """An output token and how much one unit of the feature adds to its logit."""

    token: str
    weight: float


class Neighbour(NamedTuple):
    """Another feature and how near it is: a cosine, or a Jaccard index of active tokens."""

    feature: int
    value: float
    label: str
    density: float


class Example(NamedTuple):
    """A window of tokens around one place where a feature is active."""

    tokens: list[str]
    activations: list[float]
    """of the feature, one a token"""
    peak: int
    """index into `tokens`"""
    kind: str
    """`top`, or `quantile` for a random draw from one interval"""
    quantile: int | None
    """interval of a `quantile` example, 0 the weakest"""
    passage: int
    """id of the passage in the corpus"""
    position: int
    """of the peak, in tokens from the passage's beginning"""


class MapPoint(NamedTuple):
    """A living feature's place on the map."""

    feature: int
    x: float
    y: float
    cluster: int | None
    density: float
    label: str


class Cluster(NamedTuple):
    """A dense region of the map; `label` has the words that set its features' labels apart from the others."""

    cluster: int
    label: str
    features: int


class FeatureText(NamedTuple):
    """What is known of a feature in words."""

    feature: int
    label: str
    top_tokens: list[str]
    concept: str | None
    concept_f1: float | None
    text: str | None
    """of the top examples, to be searched"""


@dataclass(frozen=True, kw_only=True)
class FeatureRow:
    """One line of a list of features."""

    feature: int
    label: str
    """what the feature's top examples peak on, until there is an explanation"""
    top_tokens: list[str]
    """the most frequent peak tokens of the top examples, most frequent first"""
    density: float
    """share of tokens on which the feature is active"""
    count: int
    """tokens on which the feature is active"""
    dead: bool
    """never active on the tokens indexed"""
    maximum: float
    mean: float
    """when active"""
    cluster: int | None
    x: float | None
    y: float | None
    concept: str | None
    """the annotated concept that the feature tells best, on the `explain` passages"""
    concept_f1: float | None
    """on the `score` passages"""
    explanation: str | None = None
    """what it fires on, in words; None until explanations are put beside the atlas (`Atlas.explain`)"""
    explanation_auroc: float | None = None
    """how well these words hold on the `score` passages: 1 is perfect, 0.5 chance"""
    explanation_correlation: float | None = None
    """of what these words foretell with the activation itself, on the same passages"""


@dataclass(frozen=True, kw_only=True)
class FeaturePage(FeatureRow):
    """All that stands on a feature's page, but for its examples."""

    quantile_edges: list[float]
    """activations, when active, at 0, 1/n, ..., 1; empty for a dead feature"""
    histogram: list[int]
    """active tokens in bins of equal width from 0 to `maximum`"""
    promoted: list[TokenWeight] | None
    """output tokens whose logits the feature raises most; None for a model without a head"""
    suppressed: list[TokenWeight] | None
    by_cosine: list[Neighbour]
    """nearest by cosine of decoder directions"""
    by_coactivation: list[Neighbour]
    """most often active on the same tokens (Jaccard index)"""
    cluster_label: str | None
    concept_precision: float | None
    concept_recall: float | None


@dataclass(frozen=True, kw_only=True)
class FeatureFilter:
    """Which features to list; what is None does not restrict."""

    min_density: float | None = None
    max_density: float | None = None
    dead: bool | None = None
    concept: str | None = None
    cluster: int | None = None
    search: str | None = None
    """text to be found, whatever its case, in the label, the explanation, the top tokens, the concept or the
    top examples' text"""
