"""Is the same feature found again: by another seed, in another layer, another size, another model?

1. The correlation of activations over the same tokens, for every pair of features (sparse products, in blocks).
2. Each feature's counterpart is the one of highest correlation on the passages that explain.
3. That pair's correlation is measured on the passages that score.
4. Beside it: the same with the other study's codes moved along the text.

Source: Li et al. 2015, "Convergent learning"; Bricken et al. 2023, "Towards monosemanticity", on universality.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.analyses.analysis import Analysis, Measured
from tymbal.analyses.coded import Coded, moved, require_same_text, shape_of
from tymbal.corpora import Role

LEAST_TOKENS = 10
"""tokens on which a feature must be active in each half to be judged"""
FOUND_AGAIN = (0.5, 0.7, 0.9)
_BLOCK_VALUES = 1 << 24


class Counterparts(NamedTuple):
    """For each judged feature of one study, its counterpart in the other."""

    feature: Int64[ndarray, " judged"]
    counterpart: Int64[ndarray, " judged"]
    correlation: Float64[ndarray, " judged"]
    """on the passages that score"""


def universality(
    left: Coded, right: Coded, name_left: Callable[[int], str], name_right: Callable[[int], str]
) -> Analysis:
    """How many features of `left` have a counterpart in `right`; both hold codes of the same tokens.

    Raises `TymbalError` when they do not.
    """
    require_same_text(left, right)
    told = counterparts(left, right.codes)
    chance = counterparts(left, moved(right.codes))
    measured = Measured()
    true, null = torch.from_numpy(told.correlation), torch.from_numpy(chance.correlation)
    measured.mean("correlation with the counterpart", true, unit="Pearson's r", moved_along_the_text=null)
    for least in FOUND_AGAIN:
        measured.mean(
            f"found again (r >= {least})",
            (true >= least).double(),
            unit="share of features",
            moved_along_the_text=(null >= least).double(),
        )
    order = np.lexsort((told.feature, -told.correlation))
    return Analysis(
        name="universality",
        question="Does another dictionary, seed, layer or model find the same features?",
        findings=measured.found,
        sample={"tokens": len(left), "features": len(told.feature), "too rare": left.features - len(told.feature)},
        columns=("feature", "name", "counterpart", "its name", "correlation"),
        rows=[
            (
                int(told.feature[place]),
                name_left(int(told.feature[place])),
                int(told.counterpart[place]),
                name_right(int(told.counterpart[place])),
                float(told.correlation[place]),
            )
            for place in order
        ],
    )


def counterparts(left: Coded, right: sparse.csr_array) -> Counterparts:
    """Chosen where passages explain, measured where they score."""
    explain, score = (np.flatnonzero(left.role == int(role)) for role in (Role.EXPLAIN, Role.SCORE))
    chosen = _best(_Columns(left.codes[explain]), _Columns(right[explain]))
    counts = [np.diff(left.codes[rows].tocsc().indptr) for rows in (explain, score)]
    judged = np.flatnonzero(np.minimum(*counts) >= LEAST_TOKENS)
    measured = _of_pairs(_Columns(left.codes[score]), _Columns(right[score]), judged, chosen[judged])
    return Counterparts(judged, chosen[judged], measured)


class _Columns:
    """Columns of codes with what their correlations need."""

    def __init__(self, codes: sparse.csr_array) -> None:
        self.rows, self.count = shape_of(codes)
        self.columns = sparse.csc_array(codes.astype(np.float64))
        self.mean = np.asarray(self.columns.mean(axis=0)).ravel()
        square = np.asarray(self.columns.multiply(self.columns).mean(axis=0)).ravel()
        self.spread = np.sqrt(np.maximum(square - self.mean**2, 0))


def _best(left: _Columns, right: _Columns) -> Int64[ndarray, " feature"]:
    """For each column of `left` the column of `right` of highest correlation."""
    features, others = left.count, right.count
    step = max(1, _BLOCK_VALUES // others)
    best = np.zeros(features, dtype=np.int64)
    by_row = sparse.csr_array(right.columns)
    for begin in range(0, features, step):
        block = slice(begin, begin + step)
        joint = (left.columns[:, block].T @ by_row).toarray() / left.rows
        best[block] = _correlation(joint, left, right, block).argmax(1)
    return best


def _correlation(joint: ndarray, left: _Columns, right: _Columns, block: slice) -> ndarray:
    covariance = joint - np.outer(left.mean[block], right.mean)
    scale = np.outer(left.spread[block], right.spread)
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)


def _of_pairs(left: _Columns, right: _Columns, mine: ndarray, other: ndarray) -> Float64[ndarray, " pair"]:
    joint = np.asarray(left.columns[:, mine].multiply(right.columns[:, other]).sum(axis=0)).ravel() / left.rows
    scale = left.spread[mine] * right.spread[other]
    covariance = joint - left.mean[mine] * right.mean[other]
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
