"""Counting on which tokens features and concepts meet.

Both are sparse: a token has k active features and a few concepts, so only their pairs are visited. Counts for all
features, thresholds and concepts are kept a block of concepts at a time; memory is features × levels × block.

    precision = tokens with both / tokens where the feature is active
    recall    = by token:   tokens with both / tokens that carry the concept
                by mention: mentions on which the feature is active at least once / mentions
    F1        = 2 · precision · recall / (precision + recall)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tymbal.dictionaries.bootstrap import Bootstrap, Number
from tymbal.dictionaries.concept_labels import Entries, Labels, concepts_of

LEVELS = (0.0, 0.25, 0.5, 0.75, 0.9)
"""Thresholds stand at these quantiles of a feature's values."""
_MOST_COUNTS = 1 << 24
_PAIRS_AT_ONCE = 1 << 22


class Unit(Enum):
    """What recall counts."""

    TOKEN = "token"
    MENTION = "mention"


class Choice(NamedTuple):
    """For each kept concept, the feature and threshold that tell it best."""

    feature: Int[Tensor, " kept"]
    threshold: Float[Tensor, " kept"]


def thresholds(entries: Entries) -> Float[Tensor, "feature level"]:
    """Quantiles of each feature's values at `LEVELS`; the first lies below all of them."""
    order = torch.argsort(entries.value, stable=True)
    order = order[torch.argsort(entries.feature[order], stable=True)]
    counts = torch.bincount(entries.feature, minlength=entries.features)
    starts = counts.cumsum(0) - counts
    values = torch.cat([entries.value[order], torch.zeros(1)])
    places = [(starts + (share * (counts - 1).clamp_min(0)).long()).clamp_max(len(values) - 1) for share in LEVELS[1:]]
    return torch.stack([torch.zeros(entries.features)] + [values[place] for place in places], dim=1)


def best_features(
    entries: Entries,
    labels: Labels,
    kept: Int[Tensor, " kept"],
    concepts: int,
    cuts: Float[Tensor, "feature level"],
) -> dict[Unit, Choice]:
    """For each kept concept the feature and threshold of highest F1 on these tokens, by token and by mention."""
    levels = cuts.shape[1]
    best: dict[Unit, list[Tensor]] = {unit: [] for unit in Unit}
    for _, scores in _scores(entries, labels, kept, concepts, cuts):
        for unit, table in scores.items():
            best[unit].append(table.argmax(1))
    flat = {unit: torch.cat(parts) for unit, parts in best.items()}
    return {unit: Choice(places // levels, cuts.flatten()[places]) for unit, places in flat.items()}


class Best(NamedTuple):
    """For each feature the concept that it tells best; F1 0 where it tells none."""

    concept: Int[Tensor, " feature"]
    threshold: Float[Tensor, " feature"]
    f1: Float[Tensor, " feature"]


def best_concepts(
    entries: Entries, labels: Labels, kept: Int[Tensor, " kept"], concepts: int, cuts: Float[Tensor, "feature level"]
) -> dict[Unit, Best]:
    """For each feature the kept concept and threshold of highest F1 on these tokens, by token and by mention."""
    features, levels = cuts.shape
    nothing = torch.zeros(features, dtype=torch.int64)
    best = {unit: Best(nothing, torch.zeros(features), torch.zeros(features, dtype=torch.float64)) for unit in Unit}
    for group, scores in _scores(entries, labels, kept, concepts, cuts):
        for unit, table in scores.items():
            value, level = table.reshape(len(group), features, levels).max(2)
            value, place = value.max(0)
            threshold = cuts[torch.arange(features), level[place, torch.arange(features)]]
            better = value > best[unit].f1
            found = (group[place], threshold, value)
            best[unit] = Best(*(torch.where(better, new, old) for new, old in zip(found, best[unit], strict=True)))
    return best


def _scores(
    entries: Entries, labels: Labels, kept: Int[Tensor, " kept"], concepts: int, cuts: Float[Tensor, "feature level"]
) -> Iterator[tuple[Int[Tensor, " group"], dict[Unit, Float[Tensor, "group feature_level"]]]]:
    """F1 of every feature and threshold for the kept concepts, some of these at a time."""
    levels = cuts.shape[1]
    reached = (entries.value[:, None] > cuts[entries.feature.long()]).sum(1)  # levels that each entry is above
    active = _above(
        torch.bincount(entries.feature * (levels + 1) + reached, minlength=entries.features * (levels + 1)), levels
    )
    starts = torch.searchsorted(entries.token, torch.arange(entries.tokens + 1, dtype=torch.int32))
    mentions = labels.mentions(concepts)
    block = max(1, _MOST_COUNTS // (entries.features * (levels + 1)))
    for group in kept.split(block):
        met, carried = _meetings(entries, labels, group, concepts, reached, starts, levels)
        precision = met[Unit.TOKEN] / active.reshape(1, -1).clamp_min(1)
        there = {Unit.TOKEN: carried, Unit.MENTION: mentions[group]}
        yield group, {unit: f1_of(precision, met[unit] / there[unit][:, None].clamp_min(1)) for unit in Unit}


def _meetings(
    entries: Entries,
    labels: Labels,
    group: Int[Tensor, " kept"],
    concepts: int,
    reached: Int[Tensor, " entry"],
    starts: Int[Tensor, " start"],
    levels: int,
) -> tuple[dict[Unit, Float[Tensor, "kept feature_level"]], Int[Tensor, " kept"]]:
    """For each concept of a group: tokens and mentions met by each feature above each level; tokens that carry it."""
    number = torch.full((concepts,), -1).index_copy(0, group, torch.arange(len(group)))
    mine = number[labels.concept] >= 0
    token, concept, mention = labels.token[mine], number[labels.concept[mine]], labels.mention[mine]
    size = len(group) * entries.features * (levels + 1)
    met = torch.zeros(size, dtype=torch.int32)
    hits: list[Tensor] = []
    for entry, pair in _pairs(starts, token):
        feature, level = entries.feature[entry].long(), reached[entry]
        keys = (concept[pair] * entries.features + feature) * (levels + 1) + level
        met.index_add_(0, keys, torch.ones(len(keys), dtype=torch.int32))
        hits.append(_highest(mention[pair] * entries.features + feature, level, levels))
    hit = _highest(*_parted(torch.cat(hits), levels), levels) if hits else torch.zeros(0, dtype=torch.int64)
    where, level = _parted(hit, levels)
    concept_of = concepts_of(mention, concept)
    concept_feature = concept_of[where // entries.features] * entries.features + where % entries.features
    found = torch.bincount(concept_feature * (levels + 1) + level, minlength=size)
    counts = {Unit.TOKEN: met, Unit.MENTION: found}
    table = {unit: _above(count, levels).reshape(len(group), -1).double() for unit, count in counts.items()}
    return table, torch.bincount(concept, minlength=len(group))


def _highest(where: Int[Tensor, " hit"], level: Int[Tensor, " hit"], levels: int) -> Int[Tensor, " place"]:
    """The highest level at each place, both packed into one number."""
    packed = (where * (levels + 1) + level).sort().values
    last = torch.ones(len(packed), dtype=torch.bool)
    last[:-1] = packed[1:] // (levels + 1) != packed[:-1] // (levels + 1)
    return packed[last]


def _parted(packed: Int[Tensor, " hit"], levels: int) -> tuple[Int[Tensor, " hit"], Int[Tensor, " hit"]]:
    return packed // (levels + 1), packed % (levels + 1)


def _above(counts: Int[Tensor, " count"], levels: int) -> Int[Tensor, "line level"]:
    """From entries that reach exactly n levels to entries above each level."""
    return counts.reshape(-1, levels + 1).flip(1).cumsum(1).flip(1)[:, 1:]


def _pairs(starts: Int[Tensor, " start"], token: Int[Tensor, " pair"]):
    """Every label with every entry of its token, some at a time: places among the entries and among the labels."""
    counts = starts[token + 1] - starts[token]
    step = max(1, int(_PAIRS_AT_ONCE // max(1, int(counts.max()) if len(counts) else 1)))
    for first in range(0, len(token), step):
        some = counts[first : first + step]
        pair = torch.repeat_interleave(torch.arange(first, first + len(some)), some)
        within = torch.arange(len(pair)) - torch.repeat_interleave(some.cumsum(0) - some, some)
        yield starts[token[pair]] + within, pair


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """F1 of chosen features on tokens that took no part in the choice."""

    f1: Float[Tensor, " kept"]
    precision: Float[Tensor, " kept"]
    recall: Float[Tensor, " kept"]
    positives: Int[Tensor, " kept"]
    """Tokens or mentions that carry the concept."""
    drawn: Float[Tensor, "draw kept"]
    """F1 in each resample of the passages."""

    def number(self, place: int) -> Number:
        """One concept's F1 with its interval."""
        return _number(self.f1[place], self.drawn[:, place])

    def summary(self, statistic: Callable[[Tensor], Tensor]) -> Number:
        """A number about all concepts, such as how many have a good feature."""
        return _number(statistic(self.f1), statistic(self.drawn))


def _number(value: Tensor, drawn: Tensor) -> Number:
    low, high = torch.quantile(drawn, torch.tensor([0.025, 0.975], dtype=drawn.dtype)).tolist()
    return Number(value=float(value), low=low, high=high)


def outcome(
    choice: Choice, entries: Entries, labels: Labels, kept: Int[Tensor, " kept"], bootstrap: Bootstrap, unit: Unit
) -> Outcome:
    """Count the chosen features anew on these tokens."""
    by_feature = torch.argsort(entries.feature, stable=True)
    feature_ends = torch.bincount(entries.feature, minlength=entries.features).cumsum(0)
    by_concept = torch.argsort(labels.concept, stable=True)
    concept_ends = torch.bincount(labels.concept, minlength=int(kept.max()) + 1).cumsum(0)
    sums: list[Tensor] = []
    for feature, threshold, concept in zip(choice.feature.tolist(), choice.threshold, kept.tolist(), strict=True):
        mine = by_feature[_segment(feature_ends, feature)]
        fired = entries.token[mine][entries.value[mine] > threshold].long()
        pairs = by_concept[_segment(concept_ends, concept)]
        carried = labels.token[pairs].long()
        met = torch.isin(carried, fired)
        tokens = [carried[met], fired]
        if unit is Unit.TOKEN:
            tokens += [carried[met], carried]
        else:
            tokens += [_firsts(carried[met], labels.mention[pairs][met]), _firsts(carried, labels.mention[pairs])]
        sums.append(
            torch.stack([torch.bincount(labels.passage[part], minlength=labels.passages) for part in tokens]).double()
        )
    drawn = torch.stack([_f1(bootstrap.weights @ part.T) for part in sums], dim=1)
    totals = torch.stack([part.sum(1) for part in sums])
    return Outcome(
        f1=_f1(totals),
        precision=totals[:, 0] / totals[:, 1].clamp_min(1),
        recall=totals[:, 2] / totals[:, 3].clamp_min(1),
        positives=totals[:, 3].long(),
        drawn=drawn,
    )


def _segment(ends: Tensor, number: int) -> slice:
    return slice(int(ends[number - 1]) if number else 0, int(ends[number]))


def _firsts(token: Int[Tensor, " pair"], mention: Int[Tensor, " pair"]) -> Int[Tensor, " mention"]:
    """One token of each mention; a mention's pairs stand together."""
    begins = torch.ones(len(mention), dtype=torch.bool)
    begins[1:] = mention[1:] != mention[:-1]
    return token[begins]


def _f1(sums: Float[Tensor, "line four"]) -> Float[Tensor, " line"]:
    return f1_of(sums[:, 0] / sums[:, 1].clamp_min(1), sums[:, 2] / sums[:, 3].clamp_min(1))


def f1_of(precision: Tensor, recall: Tensor) -> Tensor:
    """The harmonic mean; 0 where both are 0."""
    return 2 * precision * recall / (precision + recall).clamp_min(torch.finfo(precision.dtype).tiny)
