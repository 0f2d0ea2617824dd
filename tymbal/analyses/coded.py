"""The codes of a study's held-out text, as one sparse matrix, and which concepts its tokens carry.

An analysis chooses on passages that explain and measures on passages that score, so that no number profits from its own
choice (`Coded.of`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int32, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.atlas import CodeStore
from tymbal.corpora import PassageStore, Role
from tymbal.dictionaries.concept_labels import Entries, Labels
from tymbal.errors import TymbalError

MOST_TOKENS = 1_000_000
"""tokens that an analysis reads unless told otherwise"""


def shape_of(matrix: sparse.csr_array | sparse.csc_array) -> tuple[int, int]:
    """Rows and columns."""
    shape: Any = matrix.shape
    return int(shape[0]), int(shape[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Coded:
    """Codes of the tokens of whole passages, one passage after the other."""

    codes: sparse.csr_array
    """[token, feature], fp32, positive where a feature is active"""
    token: Int32[ndarray, " token"]
    """ids in the vocabulary"""
    passage: Int64[ndarray, " token"]
    position: Int32[ndarray, " token"]
    """in the passage, special tokens counted"""
    role: Int32[ndarray, " token"]

    def __len__(self) -> int:
        return len(self.token)

    @property
    def features(self) -> int:
        """Features of the dictionary, active or not."""
        return shape_of(self.codes)[1]

    @property
    def active(self) -> sparse.csr_array:
        """1 where a feature is active."""
        there = self.codes.copy()
        there.data = np.ones_like(there.data)
        return there

    def of(self, role: Role) -> "Coded":
        """The tokens of passages of one role."""
        return self.where(self.role == int(role))

    def where(self, kept: Bool[ndarray, " token"]) -> "Coded":
        """Some of the tokens."""
        return Coded(
            codes=sparse.csr_array(self.codes[np.flatnonzero(kept)]),
            token=self.token[kept],
            passage=self.passage[kept],
            position=self.position[kept],
            role=self.role[kept],
        )

    def entries(self) -> Entries:
        """The same codes as a list."""
        found = self.codes.tocoo()
        return Entries(
            tokens=len(self),
            features=self.features,
            token=torch.from_numpy(found.row.astype(np.int32)),
            feature=torch.from_numpy(found.col.astype(np.int32)),
            value=torch.from_numpy(found.data.astype(np.float32)),
        )


def read_coded(store: CodeStore, tokens: int = MOST_TOKENS) -> Coded:
    """The first `tokens` held-out tokens of a store, rounded up to whole shards.

    Raises `TymbalError` for a store that holds none.
    """
    parts: list[Coded] = []
    for shard in store.shards():
        local = shard.row_passages()
        by_feature = sparse.csc_array(
            (shard.values, shard.rows, shard.starts), shape=(len(shard.tokens), shard.features)
        )
        part = Coded(
            codes=sparse.csr_array(by_feature),
            token=np.asarray(shard.tokens),
            passage=shard.passage_ids[local],
            position=np.asarray(shard.positions),
            role=shard.passage_roles[local],
        )
        parts.append(part)
        if sum(len(one) for one in parts) >= tokens:
            break
    if not parts:
        raise TymbalError(expected="held-out text with codes", got=f"none in {store.folder}", do="study it again")
    return Coded(
        codes=sparse.csr_array(sparse.vstack([part.codes for part in parts], format="csr")),
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("token", "passage", "position", "role")
        },
    )


def require_same_text(left: Coded, right: Coded) -> None:
    """Raise `TymbalError` unless both hold codes of the same tokens."""
    same = all(
        np.array_equal(getattr(left, name), getattr(right, name)) for name in ("token", "passage", "position", "role")
    )
    if not same:
        raise TymbalError(
            expected="two studies of the same held-out text, cut by the same tokenizer",
            got=f"{len(left):,} and {len(right):,} tokens that differ",
            do="study both models on one corpus with the same --seed, --tokens and --passage-tokens",
        )


def moved(matrix: sparse.csr_array) -> sparse.csr_array:
    """The same rows moved along the text by half of it: what each column is stays, what it goes with is chance."""
    half = shape_of(matrix)[0] // 2
    return sparse.csr_array(sparse.vstack([matrix[half:], matrix[:half]], format="csr"))


def labels_of(coded: Coded, store: PassageStore) -> Labels:
    """The concepts of these tokens, indices into `store.concepts`."""
    first = np.flatnonzero(np.diff(coded.passage, prepend=-1))
    ends = np.append(first[1:], len(coded))
    tokens, concepts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for begin, end in zip(first, ends, strict=True):
        positions, concept = store.concept_tokens(int(coded.passage[begin]))
        place = np.searchsorted(coded.position[begin:end], positions)
        kept = place < end - begin
        kept[kept] = coded.position[begin + place[kept]] == positions[kept]
        tokens.append(begin + place[kept])
        concepts.append(concept[kept].astype(np.int64))
    number = np.repeat(np.arange(len(first)), ends - first)
    return Labels(
        passage=torch.from_numpy(number),
        token=torch.from_numpy(np.concatenate(tokens)),
        concept=torch.from_numpy(np.concatenate(concepts)),
    )
