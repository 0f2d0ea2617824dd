"""Rows are given once an epoch, and a peer is told the same order."""

from pathlib import Path

import pytest
import torch
from rows import PER_FEATURE, Rows, enough, silent, unexplained
from systems import Asked, written_rows

from tymbal.artifact import read_tensors
from tymbal.dictionaries import ReLU


def test_an_epoch_holds_every_row_once_and_the_next_has_another_order() -> None:
    rows = Rows(torch.arange(60.0).view(20, 3))
    first, second = (torch.cat([rows.batch(step, 5) for step in range(start, start + 4)]) for start in (0, 4))
    assert not torch.equal(first, second)
    for epoch in (first, second):
        assert torch.equal(epoch[epoch[:, 0].argsort()], rows.rows)


def test_a_peer_takes_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    rows = Rows(torch.randn(50, 3))
    held = read_tensors(written_rows(rows, Asked(kind="topk", features=8, k=2, batch=7, steps=11), tmp_path))
    for step in range(11):
        taken = held["order"][7 * step : 7 * (step + 1)].long()
        assert torch.equal(held["rows"][taken], rows.batch(step, 7))


def test_variance_unexplained_is_one_for_the_mean_and_zero_for_the_rows() -> None:
    rows = torch.randn(100, 4) + 5
    assert unexplained(rows, rows) == 0
    assert abs(unexplained(rows.double().mean(0).expand(100, 4), rows) - 1) < 1e-12


def test_a_feature_is_dead_where_it_fires_on_none_of_a_hundred_tokens_a_feature() -> None:
    dictionary = ReLU(3, 3).requires_grad_(False)
    dictionary.encoder.copy_(torch.eye(3))
    held_out, seen = torch.zeros(40, 3), torch.zeros(1000, 3)
    held_out[7, 0] = 1.0
    seen[259, 1] = 1.0
    seen[260, 2] = 1.0
    assert sum(len(part) for part in enough(held_out, seen, 3)) == 3 * PER_FEATURE
    assert silent(dictionary, enough(held_out, seen, 3)) == pytest.approx(1 / 3)
    assert silent(dictionary, [held_out]) == pytest.approx(2 / 3)
