"""The shape of a family of features: do months lie on a circle, towns as on the map?

1. The features that tell a family's concepts best, one or more for each concept, where passages explain.
2. The part of the activations that only these features write, at the tokens of each concept's mentions, averaged by
   concept where passages score: one point a concept.
3. Principal axes of these points: the picture.
4. Where the truth about the family is known (a circle, a number, a map), the rank correlation of distances between
   points with true distances, and how often shuffled names reach it (Mantel 1967). Beside it: as many features drawn
   at random.

Source: Engels et al. 2025, "Not all language model features are one-dimensionally linear"; Gurnee and Tegmark 2024,
"Language models represent space and time".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from numpy import ndarray
from scipy import sparse
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata
from torch import Tensor

from tymbal.analyses.across import Annotated
from tymbal.analyses.analysis import SEED, Analysis
from tymbal.corpora import Role
from tymbal.dictionaries import Finding, Number
from tymbal.dictionaries.concept_counts import Unit, best_features, thresholds
from tymbal.dictionaries.concept_labels import Labels
from tymbal.errors import TymbalError

LEAST_TOKENS = 5
"""tokens that a concept must have in each half"""
LEAST_CONCEPTS = 4
SHUFFLES = 999
RESAMPLES = 200
RANDOM_DRAWS = 20
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
SEASONS = ("spring", "summer", "autumn", "winter")
COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
CIRCLES: Mapping[str, Sequence[str]] = {"month": MONTHS, "season": SEASONS, "direction": COMPASS}
NUMBERS = ("year", "number", "distance")


class Shape(NamedTuple):
    """Points of a family's concepts."""

    points: Float64[ndarray, "concept width"]
    features: Int[Tensor, " feature"]


def true_places(family: str, names: Sequence[str]) -> Float64[ndarray, "concept axis"] | None:
    """Where the concepts of a family truly lie: on a circle, on a line; None where that is not known from the names.

    `names` are without the family: `april`, `1042`.
    """
    if family in CIRCLES and all(name in CIRCLES[family] for name in names):
        circle = CIRCLES[family]
        angle = np.array([2 * np.pi * circle.index(name) / len(circle) for name in names])
        return np.stack([np.sin(angle), np.cos(angle)], 1)
    if family in NUMBERS:
        return np.array([[float(name)] for name in names])
    return None


def geometry(
    text: Annotated,
    decoder: Float[Tensor, "feature width"],
    family: str,
    truth: Callable[[str, Sequence[str]], ndarray | None] = true_places,
) -> Analysis:
    """The shape of the concepts named `family.…`; `truth` places them, where that is known.

    Raises `TymbalError` where fewer than four of them occur often enough.
    """
    halves = [text.coded.of(role) for role in (Role.EXPLAIN, Role.SCORE)]
    labels = [text.labels(half) for half in halves]
    kept = _often_enough(labels, family, text.names)
    choice = best_features(halves[0].entries(), labels[0], kept, len(text.names), thresholds(halves[0].entries()))[
        Unit.MENTION
    ]
    told = choice.feature.unique()
    shape = Shape(_points(halves[1].codes, labels[1], kept, told, decoder), told)
    names = [str(text.names[int(number)]).split(".", 1)[1] for number in kept]
    axes = _principal(shape.points)
    places = truth(family, names)
    findings = {} if places is None else _compared(shape, places, halves[1].codes, labels[1], kept, decoder)
    findings["share of the spread on two axes"] = _plain(_two_axes(shape.points), "share of the variance", "")
    return Analysis(
        name=f"geometry of {family}",
        question=f"Do the features of {family} lie as what they stand for does?",
        findings=findings,
        sample={"concepts": len(kept), "features": len(told), "shuffles": SHUFFLES},
        columns=("concept", "feature", "across", "up", "true place"),
        rows=[
            (
                name,
                int(choice.feature[place]),
                float(axes[place, 0]),
                float(axes[place, 1]),
                None if places is None else places[place].tolist(),
            )
            for place, name in enumerate(names)
        ],
    )


def _often_enough(labels: Sequence[Labels], family: str, names: Sequence[str]) -> Int[Tensor, " concept"]:
    counts = torch.stack([torch.bincount(part.concept.long(), minlength=len(names)) for part in labels]).amin(0)
    mine = torch.tensor([name.split(".")[0] == family for name in names])
    kept = (mine & (counts >= LEAST_TOKENS)).nonzero().squeeze(1)
    if len(kept) < LEAST_CONCEPTS:
        families = sorted({name.split(".")[0] for name in names if "." in name})
        raise TymbalError(
            expected=f"at least {LEAST_CONCEPTS} concepts named {family}.… with {LEAST_TOKENS} tokens in each half",
            got=f"{len(kept)}",
            do=f"name another family ({', '.join(families) or 'the text has none'}), or study more text",
        )
    return kept


def _points(
    codes: sparse.csr_array, labels: Labels, kept: Tensor, features: Tensor, decoder: Tensor
) -> Float64[ndarray, "concept width"]:
    """What the features write on average at the tokens of each concept."""
    place = torch.full((int(labels.concept.max()) + 1 if len(labels.concept) else 1,), -1)
    place[kept[kept < len(place)]] = torch.arange(len(kept))[kept < len(place)]
    number = place[labels.concept.long()]
    mine = number >= 0
    row, column = number[mine].numpy(), labels.token[mine].numpy()
    member = sparse.csr_array((np.ones(len(row)), (row, column)), shape=(len(kept), labels.tokens))
    mean = (member @ codes[:, features.numpy()]).toarray() / np.asarray(member.sum(axis=1))[:, None]
    return mean @ decoder[features].double().numpy()


def _principal(points: ndarray) -> Float64[ndarray, "concept 2"]:
    centred = points - points.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    axes = left[:, :2] * sizes[:2]
    return axes * np.where(np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0) < 0, -1, 1)


def _two_axes(points: ndarray) -> float:
    sizes = np.linalg.svd(points - points.mean(0), compute_uv=False) ** 2
    return float(sizes[:2].sum() / sizes.sum()) if sizes.sum() > 0 else float("nan")


def _compared(
    shape: Shape, places: ndarray, codes: sparse.csr_array, labels: Labels, kept: Tensor, decoder: Tensor
) -> dict[str, Finding]:
    generator = np.random.default_rng(SEED)
    true, mine = _Distances(places), _Distances(shape.points)
    found = mine.agreement(true)
    shuffled = np.array([mine.agreement(true, generator.permutation(len(places))) for _ in range(SHUFFLES)])
    resampled = _spread(np.array([mine.resampled(true, generator) for _ in range(RESAMPLES)]))
    living = np.flatnonzero(np.diff(codes.tocsc().indptr) > 0)
    drawn = []
    for _ in range(RANDOM_DRAWS):
        features = generator.choice(living, min(len(shape.features), len(living)), replace=False)
        points = _points(codes, labels, kept, torch.from_numpy(features), decoder)
        drawn.append(_Distances(points).agreement(true))
    return {
        "distances as in truth": Finding(
            value=found,
            low=resampled.low,
            high=resampled.high,
            unit="rank correlation",
            better="higher",
            baselines={"shuffled names": _spread(shuffled), "random features": _spread(np.array(drawn))},
        ),
        "p under shuffled names": _plain((1 + int((shuffled >= found).sum())) / (1 + SHUFFLES), "p", "lower"),
    }


class _Distances:
    """Distances between all pairs of points over the largest one, as a table and as centred ranks."""

    def __init__(self, points: ndarray) -> None:
        pairs = pdist(points)
        # Directions are known in fp32: distances that agree to its digits are ties.
        pairs = np.round(pairs / max(float(pairs.max()), np.finfo(float).tiny), 6)
        self.table = squareform(pairs)
        self.ranks = squareform(rankdata(pairs) - (len(pairs) + 1) / 2)
        self.size = float(np.sqrt((self.ranks**2).sum()))

    def agreement(self, other: "_Distances", order: ndarray | None = None) -> float:
        """Spearman's rank correlation, of these points in an order if one is given; 0 if all distances are alike."""
        ranks = self.ranks if order is None else self.ranks[np.ix_(order, order)]
        scale = self.size * other.size
        return float((ranks * other.ranks).sum()) / scale if scale > 0 else 0.0

    def resampled(self, other: "_Distances", generator: np.random.Generator) -> float:
        """The same of points drawn with replacement; pairs of a point with itself are left out."""
        drawn = generator.integers(len(self.table), size=len(self.table))
        first, second = np.triu_indices(len(drawn), 1)
        first, second = drawn[first], drawn[second]
        apart = first != second
        pairs = [rankdata(side.table[first[apart], second[apart]]) for side in (self, other)]
        left, right = (part - part.mean() for part in pairs)
        scale = float(np.sqrt((left**2).sum() * (right**2).sum()))
        return float(left @ right) / scale if scale > 0 else 0.0


def _spread(values: ndarray) -> Number:
    low, high = np.quantile(values, [0.025, 0.975])
    return Number(value=float(values.mean()), low=float(low), high=float(high))


def _plain(value: float, unit: str, better: str) -> Finding:
    return Finding(value=value, low=float("nan"), high=float("nan"), unit=unit, better=better)
