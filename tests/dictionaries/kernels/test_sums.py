"""The kernels compute what torch's embedding bag and plain indexing do, and a whole step takes the same path."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import TrainingConfig, kernels
from tymbal.dictionaries.trainer import Trainer
from tymbal.dictionaries.units import units

FORMATS = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 1e-5}
"""Largest error, in units of the sum of sizes, by the format of the table; bfloat16's lines are exact in fp32."""


def bags(device: str, lengths: list[int], lines: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Entries in bags of these lengths: line numbers, weights, offsets."""
    generator = torch.Generator().manual_seed(sum(lengths))
    counts = torch.tensor(lengths)
    entries = int(counts.sum())
    gathered = torch.randint(lines, (entries,), generator=generator)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    weights = torch.randn(entries, generator=generator).to(wide)
    return gathered.to(device), weights.to(device), (counts.cumsum(0) - counts).to(device)


def table(device: str, lines: int, width: int, dtype: torch.dtype) -> Float[Tensor, "line width"]:
    return torch.randn(lines, width, generator=torch.Generator().manual_seed(width)).to(dtype).to(device)


def expected(gathered: Tensor, weights: Tensor, offsets: Tensor, lines: Tensor) -> Float[Tensor, "bag width"]:
    """Bag after bag in fp64."""
    stops = torch.cat([offsets[1:], offsets.new_tensor([len(gathered)])])
    terms = lines.double()[gathered] * weights.double().unsqueeze(1)
    return torch.stack([terms[start:stop].sum(0) for start, stop in zip(offsets.tolist(), stops.tolist(), strict=True)])


@pytest.mark.parametrize("dtype", list(FORMATS), ids=str)
@pytest.mark.parametrize("width", [5, 32, 1100])
def test_bags_are_summed(device: str, width: int, dtype: torch.dtype) -> None:
    from tymbal.dictionaries.kernels import sums

    lines = table(device, 40, width, dtype)
    gathered, weights, offsets = bags(device, [3, 0, 7, 1, 0], 40, dtype)
    found = sums.weighted_sums(gathered, weights, offsets, lines)
    assert found.dtype == weights.dtype
    torch.testing.assert_close(
        found.double(), expected(gathered, weights, offsets, lines), rtol=0, atol=10 * FORMATS[dtype]
    )


@pytest.mark.parametrize("dtype", list(FORMATS), ids=str)
@pytest.mark.parametrize("lengths", [[300, 0, 1, 128, 129, 0, 2], [0, 0, 0], [128], [0, 500]], ids=str)
def test_bags_of_very_different_sizes_are_summed_piece_by_piece(device: str, lengths: list[int], dtype: torch.dtype) -> None:
    from tymbal.dictionaries.kernels import sums

    lines = table(device, 40, 24, dtype)
    gathered, weights, offsets = bags(device, lengths, 40, dtype)
    found = sums.uneven_weighted_sums(gathered, weights, offsets, lines)
    torch.testing.assert_close(
        found.double(), expected(gathered, weights, offsets, lines), rtol=0, atol=100 * FORMATS[dtype]
    )


@pytest.mark.parametrize("dtype", list(FORMATS), ids=str)
@pytest.mark.parametrize("width", [5, 32, 1100])
def test_dot_products_of_entries(device: str, width: int, dtype: torch.dtype) -> None:
    from tymbal.dictionaries.kernels import sums

    lines, rows = table(device, 40, width, dtype), table(device, 4, width, dtype)
    lengths = [2, 0, 9, 4]
    gathered, _, offsets = bags(device, lengths, 40, dtype)
    row = torch.repeat_interleave(torch.arange(4), torch.tensor(lengths)).to(device)
    found = sums.gathered_dots(rows, lines, gathered, offsets)
    plain = (rows.double()[row] * lines.double()[gathered]).sum(1)
    torch.testing.assert_close(found.double(), plain, rtol=0, atol=100 * FORMATS[dtype])


def test_the_same_sums_have_the_same_bits(device: str) -> None:
    from tymbal.dictionaries.kernels import sums

    lines = table(device, 40, 24, torch.float32)
    entries = bags(device, [300, 5, 0, 257], 40, torch.float32)
    first, again = (sums.uneven_weighted_sums(*entries, lines) for _ in range(2))
    assert torch.equal(first, again)


@pytest.mark.parametrize("kind", ["topk", "batch_topk", "matryoshka", "jumprelu", "gated", "relu"])
def test_a_step_through_the_kernels_is_the_plain_one(planted, monkeypatch: pytest.MonkeyPatch, device: str, kind: str) -> None:
    config = TrainingConfig(kind=kind, features=64, k=3, batch=64, dead_after=100)
    made = {}
    for name, serving in (("plain", lambda tensor: False), ("kernels", lambda tensor: True)):
        monkeypatch.setattr(kernels, "serves", serving)
        trainer = Trainer(config, planted.width, 10, units(planted.rows), device=device)
        trainer.begin(planted.rows[:200])
        losses = [trainer.step(planted.rows[64 * step : 64 * step + 64]).loss for step in range(3)]
        made[name] = losses, [parameter.detach() for parameter in trainer.dictionary.parameters()]
    assert made["kernels"][0] == pytest.approx(made["plain"][0], rel=1e-5)
    for found, plain in zip(made["kernels"][1], made["plain"][1], strict=True):
        torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)


def test_the_kernels_serve_cuda_alone(device: str) -> None:
    assert kernels.serves(torch.zeros(1, device=device)) == (device == "cuda")
