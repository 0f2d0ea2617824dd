"""Feature splitting: what a small dictionary tells with one feature, a larger one tells with several.

A feature c of the larger dictionary is a child of p of the smaller one if, where passages explain,

    P(p active | c active) >= 1/2    and    P(p active | c active) >= 4 P(p active)

and each child has one parent, that of the highest share. What is reported is measured where passages score: the share
itself, and how much of the parent's activity its children cover. The small dictionary may be the first prefix of a
Matryoshka, the larger one the rest of it.

Source: Bricken et al. 2023, "Towards monosemanticity", on feature splitting.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.analyses.analysis import Analysis, Measured
from tymbal.analyses.coded import Coded, moved, require_same_text
from tymbal.corpora import Role

CONTAINED = 0.5
LIFT = 4.0
LEAST_TOKENS = 10
"""tokens on which a feature must be active, where passages explain, to be a child or a parent"""


class Families(NamedTuple):
    """Each child's parent."""

    child: Int64[ndarray, " child"]
    parent: Int64[ndarray, " child"]
    contained: Float64[ndarray, " child"]
    """share of the child's active tokens on which the parent is active, where passages score"""
    covered: Float64[ndarray, " parent_feature"]
    """share of each small feature's active tokens on which one of its children is active; NaN without children"""
    parents: int
    """small features that are active often enough to be a parent"""


def splitting(
    small: Coded, large: Coded, name_small: Callable[[int], str], name_large: Callable[[int], str]
) -> Analysis:
    """Families of features; both hold codes of the same tokens, or `TymbalError` is raised."""
    require_same_text(small, large)
    told = families(small, large.active)
    chance = families(small, moved(large.active))
    measured = Measured()
    sizes, by_chance = (np.bincount(found.parent, minlength=small.features) for found in (told, chance))
    share = {name: _of_parents(counts, told.parents) for name, counts in (("true", sizes), ("chance", by_chance))}
    measured.mean(
        "small features with at least two children",
        share["true"],
        unit="share of features",
        better="",
        moved_along_the_text=share["chance"],
    )
    measured.mean("a child's activity within its parent's", torch.from_numpy(told.contained), unit="share of tokens")
    covered = told.covered[np.isfinite(told.covered)]
    measured.mean("a parent's activity that its children cover", torch.from_numpy(covered), unit="share of tokens")
    return Analysis(
        name="splitting",
        question="What does the larger dictionary tell apart that the smaller one tells with one feature?",
        findings=measured.found,
        sample={"tokens": len(small), "parents": told.parents, "children": len(told.child)},
        columns=("parent", "name", "covered", "children"),
        rows=_rows(told, sizes, name_small, name_large),
    )


def _of_parents(counts: ndarray, parents: int) -> torch.Tensor:
    """1 for each small feature with two children or more, among those that may be a parent."""
    split = torch.zeros(parents, dtype=torch.float64)
    split[: int((counts >= 2).sum())] = 1
    return split


def _rows(told: Families, sizes: ndarray, name_small: Callable[[int], str], name_large: Callable[[int], str]) -> list:
    rows = []
    for parent in np.lexsort((np.arange(len(sizes)), -sizes)):
        if sizes[parent] < 2:
            break
        mine = np.flatnonzero(told.parent == parent)
        mine = mine[np.argsort(-told.contained[mine], kind="stable")]
        children = [[int(told.child[place]), name_large(int(told.child[place])), float(told.contained[place])]
                    for place in mine]  # fmt: skip
        rows.append((int(parent), name_small(int(parent)), float(told.covered[parent]), children))
    return rows


def families(small: Coded, large: sparse.csr_array) -> Families:
    """Chosen where passages explain, measured where they score; `large` is 1 where a feature is active."""
    explain, score = (np.flatnonzero(small.role == int(role)) for role in (Role.EXPLAIN, Role.SCORE))
    active = small.active
    joint, alone = _together(active[explain], large[explain])
    density = np.asarray(active[explain].mean(axis=0)).ravel()
    possible = density * len(explain) >= LEAST_TOKENS
    share = np.divide(joint, alone, out=np.zeros_like(joint), where=alone > 0)
    share[~possible] = 0
    share[:, alone < LEAST_TOKENS] = 0
    share[share < LIFT * density[:, None]] = 0
    parent, child = share.argmax(0), np.flatnonzero(share.max(0) >= CONTAINED)
    parent = parent[child]
    joint, alone = _together(active[score], large[score])
    contained = np.divide(joint[parent, child], alone[child], out=np.zeros(len(child)), where=alone[child] > 0)
    covered = np.full(small.features, np.nan)
    columns = sparse.csc_array(large[score])
    mine = sparse.csc_array(active[score])
    for number in np.unique(parent):
        any_child = np.asarray(columns[:, child[parent == number]].sum(axis=1)).ravel() > 0
        rows = mine.indices[mine.indptr[number] : mine.indptr[number + 1]]
        covered[number] = any_child[rows].mean() if len(rows) else np.nan
    return Families(child, parent, contained, covered, int(possible.sum()))


def _together(small: sparse.csr_array, large: sparse.csr_array) -> tuple[ndarray, ndarray]:
    """Tokens on which each pair is active, and tokens of each large feature."""
    return (small.T @ large).toarray().astype(np.float64), np.asarray(large.sum(axis=0)).ravel().astype(np.float64)
