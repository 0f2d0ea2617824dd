import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.atlas.reservoir import Reservoir, mix, ranks

ITEM = st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 9))


def _best(items: list[tuple[int, int, int]], group: int, size: int) -> list[tuple[int, int, int]]:
    """Priority, place and identity of what sorting all items at once keeps."""
    mine = [(priority, place, identity) for place, (of, priority, identity) in enumerate(items) if of == group]
    kept: list[tuple[int, int, int]] = []
    for item in sorted(mine, key=lambda item: (-item[0], item[1])):
        if item[2] not in [other[2] for other in kept]:
            kept.append(item)
    return kept[:size]


@settings(deadline=None)
@given(st.lists(st.lists(ITEM, max_size=20), max_size=5), st.integers(1, 4))
def test_streaming_keeps_what_sorting_everything_would_keep(
    batches: list[list[tuple[int, int, int]]], size: int
) -> None:
    reservoir = Reservoir(4, size)
    place = 0
    for batch in batches:
        group = np.array([item[0] for item in batch], dtype=np.int64)
        priority = np.array([item[1] for item in batch], dtype=np.uint32)
        identity = np.array([item[2] for item in batch], dtype=np.uint64)
        places = np.arange(place, place + len(batch), dtype=np.int64)
        place += len(batch)
        wanted = reservoir.wanted(group, priority)
        reservoir.offer(group[wanted], priority[wanted], places[wanted], identity[wanted])
    items = [item for batch in batches for item in batch]
    for group in range(4):
        held = int(reservoir.held[group])
        columns = (reservoir.priority, reservoir.place, reservoir.identity)
        kept = list(zip(*(column[group, :held].tolist() for column in columns), strict=True))
        assert kept == _best(items, group, size)


def test_mixing_is_one_to_one_and_scatters_neighbours() -> None:
    mixed = mix(np.arange(100_000))
    assert len(np.unique(mixed)) == 100_000
    high = (mixed >> np.uint64(32)).astype(np.float64) / 2**32
    assert abs(high.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(high[1:], high[:-1])[0, 1]) < 0.02
    assert not np.array_equal(mixed, mix(np.arange(100_000), 1))


def test_ranks_count_within_each_group() -> None:
    assert ranks(np.array([4, 4, 4, 0, 7, 7])).tolist() == [0, 1, 2, 0, 0, 1]
    assert ranks(np.zeros(0, dtype=np.int64)).tolist() == []
