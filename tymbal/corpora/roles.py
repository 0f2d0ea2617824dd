"""What a passage is for: training, or one of three disjoint thirds of what is held out.

A passage's role is a function of its key and the seed alone (a 64-bit mix of both), so it does not change when the
corpus grows, and needs no list of what was drawn. Explaining a feature, scoring that explanation and showing the
feature never see the same passage.

Source of the mixing function: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014),
with the constants of SplitMix64.
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Role(IntEnum):
    """What a passage is for."""

    TRAIN = 0
    EXPLAIN = 1
    SCORE = 2
    SHOW = 3


HELD_OUT = (Role.EXPLAIN, Role.SCORE, Role.SHOW)


def roles_of(keys: Int64[np.ndarray, " passage"], *, heldout: float, seed: int) -> UInt8[np.ndarray, " passage"]:
    """The role of each key (a passage's id, or its document's): held out with probability `heldout`, then by thirds."""
    with np.errstate(over="ignore"):
        start = _mixed(np.full(1, seed % (1 << 64), dtype=np.uint64) + GOLDEN)
        drawn = _mixed(start + (keys.astype(np.uint64) + np.uint64(1)) * GOLDEN)
        third = _mixed(drawn + GOLDEN) % np.uint64(3)
    held = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53 < heldout
    return np.where(held, third + np.uint64(Role.EXPLAIN), np.uint64(Role.TRAIN)).astype(np.uint8)


def _mixed(values: UInt64[np.ndarray, " value"]) -> UInt64[np.ndarray, " value"]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
