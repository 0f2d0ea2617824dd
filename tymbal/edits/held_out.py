"""How well a concept can still be read from held-out rows: the readers of `probes`, cross-validated, with intervals.

Classes: balanced accuracy (the mean over classes of the share read rightly) of a logistic probe and of a small MLP, in
five folds that share no group and have all classes. Without groups the interval is drawn from each class's Beta
posterior (Jeffreys' prior: Brown, Cai and DasGupta 2001), so that a class read wholly right still has one; with groups
whole groups are drawn. Values: R² of a ridge regression, its interval by drawing groups or rows.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float64, Int64
from numpy import ndarray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
from torch import Tensor

from tymbal.probes import MLP, Classes, Logistic, Numbers, Reader, Ridge
from tymbal.probes.probe import log_probabilities
from tymbal.probes.scores import balanced_accuracy, r2
from tymbal.probes.splits import GroupDraws

FOLDS = 5
DRAWS = 1000
Rows = Float64[Tensor, "row width"]
Groups = Int64[Tensor, " row"] | None


class Reading(NamedTuple):
    """A held-out score with its 95 % interval, and what a reader that knows nothing scores."""

    value: float
    low: float
    high: float
    chance: float

    def near_chance(self, margin: float) -> bool:
        """Whether the score lies within `margin` of chance, above or below, and its interval reaches there."""
        nearest = min(max(self.chance, self.low), self.high)
        return max(abs(self.value - self.chance), abs(nearest - self.chance)) <= margin

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}], chance {self.chance:.3f}"


def linear_classes(x: Rows, labels: Int64[Tensor, " row"], groups: Groups, seed: int) -> Reading:
    """Balanced accuracy of a logistic probe."""
    return _classes(Logistic(strengths=(1 / len(x),), balanced=True), x, labels, groups, seed)


def mlp_classes(x: Rows, labels: Int64[Tensor, " row"], groups: Groups, seed: int) -> Reading:
    """Balanced accuracy of an MLP with one hidden layer, trained on as many rows of each class."""
    return _classes(MLP(decay=1e-3, epochs=30, rate=3e-3, seed=seed), x, labels, groups, seed, even=True)


def linear_values(x: Rows, values: Float64[Tensor, "row target"], groups: Groups, seed: int) -> Reading:
    """R² of a ridge regression; 0 is a constant's."""
    target = Numbers(values, tuple(map(str, range(values.shape[1]))))
    read = torch.empty_like(values)
    own = torch.arange(len(x)) if groups is None else groups
    splitter = KFold(FOLDS, shuffle=True, random_state=seed) if groups is None else GroupKFold(FOLDS)
    for train, test in _folds(splitter.split(x.numpy(), groups=_given(groups))):
        probe = Ridge().fit(x[train], target[train], own[train])
        read[test] = probe.scores(x[test].float()).double()
    number = GroupDraws(own, draws=DRAWS, seed=seed).number(lambda weights: r2(read, values, weights))
    return Reading(number.value, number.low, number.high, 0.0)


def _classes(
    reader: Reader, x: Rows, labels: Int64[Tensor, " row"], groups: Groups, seed: int, *, even: bool = False
) -> Reading:
    present, ids = labels.unique(return_inverse=True)
    target = Classes(ids, tuple(map(str, present.tolist())))
    own = torch.arange(len(x)) if groups is None else groups
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    told = torch.empty(len(x), len(present), dtype=torch.float64)
    splitter = kind(FOLDS, shuffle=True, random_state=seed)
    for train, test in _folds(splitter.split(x.numpy(), ids.numpy(), _given(groups))):
        chosen = _even(train, ids, seed) if even else train
        probe = reader.fit(x[chosen], target[chosen], own[chosen])
        told[test] = log_probabilities(probe.scores(x[test].float())).double()
    number = GroupDraws(own, draws=DRAWS if groups is not None else 1, seed=seed).number(
        lambda weights: balanced_accuracy(told, target, weights)
    )
    low, high = (number.low, number.high) if groups is not None else _posterior(told.argmax(1) == ids, ids, seed)
    return Reading(number.value, low, high, 1 / len(present))


def _given(groups: Groups) -> ndarray | None:
    return None if groups is None else groups.numpy()


def _folds(splits: Iterable[tuple[ndarray, ndarray]]) -> Iterable[tuple[Tensor, Tensor]]:
    return ((torch.from_numpy(train), torch.from_numpy(test)) for train, test in splits)


def _posterior(right: Tensor, ids: Tensor, seed: int) -> tuple[float, float]:
    """The 95 % interval of the mean over classes of the chance to read one of its rows rightly."""
    rows, hits = torch.bincount(ids).double(), torch.bincount(ids, weights=right.double())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drawn: Any = torch.distributions.Beta(hits + 0.5, rows - hits + 0.5).sample((2 * DRAWS,)).mean(1)
    low, high = torch.quantile(drawn, torch.tensor([0.025, 0.975], dtype=drawn.dtype)).tolist()
    return low, high


def _even(train: Tensor, ids: Tensor, seed: int) -> Tensor:
    """As many rows of each class as the largest has, drawn again where there are fewer."""
    generator = torch.Generator().manual_seed(seed)
    members = [train[ids[train] == label] for label in ids[train].unique()]
    most = max(map(len, members))
    picks = (torch.randint(len(own), (most,), generator=generator) for own in members)
    return torch.cat([own if len(own) == most else own[pick] for own, pick in zip(members, picks, strict=True)])
