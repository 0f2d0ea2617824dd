"""A shuffled order of n items that takes no memory: item i of the shuffle is computed from (seed, i).

1. A Feistel network of eight rounds permutes the numbers of b bits, b just enough for n (its two halves may differ
   by one bit and swap their sizes each round).
2. Cycle walking: a number that falls outside 0..n-1 is put through the network again until it falls inside. As the
   network is a permutation, so is the walk restricted to 0..n-1.

Sources: Luby and Rackoff 1988 (Feistel networks as permutations); Black and Rogaway 2002, "Ciphers with arbitrary
finite domains", section 3 (cycle walking); the round function is the finaliser of SplitMix64 (Steele, Lea and Flood
2014). This is a shuffle, not a cipher.
"""

import numpy as np
from jaxtyping import Int64

_ROUNDS = 8
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Permutation:
    """A permutation of 0..size-1 that is a pure function of its key.

    The key is any few integers, such as (seed, epoch); the same key gives the same order on every machine.
    """

    def __init__(self, size: int, *key: int) -> None:
        if size < 1:
            raise ValueError(f"a permutation needs at least one item, not {size}")
        self.size = size
        bits = max(2, (size - 1).bit_length())
        self._left, self._right = bits // 2, bits - bits // 2
        state = 0
        for part in (*key, size):
            state = _scramble((state ^ (part & _MASK)) + _GOLDEN & _MASK)
        self._keys = [np.uint64(_scramble(state + round_ * _GOLDEN & _MASK)) for round_ in range(_ROUNDS)]

    def __len__(self) -> int:
        return self.size

    def __call__(self, places: Int64[np.ndarray, " row"]) -> Int64[np.ndarray, " row"]:
        """The items that stand at these places of the shuffle; places must lie in 0..size-1."""
        if len(places) and (places.min() < 0 or places.max() >= self.size):
            raise ValueError(f"places must lie in 0..{self.size - 1}, not {places.min()}..{places.max()}")
        items = self._network(places.astype(np.uint64))
        outside = np.flatnonzero(items >= self.size)
        while len(outside):
            items[outside] = self._network(items[outside])
            outside = outside[items[outside] >= self.size]
        return items.astype(np.int64)

    def everything(self) -> Int64[np.ndarray, " row"]:
        """The whole shuffle, for small sizes."""
        return self(np.arange(self.size))

    def _network(self, numbers: np.ndarray) -> np.ndarray:
        left_bits, right_bits = self._left, self._right
        left = numbers >> np.uint64(right_bits)
        right = numbers & np.uint64((1 << right_bits) - 1)
        for key in self._keys:
            mixed = left ^ (_scramble_all(right ^ key) & np.uint64((1 << left_bits) - 1))
            left, right = right, mixed
            left_bits, right_bits = right_bits, left_bits
        return (left << np.uint64(right_bits)) | right


def _scramble(number: int) -> int:
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _MASK
    return number ^ number >> 31


def _scramble_all(numbers: np.ndarray) -> np.ndarray:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
