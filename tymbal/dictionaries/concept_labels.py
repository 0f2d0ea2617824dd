"""Which features are active on which tokens, and which concepts those tokens carry: both as sparse lists.

A mention of a concept is a run of consecutive tokens of one passage that all carry it: a name spelled by four tokens is
one mention, and so is a whole text in one language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.corpora import PassageStore
from tymbal.dictionaries.dictionary import Codes


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


def concepts_of(mention: Int[Tensor, " pair"], concept: Int[Tensor, " pair"]) -> Int[Tensor, " mention"]:
    """The concept of each mention; 0 for a number that no pair has."""
    found = torch.zeros(int(mention.max()) + 1 if len(mention) else 0, dtype=torch.int64)
    return found.scatter_(0, mention, concept)


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

    @cached_property
    def mention(self) -> Int[Tensor, " pair"]:
        """The mention that each pair belongs to, numbered from 0."""
        concept, token = self.concept.long(), self.token.long()
        order = torch.argsort(concept * (self.tokens + 1) + token)
        concept, token = concept[order], token[order]
        passage = self.passage[token]
        goes_on = (concept.diff() == 0) & (token.diff() == 1) & (passage.diff() == 0)
        number = torch.cat([torch.zeros(1, dtype=torch.int64), (~goes_on).cumsum(0)])[: len(order)]
        return torch.empty_like(number).index_copy_(0, order, number)

    def mentions(self, concepts: int) -> Int[Tensor, " concept"]:
        """How many mentions each of so many concepts has."""
        return torch.bincount(concepts_of(self.mention, self.concept.long()), minlength=concepts)

    def shifted(self, seed: int) -> "Labels":
        """The same labels moved along the text, past its end to its beginning, by a quarter to three quarters of it.

        Each concept keeps how many tokens carry it and in how long runs, and loses what the tokens say.
        """
        generator = torch.Generator().manual_seed(seed)
        by = self.tokens // 4 + int(torch.randint(max(1, self.tokens // 2), (), generator=generator))
        token, place = ((self.token.long() + by) % max(1, self.tokens)).sort(stable=True)
        return Labels(passage=self.passage, token=token, concept=self.concept[place])
