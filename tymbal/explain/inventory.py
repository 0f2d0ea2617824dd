"""Every simple description that holds for some tokens of a text, with the rows of each: an inverted index.

Its products with the features' activations, sparse times sparse, give for all pairs of a description and a feature how
many active tokens they share and with what weight.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.explain.kinds import KINDS, Kind
from tymbal.explain.predicate import Simple
from tymbal.explain.text import Text


class Meetings(NamedTuple):
    """What descriptions share with one feature; only those that share anything."""

    atoms: Int32[ndarray, " met"]
    hits: ndarray
    """active tokens that the description holds for"""
    weights: ndarray
    """their summed weight"""


@dataclass(frozen=True)
class Inventory:
    """Simple descriptions ("atoms") of one value, kind after kind."""

    kinds: list[Kind]
    kind: Int32[ndarray, " atom"]
    """index into `kinds`"""
    values: list[str]
    starts: Int64[ndarray, " atom_and_end"]
    rows: Int32[ndarray, " pair"]
    tokens: int

    @classmethod
    def of(cls, text: Text, least: int) -> "Inventory":
        """All that holds for at least `least` tokens, but not for all."""
        kind, values, sizes, rows = [], [], [], []
        for number, entry in enumerate(KINDS.values()):
            column = text.made(entry.name, entry.column)
            counts = np.diff(column.starts)
            kept = np.flatnonzero((counts >= least) & (counts < len(text)))
            kind.append(np.full(len(kept), number, dtype=np.int32))
            values += [column.values[value] for value in kept]
            sizes.append(counts[kept])
            rows.append(column.rows[np.repeat((counts >= least) & (counts < len(text)), counts)])
        starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)
        return cls(list(KINDS.values()), np.concatenate(kind), values, starts, np.concatenate(rows), len(text))

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def sizes(self) -> Int64[ndarray, " atom"]:
        """Tokens that each holds for."""
        return np.diff(self.starts)

    @cached_property
    def nats(self) -> Float64[ndarray, " kind"]:
        """What it takes to pick one value of each kind.

        Of general kinds, such as shapes, one of their list; of all others one of everything that can be named, so that
        a token, its spelling and a concept on the same rows are equally long.
        """
        counts = np.bincount(self.kind, minlength=len(self.kinds))
        picked = np.where([kind.general for kind in self.kinds], counts, len(self))
        return np.log(np.maximum(picked, 2))

    def rows_of(self, atom: int) -> Int32[ndarray, " row"]:
        """The rows that one holds for."""
        return self.rows[self.starts[atom] : self.starts[atom + 1]]

    @cached_property
    def _numbers(self) -> dict[tuple[int, str], int]:
        return {pair: atom for atom, pair in enumerate(zip(self.kind.tolist(), self.values, strict=True))}

    def atom(self, kind: int, value: str) -> int:
        """The atom of a kind (index into `kinds`) and a value."""
        return self._numbers[kind, value]

    def predicate(self, atoms: list[int]) -> Simple:
        """Some atoms of one kind as one description."""
        return Simple(self.kinds[self.kind[atoms[0]]], tuple(self.values[atom] for atom in atoms))

    def matrix(self) -> sparse.csr_array:
        """Atoms by rows, ones."""
        ones = np.ones(len(self.rows), dtype=np.float32)
        return sparse.csr_array((ones, self.rows, self.starts), shape=(len(self), self.tokens))

    def meetings(self, matrix: sparse.csr_array, weights: sparse.csc_array) -> list[Meetings]:
        """What all atoms share with each of some features, given their weights, token by feature.

        `matrix` is `self.matrix()`, handed in so that it is made once.
        """
        ones = sparse.csc_array((np.ones_like(weights.data), weights.indices, weights.indptr), shape=weights.shape)
        hits, shared = (sparse.csc_array(matrix @ part.tocsr()) for part in (ones, weights))
        found = []
        for feature in range(len(weights.indptr) - 1):
            own = slice(hits.indptr[feature], hits.indptr[feature + 1])
            order = np.argsort(hits.indices[own])
            again = slice(shared.indptr[feature], shared.indptr[feature + 1])
            match = np.argsort(shared.indices[again])
            found.append(
                Meetings(hits.indices[own][order], hits.data[own][order], shared.data[again][match].astype(np.float64))
            )
        return found
