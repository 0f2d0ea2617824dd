"""BatchTopK keeps exactly the highest scores of a batch, and learns where they begin."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tymbal.dictionaries import BatchTopK
from tymbal.dictionaries.batch_topk import packed
from tymbal.dictionaries.scores import DenseScores, Kept, highest


def by_sorting(scores: Tensor, count: int) -> list[int]:
    order = scores.flatten().argsort(descending=True)[:count]
    return sorted(order[scores.flatten()[order] > 0].tolist())


@given(rows=st.integers(1, 40), features=st.integers(1, 300), seed=st.integers(0, 1000), share=st.floats(0.01, 1.0))
@settings(deadline=None, max_examples=60)
def test_the_kept_scores_are_the_highest_of_the_batch(rows: int, features: int, seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, features, generator=generator) * 10 ** torch.randn(rows, 1, generator=generator)
    count = max(1, int(share * scores.numel()))
    assert highest(scores, count).positions.tolist() == by_sorting(scores, count)


def test_a_batch_that_the_sample_misjudges_is_still_exact() -> None:
    scores = torch.full((64, 512), 0.001)
    scores += torch.linspace(0, 1e-4, scores.numel()).view_as(scores)
    scores.flatten()[::61] = 5.0  # every score that the sample looks at is high
    kept = highest(scores, 2000)
    assert kept.positions.tolist() == by_sorting(scores, 2000)


def test_no_positive_score_keeps_nothing() -> None:
    assert len(highest(-torch.rand(5, 30), 10).positions) == 0


def test_ties_do_not_add_features() -> None:
    assert len(highest(torch.ones(8, 32), 40).positions) == 40


def test_packed_codes_hold_each_rows_scores() -> None:
    scores = torch.tensor([[0.0, 3.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]])
    positions = scores.flatten().nonzero().squeeze(1)
    codes = packed(Kept(positions, scores.flatten()[positions]), 3, 4)
    assert codes.indices.shape == (3, 2)
    dense = torch.zeros(3, 4).scatter_add_(1, codes.indices, codes.values)
    assert torch.equal(dense, scores)


def test_training_keeps_k_a_row_on_average_and_not_in_each_row() -> None:
    dictionary = BatchTopK(8, 256, 4)
    active = dictionary.select_in_training(DenseScores(torch.randn(100, 256)))
    assert len(active.features) == 400
    each = torch.diff(active.offsets, append=torch.tensor([400]))
    assert each.float().std() > 0.5


def test_the_threshold_gives_the_same_l0_in_use() -> None:
    dictionary = BatchTopK(8, 256, 4)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        dictionary.observe(dictionary.select_in_training(DenseScores(torch.randn(512, 256, generator=generator))))
    used = dictionary.select(torch.randn(8192, 256, generator=generator))
    assert float(used.l0().float().mean()) == pytest.approx(4, rel=0.02)


def test_the_threshold_follows_the_units() -> None:
    torch.manual_seed(0)
    dictionary = BatchTopK(8, 64, 4)
    torch.nn.init.normal_(dictionary.encoder)
    x = torch.randn(200, 8)
    for part in x.split(100):  # of one batch alone the threshold would be a score itself, and rounding decide on it
        dictionary.observe(dictionary.select_in_training(DenseScores(dictionary.scores(part).detach())))
    before = dictionary.encode(x)
    dictionary.rescale(2.5)
    after = dictionary.encode(x * 2.5)
    assert torch.equal(before.indices, after.indices)
    torch.testing.assert_close(after.values, before.values * 2.5)
