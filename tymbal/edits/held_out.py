"""How well a concept can still be read from held-out rows: cross-validated probes with intervals.

Classes: balanced accuracy (the mean over classes of the share read rightly) of a logistic probe and of a small MLP, in
five folds that share no group. Without groups the interval is drawn from each class's Beta posterior (Jeffreys' prior:
Brown, Cai and DasGupta 2001), so that a class read wholly right still has one; with groups whole groups are
resampled. Values: R² of a ridge regression, its interval by resampling groups or rows.
"""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
DRAWS = 2000
HIDDEN = 64
TAILS = [0.025, 0.975]
Rows = NDArray[np.float64]


class Reading(NamedTuple):
    """A held-out score with its 95 % interval, and what a reader that knows nothing scores."""

    value: float
    low: float
    high: float
    chance: float

    def excludes_chance(self, margin: float) -> bool:
        """Whether the interval lies wholly more than `margin` above or below chance."""
        return self.low > self.chance + margin or self.high < self.chance - margin

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}], chance {self.chance:.3f}"


def linear_classes(x: Rows, labels: NDArray[Any], groups: NDArray[Any] | None, seed: int) -> Reading:
    """Balanced accuracy of a logistic probe."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=200, tol=1e-3))
    return _classes(probe, x, labels, groups, seed)


def mlp_classes(x: Rows, labels: NDArray[Any], groups: NDArray[Any] | None, seed: int) -> Reading:
    """Balanced accuracy of an MLP with one hidden layer, trained on as many rows of each class."""
    settings: dict[str, Any] = {"max_iter": 30, "batch_size": 128, "alpha": 1e-3, "learning_rate_init": 3e-3}
    probe = make_pipeline(StandardScaler(), MLPClassifier((HIDDEN,), random_state=seed, **settings))
    return _classes(probe, x, labels, groups, seed, even=True)


def linear_values(x: Rows, values: Rows, groups: NDArray[Any] | None, seed: int) -> Reading:
    """R² of a ridge regression, all targets in units of their standard deviation; 0 is a constant's."""
    targets = (values - values.mean(0)) / np.maximum(values.std(0), 1e-300)
    probe = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 7)))
    read, constant = np.empty_like(targets), np.empty_like(targets)
    splits = KFold(FOLDS, shuffle=True, random_state=seed).split(x) if groups is None else _whole(x, groups)
    for train, test in splits:
        read[test] = probe.fit(x[train], targets[train]).predict(x[test]).reshape(len(test), -1)
        constant[test] = targets[train].mean(0)
    errors = np.stack([((targets - read) ** 2).sum(1), ((targets - constant) ** 2).sum(1)], axis=1)
    drawn = _resampled(errors, np.arange(len(x)) if groups is None else groups, seed)
    low, high = np.quantile(1 - drawn[:, 0] / drawn[:, 1], TAILS)
    return Reading(float(1 - errors[:, 0].sum() / errors[:, 1].sum()), float(low), float(high), 0.0)


def _whole(x: Rows, groups: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    return GroupKFold(FOLDS).split(x, groups=groups)


def _classes(
    probe: Any, x: Rows, labels: NDArray[Any], groups: NDArray[Any] | None, seed: int, *, even: bool = False
) -> Reading:
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    read = np.empty_like(labels)
    for train, test in kind(FOLDS, shuffle=True, random_state=seed).split(x, labels, groups):
        chosen = _even(train, labels, seed) if even else train
        with warnings.catch_warnings():
            # A probe that stops early is a weaker probe, seen as such beside its score before erasure.
            warnings.simplefilter("ignore", ConvergenceWarning)
            read[test] = probe.fit(x[chosen], labels[chosen]).predict(x[test])
    right = read == labels
    present, inverse = np.unique(labels, return_inverse=True)
    recall = np.array([right[inverse == index].mean() for index in range(len(present))])
    if groups is None:
        rows, hits = np.bincount(inverse), np.bincount(inverse, weights=right)
        generator = np.random.default_rng(seed)
        drawn = generator.beta(hits + 0.5, rows - hits + 0.5, size=(DRAWS, len(present))).mean(1)
    else:
        columns = np.zeros((len(x), 2, len(present)))
        columns[np.arange(len(x)), 0, inverse] = right
        columns[np.arange(len(x)), 1, inverse] = 1
        sums = _resampled(columns.reshape(len(x), -1), groups, seed).reshape(DRAWS, 2, -1)
        drawn = (sums[:, 0] / np.maximum(sums[:, 1], 1)).mean(1)
    low, high = np.quantile(drawn, TAILS)
    return Reading(float(recall.mean()), float(low), float(high), 1 / len(present))


def _even(train: NDArray[Any], labels: NDArray[Any], seed: int) -> NDArray[Any]:
    """As many rows of each class as the largest has, drawn again where there are fewer."""
    generator = np.random.default_rng(seed)
    members = [train[labels[train] == label] for label in np.unique(labels[train])]
    most = max(map(len, members))
    return np.concatenate([own if len(own) == most else generator.choice(own, most) for own in members])


def _resampled(columns: Rows, groups: NDArray[Any], seed: int) -> Rows:
    """Column sums of each draw of groups with replacement."""
    _, inverse = np.unique(groups, return_inverse=True)
    sums = np.zeros((inverse.max() + 1, columns.shape[1]))
    np.add.at(sums, inverse, columns)
    weights = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS)
    return weights @ sums
