"""The online code: random labels cost what the uniform code costs, planted ones what their entropy says."""

import math

import pytest
import torch
from planted_rows import normal_rows

from tymbal.probes import Classes, Logistic, Numbers, Ridge, description_length


def test_random_labels_cost_as_much_as_the_uniform_code() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1200, 10, generator=generator)
    ids = torch.randint(0, 2, (1200,), generator=generator)
    found = description_length(Logistic(), x, Classes(ids, ("a", "b")), torch.arange(1200), draws=200, seed=0)
    assert found.without.value == 1.0
    assert found.saved.low <= 0 <= found.saved.high
    assert abs(found.saved.value) < 0.03


def test_labels_that_can_be_read_off_cost_next_to_nothing() -> None:
    x, ids = normal_rows(1200, gap=12.0)
    found = description_length(Logistic(), x, Classes(ids, ("a", "b")), torch.arange(1200), draws=100, seed=0)
    first_block = 1200 // 64 / 1200
    assert first_block < found.bits.value < first_block + 0.06


def test_a_noisy_channel_costs_its_conditional_entropy() -> None:
    x, ids = normal_rows(4000, gap=2.0)
    found = description_length(Logistic(), x, Classes(ids, ("a", "b")), torch.arange(4000), draws=100, seed=0)
    # E[-log2 p(y|x)] of two unit normals whose means lie 2 apart, by quadrature over the log-odds 2z + 2.
    z = torch.linspace(-9, 9, 20_001).double()
    density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
    entropy = float(torch.trapezoid(density * torch.nn.functional.softplus(-(2 * z + 2)) / math.log(2), z))
    assert found.bits.value == pytest.approx(entropy, abs=0.05)


def test_numbers_save_the_bits_of_their_spread() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 5, generator=generator)
    values = (x[:, :1] + 0.25 * torch.randn(4000, 1, generator=generator)).double()
    found = description_length(Ridge(), x, Numbers(values, ("u",)), torch.arange(4000), draws=50, seed=0)
    told = 1 - 1 / 64  # the first block is told without
    assert found.saved.value == pytest.approx(told * math.log2(math.sqrt(1 + 0.25**2) / 0.25), abs=0.08)


def test_no_group_is_told_in_two_blocks() -> None:
    from tymbal.probes.description import _blocks

    groups = torch.randint(0, 25, (700,), generator=torch.Generator().manual_seed(0))
    order, ends = _blocks(groups, 0)
    assert sorted(order.tolist()) == list(range(700))
    told = groups[order]
    for end in ends[:-1]:
        assert told[end] != told[end - 1]
        assert not set(told[:end].tolist()) & set(told[end:].tolist())
