"""How many bits the labels take for somebody who holds the rows (Voita & Titov 2020, online code).

Groups are put in a drawn order and cut into blocks of 1/64, 1/64, 1/32, …, 1/2 of the rows. Each block is told with a
probe fitted to all blocks before it, so a concept that is easy to find costs little from early on. The first block, and
any that comes before every class has been seen, is told with no knowledge.

    classes   -log2 p(label); without knowledge: log2 of the number of classes (the uniform code)
    numbers   -log2 of a normal density around the prediction, with the spread of errors on a part not fitted to;
              without knowledge: of one around the mean of the labels told before. Bits depend on the labels' units, so
              only the difference means something.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries import Number
from tymbal.probes.probe import Reader, Rows, log_probabilities
from tymbal.probes.splits import GroupDraws, grouped_split
from tymbal.probes.targets import Classes, Numbers, Target

_BLOCKS = 7
_LEAST = 16
"""Rows that must have been told before a probe is fitted."""


@dataclass(frozen=True, kw_only=True)
class DescriptionLength:
    """Bits a label."""

    bits: Number
    """With the rows."""
    without: Number
    """Without them: the uniform code for classes."""
    saved: Number
    """The difference, without - with."""


def description_length(
    reader: Reader, x: Rows, target: Target, groups: Int[Tensor, " row"], *, draws: int, seed: int
) -> DescriptionLength:
    """The online code of these labels; the intervals draw groups."""
    order, ends = _blocks(groups, seed)
    x, target, groups = x[order], target[order], groups[order]
    bits, without = torch.zeros(len(order), dtype=torch.float64), torch.zeros(len(order), dtype=torch.float64)
    start = 0
    for end in ends:
        block = torch.arange(start, end)
        without[block] = _without(target, start, block)
        bits[block] = without[block] if _too_few(target, start) else _told(reader, x, target, groups, start, block)
        start = end
    drawn = GroupDraws(groups, draws=draws, seed=seed)

    def mean(column: Float[Tensor, " row"]) -> Number:
        return drawn.number(lambda weights: weights @ column / weights.sum(1))

    return DescriptionLength(bits=mean(bits), without=mean(without), saved=mean(without - bits))


def _blocks(groups: Tensor, seed: int) -> tuple[Int[Tensor, " row"], list[int]]:
    """Rows in the order in which they are told, and where each block ends; no group lies in two blocks."""
    names, group = groups.unique(return_inverse=True)
    rank = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))
    order = rank[group].argsort(stable=True)
    told = rank[group][order]
    ends = {len(order)}
    for halvings in range(1, _BLOCKS):
        end = len(order) >> halvings
        while 0 < end < len(order) and told[end] == told[end - 1]:
            end += 1
        ends.add(end)
    return order, sorted(ends - {0})


def _too_few(target: Target, before: int) -> bool:
    if before < _LEAST:
        return True
    return isinstance(target, Classes) and len(target.ids[:before].unique()) < len(target.names)


def _without(target: Target, before: int, block: Tensor) -> Float[Tensor, " told"]:
    if isinstance(target, Classes):
        return torch.full((len(block),), math.log2(len(target.names)), dtype=torch.float64)
    # With nothing told yet, the block's own mean and spread stand in on both sides and so save nothing.
    seen = target.values[:before] if before >= _LEAST else target.values[: int(block[-1]) + 1]
    return _normal_bits(target.values[block] - seen.mean(0), seen.std(0))


def _told(
    reader: Reader, x: Rows, target: Target, groups: Tensor, before: int, block: Tensor
) -> Float[Tensor, " told"]:
    seen = torch.arange(before)
    scores = reader.fit(x[seen], target[seen], groups[seen]).scores(x[block]).double()
    if isinstance(target, Classes):
        return -log_probabilities(scores).gather(1, target.ids[block, None])[:, 0] / math.log(2)
    spread = _error_spread(reader, x[seen], target[seen], groups[seen])
    return _normal_bits(target.values[block] - scores, spread)


def _error_spread(reader: Reader, x: Rows, target: Numbers, groups: Tensor) -> Float[Tensor, " output"]:
    if len(groups.unique()) < 2:
        return target.values.std(0)
    fit, tried = grouped_split(groups, 0.3, 0)
    errors = reader.fit(x[fit], target[fit], groups[fit]).scores(x[tried]) - target.values[tried]
    return errors.square().mean(0).sqrt()


def _normal_bits(errors: Float[Tensor, "row output"], spread: Float[Tensor, " output"]) -> Float[Tensor, " row"]:
    spread = spread.clamp(min=1e-9)
    nats = (errors / spread).square() / 2 + spread.log() + math.log(2 * math.pi) / 2
    return nats.sum(1) / math.log(2)
