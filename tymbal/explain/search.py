"""The search for the description that agrees best with one feature.

1. Every simple description is judged at once, from what it shares with the feature.
2. Of each kind that allows it a set is grown, value by value, while that gains more than it costs.
3. The best of these, and those that hold most of the feature, are joined with every other description. What a pair
   shares with the feature is counted on the active tokens alone; that bounds its agreement, and only pairs whose bound
   beats the best so far are counted in full, the most promising first.
4. One side of the best pair is grown into a set among the tokens of the other.

All counts are exact; what is left out by steps 3 and 4 is which pairs are looked at.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tymbal.atlas.windows import ranges
from tymbal.explain.agreement import Counts, kappa, saved
from tymbal.explain.config import PredicateConfig
from tymbal.explain.inventory import Inventory, Meetings
from tymbal.explain.predicate import Both, Predicate, Simple

_MARGIN = 3.0
"""nats by which a description must be worth more than its length: about one random feature in twenty gets one"""


class Found(NamedTuple):
    """A description and how well it agrees with the feature, what its length costs taken off."""

    predicate: Predicate
    rows: Int[ndarray, " row"]
    value: float


class Length(NamedTuple):
    """How long descriptions are."""

    values: int
    """that they name"""
    nats: Counts
    """that it takes to pick them: “in digits” is short, a token long"""


class Pair(NamedTuple):
    """Two descriptions to be joined: a found one, and an atom."""

    first: int
    second: int
    bound: float


@dataclass(frozen=True)
class _Feature:
    """The tokens on which a feature is active, and what it shares with each atom."""

    rows: Int[ndarray, " entry"]
    weights: Float[ndarray, " entry"]
    """mean 1"""
    met: Meetings
    dense: Float[ndarray, " row"]
    """the same weights, of all tokens"""


class Search:
    """Searches the descriptions of one text; holds room for one feature at a time."""

    def __init__(self, inventory: Inventory, config: PredicateConfig) -> None:
        self.inventory, self.config = inventory, config
        self.matrix = inventory.matrix()
        by_row = self.matrix.T.tocsr()
        self._row_starts, self._row_atoms = by_row.indptr.astype(np.int64), by_row.indices
        self._sizes = inventory.sizes
        self._nats = math.log(max(2, len(inventory)))
        self._atom_nats = inventory.nats[inventory.kind]
        self._dense = np.zeros(inventory.tokens)
        self._local = np.zeros(len(inventory), dtype=np.int64)

    def best(self, rows: Int[ndarray, " entry"], weights: Float[ndarray, " entry"], met: Meetings) -> Found | None:
        """The best description of a feature that is active on these rows; None where none holds enough of them."""
        self._dense[rows] = weights
        feature = _Feature(rows, weights, met, self._dense)
        found = [*self._singles(feature), *self._sets(feature)]
        if found:
            found += self._pairs(feature, found)
        best = max(found, key=lambda one: one.value, default=None)
        self._dense[rows] = 0
        return best

    def _value(self, weight: Counts, hits: Counts, size: Counts, length: Length, active: int) -> ndarray:
        """Agreement less what length costs; -1 where a description is not worth its own length."""
        agreed = kappa(weight, hits, size, length.values, active, self.inventory.tokens)
        worth = saved(hits, size, active, self.inventory.tokens) > length.values * self._nats + _MARGIN
        return np.where(worth, agreed - self.config.penalty * (length.nats / self._nats - 1), -1.0)

    def _length(self, predicate: Predicate) -> Length:
        parts = (predicate.first, predicate.second) if isinstance(predicate, Both) else (predicate,)
        of_kind = dict(zip(self.inventory.kinds, self.inventory.nats.tolist(), strict=True))
        nats = sum(part.complexity * of_kind[part.of] for part in parts if isinstance(part, Simple))
        return Length(predicate.complexity, nats)

    def _exact(self, predicate: Predicate, rows: ndarray, feature: _Feature) -> Found:
        weights = feature.dense[rows]
        shared = float(weights.sum()), int(np.count_nonzero(weights)), len(rows)
        return Found(predicate, rows, float(self._value(*shared, self._length(predicate), len(feature.rows))))

    def _singles(self, feature: _Feature) -> list[Found]:
        """The best atoms, and those that are most telling of much of the feature."""
        met, active = feature.met, len(feature.rows)
        sizes = self._sizes[met.atoms]
        values = self._value(met.weights, met.hits, sizes, Length(1, self._atom_nats[met.atoms]), active)
        lift = met.hits / active / (sizes / self.inventory.tokens)
        telling = met.weights * np.log(np.maximum(lift, 1e-9))
        enough = met.hits >= self.config.support
        half = max(1, self.config.breadth // 2)
        chosen: list[int] = []
        for order in (values, telling):
            some = np.flatnonzero(enough)
            # Stable, so that of equals the first kind is taken.
            chosen += some[np.argsort(-order[some], kind="stable")[:half]].tolist()
        places = list(dict.fromkeys(chosen))
        atoms = [int(met.atoms[place]) for place in places]
        return [
            Found(self.inventory.predicate([atom]), self.inventory.rows_of(atom), float(values[place]))
            for atom, place in zip(atoms, places, strict=True)
        ]

    def _sets(self, feature: _Feature) -> list[Found]:
        met = feature.met
        kinds = self.inventory.kind[met.atoms]
        found = []
        for number, kind in enumerate(self.inventory.kinds):
            if kind.sets:
                some = np.flatnonzero(kinds == number)
                grown = self._grown(met, some, self._sizes[met.atoms[some]], len(feature.rows), number, Length(0, 0.0))
                if len(grown) > 1:
                    found.append(self._exact(*self._named(grown), feature))
        return found

    def _grown(self, met: Meetings, some: ndarray, sizes: ndarray, active: int, kind: int, joined: Length) -> list[int]:
        """A set of atoms of one kind, of those at the places `some`, that grows while it gains.

        They are taken to be disjoint. `joined` is the length of what the set is joined with.
        """
        chosen: list[int] = []
        best, weight, hits, size = -1.0, 0.0, 0.0, 0.0
        free = np.ones(len(some), dtype=bool)
        while free.any() and len(chosen) < self.config.members:
            named = len(chosen) + 1
            length = Length(joined.values + named, joined.nats + named * self.inventory.nats[kind])
            values = self._value(weight + met.weights[some], hits + met.hits[some], size + sizes, length, active)
            place = int(np.where(free, values, -np.inf).argmax())
            if values[place] <= best:
                break
            best = float(values[place])
            weight, hits, size = weight + met.weights[some[place]], hits + met.hits[some[place]], size + sizes[place]
            free[place] = False
            chosen.append(int(met.atoms[some[place]]))
        return chosen

    def _named(self, atoms: list[int]) -> tuple[Simple, ndarray]:
        rows = [self.inventory.rows_of(atom) for atom in atoms]
        return self.inventory.predicate(atoms), rows[0] if len(rows) == 1 else np.unique(np.concatenate(rows))

    def _pairs(self, feature: _Feature, singles: list[Found]) -> list[Found]:
        """The best conjunction of two, if it beats all that are given."""
        masks = np.zeros((len(singles), self.inventory.tokens), dtype=bool)
        for place, one in enumerate(singles):
            masks[place, one.rows] = True
        best = max(one.value for one in singles)
        found: Found | None = None
        for pair in self._promising(feature, singles, masks, best):
            if pair.bound <= best:
                break
            second = self.inventory.rows_of(pair.second)
            simple = singles[pair.first].predicate
            assert isinstance(simple, Simple)
            joined = Both(simple, self.inventory.predicate([pair.second]))
            one = self._exact(joined, second[masks[pair.first, second]], feature)
            if one.value > best:
                best, found = one.value, one
        return [] if found is None else [found, *self._widened(found, feature)]

    def _promising(self, feature: _Feature, singles: list[Found], masks: ndarray, best: float) -> list[Pair]:
        """Pairs that may beat the best, by the most that their agreement can be."""
        met, active = feature.met, len(feature.rows)
        lengths = self._row_starts[feature.rows + 1] - self._row_starts[feature.rows]
        self._local[met.atoms] = np.arange(len(met.atoms))
        atoms = self._local[self._row_atoms[ranges(self._row_starts[feature.rows], lengths)]]
        entry = np.repeat(np.arange(active), lengths)
        # Atoms below the inventory's least size are not in it; those met are all that active rows have.
        found: list[Pair] = []
        for place, one in enumerate(singles):
            inside = masks[place, feature.rows][entry]
            own, weights = atoms[inside], feature.weights[entry[inside]]
            hits = np.bincount(own, minlength=len(met.atoms))
            weight = np.bincount(own, weights, minlength=len(met.atoms))
            first = self._length(one.predicate)
            length = Length(first.values + 1, first.nats + self._atom_nats[met.atoms])
            bound = self._value(weight, hits, hits, length, active)
            hopeful = np.flatnonzero((bound > best) & (hits >= self.config.support))
            found += [Pair(place, int(met.atoms[atom]), float(bound[atom])) for atom in hopeful]
        found.sort(key=lambda pair: (-pair.bound, pair.first, pair.second))
        return found[: self.config.trials]

    def _widened(self, found: Found, feature: _Feature) -> list[Found]:
        """The same conjunction with one side grown into a set among the tokens of the other."""
        assert isinstance(found.predicate, Both)
        sides = (found.predicate.first, found.predicate.second)
        wider = []
        for side, other in (sides, sides[::-1]):
            if not side.of.sets:
                continue
            number = self.inventory.kinds.index(side.of)
            context = self._rows(other)
            atoms, sizes = self._among(context, number)
            inside = feature.dense[context] > 0
            own, hits = self._among(context[inside], number)
            place = np.searchsorted(atoms, own)
            weights = self._weights_among(context[inside], number, own, feature)
            met = Meetings(own, hits, weights)
            everything = np.arange(len(own))
            grown = self._grown(met, everything, sizes[place], len(feature.rows), number, self._length(other))
            if len(grown) > 1:
                set_of, rows = self._named(grown)
                joined = np.intersect1d(rows, context, assume_unique=True)
                wider.append(self._exact(Both(set_of, other), joined, feature))
        return wider

    def _rows(self, simple: Simple) -> ndarray:
        number = self.inventory.kinds.index(simple.of)
        atoms = [self.inventory.atom(number, value) for value in simple.values]
        return self._named(atoms)[1]

    def _entries(self, rows: ndarray, kind: int) -> tuple[ndarray, ndarray]:
        """Atoms of one kind that these rows have, and the place of the row of each."""
        lengths = self._row_starts[rows + 1] - self._row_starts[rows]
        atoms = self._row_atoms[ranges(self._row_starts[rows], lengths)]
        of_kind = self.inventory.kind[atoms] == kind
        return atoms[of_kind], np.repeat(np.arange(len(rows)), lengths)[of_kind]

    def _among(self, rows: ndarray, kind: int) -> tuple[ndarray, ndarray]:
        """Atoms of one kind and how many of these rows each holds for."""
        return np.unique(self._entries(rows, kind)[0], return_counts=True)

    def _weights_among(self, rows: ndarray, kind: int, atoms: ndarray, feature: _Feature) -> ndarray:
        own, place = self._entries(rows, kind)
        return np.bincount(np.searchsorted(atoms, own), feature.dense[rows[place]], minlength=len(atoms))
