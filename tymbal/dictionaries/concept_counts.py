"""Counting on which tokens features and concepts meet.

Both are sparse: a token has k active features and a few concepts, so only their pairs are visited. Counts for all
features, thresholds and concepts are kept a block of concepts at a time; memory is features × levels × block.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.corpora import PassageStore
from tymbal.dictionaries.bootstrap import Bootstrap, Number
from tymbal.dictionaries.dictionary import Codes

LEVELS = (0.0, 0.25, 0.5, 0.75, 0.9)
"""Thresholds stand at these quantiles of a feature's values."""
_MOST_COUNTS = 1 << 24
_PAIRS_AT_ONCE = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Entries:
    """Active features of consecutive tokens, in order of tokens."""

    tokens: int
    features: int
    token: Int[Tensor, " entry"]
    feature: Int[Tensor, " entry"]
    value: Float[Tensor, " entry"]

    @classmethod
    def of(cls, codes: Codes, features: int) -> "Entries":
        """The codes of one batch of tokens."""
        where = (codes.values != 0).nonzero().cpu()
        active = (codes.values != 0).cpu()
        return cls(
            tokens=codes.values.shape[0],
            features=features,
            token=where[:, 0].to(torch.int32),
            feature=codes.indices.cpu()[active].to(torch.int32),
            value=codes.values.cpu()[active].float(),
        )

    @classmethod
    def joined(cls, parts: Iterable["Entries"]) -> "Entries":
        """Tokens of several batches, one after the other."""
        parts, before, token = list(parts), 0, []
        for part in parts:
            token.append(part.token + before)
            before += part.tokens
        return cls(
            tokens=before,
            features=parts[0].features,
            token=torch.cat(token),
            feature=torch.cat([part.feature for part in parts]),
            value=torch.cat([part.value for part in parts]),
        )


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Concepts of consecutive tokens, in order of tokens, and the passage of each token."""

    passage: Int[Tensor, " token"]
    """Passages numbered from 0 in order of appearance."""
    token: Int[Tensor, " pair"]
    concept: Int[Tensor, " pair"]

    @property
    def tokens(self) -> int:
        """How many tokens."""
        return len(self.passage)

    @property
    def passages(self) -> int:
        """How many passages."""
        return int(self.passage[-1]) + 1 if len(self.passage) else 0

    @classmethod
    def of_batch(
        cls,
        store: PassageStore,
        passages: Int[Tensor, " row"],
        positions: Int[Tensor, " row"],
        ordinary: Bool[Tensor, " row"],
    ) -> "Labels":
        """The labels of a harvested batch's ordinary tokens; whole passages, in order."""
        place = ordinary.long().cumsum(0) - 1  # of each row among the ordinary ones
        names, starts = [], []
        for row in (positions == 0).nonzero().squeeze(1).tolist():
            names.append(int(passages[row]))
            starts.append(row)
        tokens, concepts = [], []
        for name, start in zip(names, starts, strict=True):
            where, which = (torch.from_numpy(part.astype(np.int64)) for part in store.concept_tokens(name))
            seen = ordinary[start + where]
            tokens.append(place[start + where[seen]])
            concepts.append(which[seen])
        number = torch.bucketize(torch.arange(len(passages)), torch.tensor(starts), right=True) - 1
        return cls(passage=number[ordinary], token=torch.cat(tokens), concept=torch.cat(concepts))

    @classmethod
    def joined(cls, parts: Iterable["Labels"]) -> "Labels":
        """Labels of several batches, one after the other."""
        passage, token, concept = [], [], []
        tokens = passages = 0
        for part in parts:
            passage.append(part.passage + passages)
            token.append(part.token + tokens)
            concept.append(part.concept)
            tokens, passages = tokens + part.tokens, passages + part.passages
        return cls(passage=torch.cat(passage), token=torch.cat(token), concept=torch.cat(concept))

    def shuffled(self, seed: int) -> "Labels":
        """The same labels, each token's set of concepts moved to another token."""
        order = torch.randperm(self.tokens, generator=torch.Generator().manual_seed(seed))
        token, place = order[self.token].sort(stable=True)
        return Labels(passage=self.passage, token=token, concept=self.concept[place])


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
) -> Choice:
    """For each kept concept the feature and threshold of highest F1 on these tokens."""
    levels = cuts.shape[1]
    reached = (entries.value[:, None] > cuts[entries.feature.long()]).sum(1)  # levels that each entry is above
    active = _above(
        torch.bincount(entries.feature * (levels + 1) + reached, minlength=entries.features * (levels + 1)), levels
    )
    starts = torch.searchsorted(entries.token, torch.arange(entries.tokens + 1, dtype=torch.int32))
    block = max(1, _MOST_COUNTS // (entries.features * (levels + 1)))
    features, cut_values = [], []
    for group in kept.split(block):
        number = torch.full((concepts,), -1).index_copy(0, group, torch.arange(len(group)))
        mine = number[labels.concept] >= 0
        token, concept = labels.token[mine], number[labels.concept[mine]]
        met = torch.zeros(len(group) * entries.features * (levels + 1), dtype=torch.int32)
        for entry, pair in _pairs(starts, token):
            keys = (concept[pair] * entries.features + entries.feature[entry]) * (levels + 1) + reached[entry]
            met.index_add_(0, keys, torch.ones(len(keys), dtype=torch.int32))
        both = _above(met, levels).reshape(len(group), -1).double()
        f1 = 2 * both / (active.reshape(1, -1) + torch.bincount(concept, minlength=len(group))[:, None]).clamp_min(1)
        best = f1.argmax(1)
        features.append(best // levels)
        cut_values.append(cuts.flatten()[best])
    return Choice(torch.cat(features), torch.cat(cut_values))


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
    choice: Choice, entries: Entries, labels: Labels, kept: Int[Tensor, " kept"], bootstrap: Bootstrap
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
        carried = labels.token[by_concept[_segment(concept_ends, concept)]].long()
        both = fired[torch.isin(fired, carried)]
        sums.append(
            torch.stack(
                [torch.bincount(labels.passage[part], minlength=labels.passages) for part in (both, fired, carried)]
            ).double()
        )
    drawn = torch.stack([_f1(bootstrap.weights @ part.T) for part in sums], dim=1)
    totals = torch.stack([part.sum(1) for part in sums])
    return Outcome(
        f1=_f1(totals),
        precision=totals[:, 0] / totals[:, 1].clamp_min(1),
        recall=totals[:, 0] / totals[:, 2].clamp_min(1),
        positives=totals[:, 2].long(),
        drawn=drawn,
    )


def _segment(ends: Tensor, number: int) -> slice:
    return slice(int(ends[number - 1]) if number else 0, int(ends[number]))


def _f1(sums: Float[Tensor, "line three"]) -> Float[Tensor, " line"]:
    return 2 * sums[:, 0] / (sums[:, 1] + sums[:, 2]).clamp_min(1)
