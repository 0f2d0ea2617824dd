"""The count of a step's least cost, against sums done by hand."""

import pytest

from tymbal.dictionaries.roofline import H200, Device, Step, roofline

STEP = Step(width=4096, features=131072, rows=32768, k=64)


def test_the_count_at_the_benchmarks_sizes() -> None:
    bound = roofline(STEP, H200)
    assert STEP.parameters == 2 * 131072 * 4096
    assert STEP.operations == 2 * 32768 * 131072 * 4096
    # Four gathered numbers of four bytes for each active feature and column, and a gradient for each parameter.
    assert STEP.sparse_bytes == 16 * 32768 * 64 * 4096 + 4 * STEP.parameters
    assert bound.product == pytest.approx(0.0356, rel=0.01)
    assert bound.sparse == pytest.approx(0.0295, rel=0.01)
    assert bound.optimiser == pytest.approx(0.0065, rel=0.01)
    assert bound.total == bound.product + bound.sparse + bound.optimiser


def test_each_part_grows_with_what_it_depends_on() -> None:
    twice = Step(width=4096, features=131072, rows=2 * 32768, k=64)
    assert twice.operations == 2 * STEP.operations
    assert twice.optimiser_bytes == STEP.optimiser_bytes
    halved = Step(width=4096, features=131072, rows=32768, k=64, gathered=2)
    assert halved.sparse_bytes - 4 * STEP.parameters == (STEP.sparse_bytes - 4 * STEP.parameters) / 2


def test_a_faster_device_has_a_lower_roofline() -> None:
    fast = Device(name="fast", operations=2 * H200.operations, bandwidth=2 * H200.bandwidth, memory=H200.memory)
    assert roofline(STEP, fast).total == pytest.approx(roofline(STEP, H200).total / 2)
