"""Held-out rows by whole groups, intervals by drawing groups, and p-values by permuting labels.

A group is an entity or a document: whatever would let a reader recognise a row instead of reading it. It is never on
both sides of the split, and it is drawn as a whole.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries import Number
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.errors import ProbeError
from tymbal.probes.targets import Classes, Target

_DRAWS_AT_ONCE = 100


class Split(NamedTuple):
    """Rows to fit and rows to judge by."""

    train: Int[Tensor, " fitted"]
    held_out: Int[Tensor, " judged"]


def grouped_split(groups: Int[Tensor, " row"], share: float, seed: int) -> Split:
    """Hold out whole groups, drawn one after the other until about `share` of the rows is held out."""
    names, group, counts = groups.unique(return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise ProbeError(
            expected="rows of at least two groups, so that one can be held out",
            got=f"{len(names)}",
            do="name the column that tells entities or documents apart, or leave it out",
        )
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))
    before = counts[order].cumsum(0) - counts[order]
    held = torch.zeros(len(names), dtype=torch.bool)
    held[order[before < share * len(groups)]] = True
    held[order[0]], held[order[-1]] = True, False
    return Split((~held[group]).nonzero()[:, 0], held[group].nonzero()[:, 0])


class GroupDraws:
    """The same draws of held-out groups for every number, so that numbers can be compared."""

    def __init__(self, groups: Int[Tensor, " row"], *, draws: int, seed: int) -> None:
        names, self._group = groups.unique(return_inverse=True)
        self._weights = Bootstrap(len(names), draws=draws, seed=seed).weights

    def number(self, statistic: Callable[[Float[Tensor, "draw row"]], Float[Tensor, " draw"]]) -> Number:
        """The statistic with every row once, and its 95 % interval; draws without a value are left out."""
        value = float(statistic(torch.ones(1, len(self._group), dtype=torch.float64)))
        drawn = torch.cat([statistic(part[:, self._group]) for part in self._weights.split(_DRAWS_AT_ONCE)])
        drawn = drawn[torch.isfinite(drawn)]
        if not len(drawn):
            return Number(value=value, low=float("nan"), high=float("nan"))
        low, high = torch.quantile(drawn, torch.tensor([0.025, 0.975], dtype=drawn.dtype)).tolist()
        return Number(value=value, low=low, high=high)


def permuted(target: Target, groups: Int[Tensor, " row"], generator: torch.Generator) -> Target:
    """The target with its labels in another order.

    Groups whose rows all have one label exchange it among themselves; labels of other groups change places within them.
    """
    _, group = groups.unique(return_inverse=True)
    rows, count = torch.arange(len(group)), int(group.max()) + 1
    first = torch.full((count,), len(group)).scatter_reduce_(0, group, rows, reduce="amin")
    labels = (target.ids[:, None] if isinstance(target, Classes) else target.values).double()
    differs = (labels != labels[first[group]]).any(1)
    mixed = torch.zeros(count, dtype=torch.bool)
    mixed[group[differs]] = True
    whole = (~mixed).nonzero()[:, 0]
    given = first.clone()
    given[whole] = first[whole[torch.randperm(len(whole), generator=generator)]]
    noise = torch.rand(len(group), generator=generator, dtype=torch.float64)
    within = torch.empty_like(rows)
    within[group.argsort(stable=True)] = (group.double() + noise).argsort()
    return target[torch.where(mixed[group], within, given[group])]


def p_value(
    found: float,
    statistic: Callable[[Target], float],
    target: Target,
    groups: Int[Tensor, " row"],
    *,
    permutations: int,
    seed: int,
) -> float:
    """The share of permutations of the held-out labels that score at least as well, the labels as they are among them.

    The probe never saw these rows. Where their labels have nothing to do with them, every order of the labels is as
    likely as any other, so the value is exact (Phipson & Smyth 2010) without fitting a probe again.
    """
    generator = torch.Generator().manual_seed(seed)
    reached = sum(statistic(permuted(target, groups, generator)) >= found for _ in range(permutations))
    return (1 + reached) / (1 + permutations)
