"""The best few items of each group, kept while items stream by.

An item has a priority, a place (where it came from) and an identity (a hash of what it shows). Of items of one group
with the same identity only the one of highest priority counts. What is kept after any number of offers is what sorting
all items at once would keep: an item pushed out has `size` others of distinct identity above it, whatever comes later.
A random sample is the case where the priorities are random (Li 1994, "Reservoir-sampling algorithms", section 2).
"""

import numpy as np
from jaxtyping import Bool, Int64, Shaped, UInt32, UInt64
from numpy import ndarray

_MIX = np.uint64(0x9E3779B97F4A7C15)
_LAST = np.uint64(0xFFFFFFFF)


def mix(values: Shaped[ndarray, " item"], seed: int = 0) -> UInt64[ndarray, " item"]:
    """Scatter integers over 64 bits, one to one (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = values.astype(np.uint64) + _MIX * np.array([seed + 1], dtype=np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Reservoir:
    """Keeps, of each group, the `size` items of highest priority and distinct identity; first come wins a tie."""

    def __init__(self, groups: int, size: int) -> None:
        self.size = size
        self.held = np.zeros(groups, dtype=np.int32)
        """items held by each group"""
        self.priority = np.zeros((groups, size), dtype=np.uint32)
        """falling within a group"""
        self.place = np.zeros((groups, size), dtype=np.int64)
        self.identity = np.zeros((groups, size), dtype=np.uint64)

    def wanted(self, group: Int64[ndarray, " item"], priority: UInt32[ndarray, " item"]) -> Bool[ndarray, " item"]:
        """Which items could enter; the others need not be offered."""
        return (self.held[group] < self.size) | (priority > self.priority[group, -1])

    def offer(
        self,
        group: Int64[ndarray, " item"],
        priority: UInt32[ndarray, " item"],
        place: Int64[ndarray, " item"],
        identity: UInt64[ndarray, " item"],
    ) -> None:
        """Take in items; places must not fall below those offered before."""
        if not len(group):
            return
        touched = np.unique(group)
        kept_group, kept_slot = np.nonzero(np.arange(self.size) < self.held[touched][:, None])
        old = touched[kept_group]
        group = np.concatenate([old, group])
        priority = np.concatenate([self.priority[old, kept_slot], priority])
        place = np.concatenate([self.place[old, kept_slot], place])
        identity = np.concatenate([self.identity[old, kept_slot], identity])
        order = np.argsort(_falling(group, priority), kind="stable")
        order = order[first_of_each(mix(group[order]) ^ identity[order])]
        rank = ranks(group[order])
        order, rank = order[rank < self.size], rank[rank < self.size]
        into = group[order]
        self.priority[into, rank] = priority[order]
        self.place[into, rank] = place[order]
        self.identity[into, rank] = identity[order]
        self.held[touched] = np.bincount(np.searchsorted(touched, into), minlength=len(touched))


def _falling(group: Int64[ndarray, " item"], priority: UInt32[ndarray, " item"]) -> UInt64[ndarray, " item"]:
    """One key that rises with the group and falls with the priority."""
    return (group.astype(np.uint64) << np.uint64(32)) | (_LAST - priority.astype(np.uint64))


def first_of_each(keys: Shaped[ndarray, " item"]) -> Int64[ndarray, " first"]:
    """Indices of the first item of each distinct key, rising."""
    return np.sort(np.unique(keys, return_index=True)[1])


def ranks(groups: Shaped[ndarray, " item"]) -> Int64[ndarray, " item"]:
    """For items whose groups are adjacent: 0, 1, 2, ... within each group."""
    new = np.flatnonzero(np.diff(groups, prepend=groups[:1] - 1) != 0) if len(groups) else np.zeros(0, dtype=np.int64)
    lengths = np.diff(np.append(new, len(groups)))
    return np.arange(len(groups)) - np.repeat(new, lengths)
