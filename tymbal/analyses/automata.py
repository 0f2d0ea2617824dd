"""Automata: features that write tokens on which other features fire, one token later.

An edge from i to j asks for two things at once.

    in the text     P(j active at t+1 | i active at t), where passages score, at least 4 times P(j active)
    in the weights  the tokens that i's direction raises most in the unembedding are tokens on which j fires: the mean
                    of P(j active | token) over them at least 4 times P(j active)

Edges are chosen where passages explain. Chains follow from each feature the edge of highest share.

Source: Bricken et al. 2023, "Towards monosemanticity", on finite state automata.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.analyses.analysis import Analysis, Measured
from tymbal.analyses.coded import Coded, moved
from tymbal.corpora import Role

LIFT = 4.0
LEAST_TOGETHER = 10
"""times that an edge must be taken where passages explain"""
LONGEST = 8
SHOWN = 40


class Edges(NamedTuple):
    """Chosen edges, and how often they are taken where passages score."""

    source: Int64[ndarray, " edge"]
    target: Int64[ndarray, " edge"]
    share: Float64[ndarray, " edge"]
    """of the source's tokens after which the target fires"""
    lift: Float64[ndarray, " edge"]
    """the same over the target's density"""


def automata(coded: Coded, promoted: Int64[ndarray, "feature token"], name: Callable[[int], str]) -> Analysis:
    """Edges and chains among features; `promoted` are the tokens whose logits each feature raises most."""
    excited = _excited(coded, promoted)
    told = edges(coded, coded.active, excited)
    chance = edges(coded, moved(coded.active), excited)
    measured = Measured()
    measured.mean("how often an edge is taken", torch.from_numpy(told.share), unit="share of the source's tokens")
    measured.mean("its lift over the target's density", torch.from_numpy(told.lift), unit="times")
    found = chains(told)
    return Analysis(
        name="automata",
        question="Which features make the model write tokens that set off other features?",
        findings=measured.found,
        sample={
            "tokens": len(coded),
            "edges": len(told.source),
            "edges in moved text": len(chance.source),
            "chains of three and more": sum(len(chain) > 2 for chain in found),
        },
        columns=("chain",),
        rows=[([[feature, name(feature), share] for feature, share in chain],) for chain in found[:SHOWN]],
    )


def _excited(coded: Coded, promoted: ndarray) -> sparse.csr_array:
    """1 where the promoted tokens of a feature (row) set off another (column), on passages that explain."""
    explain = coded.of(Role.EXPLAIN)
    vocabulary = int(max(coded.token.max(), promoted.max())) + 1
    place = (np.ones(len(explain), dtype=np.float64), (explain.token, np.arange(len(explain))))
    by_token = sparse.csr_array(place, shape=(vocabulary, len(explain)))
    seen = np.maximum(np.asarray(by_token.sum(axis=1)).ravel(), 1)
    firing = sparse.csr_array(sparse.diags_array(1 / seen) @ (by_token @ explain.active))
    features, count = promoted.shape
    raised = (np.full(promoted.size, 1 / count), (np.repeat(np.arange(features), count), promoted.ravel()))
    mean = sparse.csr_array(sparse.csr_array(raised, shape=(features, vocabulary)) @ firing).tocoo()
    density = np.asarray(explain.active.mean(axis=0)).ravel()
    kept = mean.data >= LIFT * density[mean.col]
    return sparse.csr_array((np.ones(int(kept.sum())), (mean.row[kept], mean.col[kept])), shape=mean.shape)


def edges(coded: Coded, following: sparse.csr_array, excited: sparse.csr_array) -> Edges:
    """Edges among features; `following` are the codes of which the next token's are taken."""
    active = coded.active
    joint, before, density = _steps(coded, active, following, Role.EXPLAIN)
    chosen = sparse.csr_array(joint.multiply(excited)).tocoo()
    kept = (chosen.data >= LEAST_TOGETHER) & (chosen.row != chosen.col)
    kept &= chosen.data >= LIFT * density[chosen.col] * before[chosen.row]
    source, target = chosen.row[kept].astype(np.int64), chosen.col[kept].astype(np.int64)
    if not len(source):
        return Edges(source, target, np.zeros(0), np.zeros(0))
    joint, before, density = _steps(coded, active, following, Role.SCORE)
    taken = np.asarray(joint[source, target], dtype=np.float64).ravel()
    share = taken / np.maximum(before[source], 1)
    lift = np.divide(share, density[target], out=np.zeros_like(share), where=density[target] > 0)
    holds = lift >= LIFT
    return Edges(source[holds], target[holds], share[holds], lift[holds])


def _steps(
    coded: Coded, active: sparse.csr_array, following: sparse.csr_array, role: Role
) -> tuple[sparse.csr_array, ndarray, ndarray]:
    """How often each feature fires right after each other one, how often each is followed by a token, and densities."""
    first = np.flatnonzero(_goes_on(coded) & (coded.role[:-1] == int(role)))
    now, after = active[first].astype(np.float64), following[first + 1].astype(np.float64)
    before, density = np.asarray(now.sum(axis=0)).ravel(), np.asarray(after.mean(axis=0)).ravel()
    return sparse.csr_array(now.T @ after), before, density


def _goes_on(coded: Coded) -> Bool[ndarray, " step"]:
    """Whether the next row is the next token of the same passage."""
    return (np.diff(coded.passage) == 0) & (np.diff(coded.position) == 1)


def chains(told: Edges) -> list[list[tuple[int, float]]]:
    """From each feature the edge of highest share, and so on until a feature comes again; longest chains first.

    Each place holds a feature and the share with which the chain came to it (1 at its start); a chain of which
    half or more stands in earlier ones is left out.
    """
    order = np.lexsort((told.target, -told.share, told.source))
    sources, where = np.unique(told.source[order], return_index=True)
    best = {
        int(source): (int(told.target[order[place]]), float(told.share[order[place]]))
        for source, place in zip(sources, where, strict=True)
    }
    found = [_followed(start, best) for start in best]
    found.sort(key=lambda chain: (-len(chain), -np.prod([share for _, share in chain]), chain[0]))
    kept, seen = [], set()
    for chain in found:
        features = {feature for feature, _ in chain}
        if len(features - seen) * 2 > len(features):
            kept.append(chain)
            seen |= features
    return kept


def _followed(start: int, best: dict[int, tuple[int, float]]) -> list[tuple[int, float]]:
    chain, visited = [(start, 1.0)], {start}
    while chain[-1][0] in best and len(chain) < LONGEST:
        target, share = best[chain[-1][0]]
        chain.append((target, share))
        if target in visited:
            break
        visited.add(target)
    return chain
