"""Weighted scores agree with scikit-learn's."""

import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from tymbal.probes import Classes, Numbers
from tymbal.probes.scores import chance, score, score_name

GENERATOR = torch.Generator().manual_seed(0)
WEIGHTS = torch.randint(0, 4, (5, 200), generator=GENERATOR).double()


def test_auroc_is_scikit_learns_with_ties_and_weights() -> None:
    ids = torch.randint(0, 2, (200,), generator=GENERATOR)
    scores = (torch.randn(200, 1, generator=GENERATOR) + ids[:, None]).mul(3).round()
    found = score(scores, Classes(ids, ("no", "yes")), WEIGHTS)
    for value, weights in zip(found, WEIGHTS, strict=True):
        assert float(value) == pytest.approx(roc_auc_score(ids, scores[:, 0], sample_weight=weights), abs=1e-12)


def test_balanced_accuracy_is_scikit_learns() -> None:
    ids = torch.randint(0, 3, (200,), generator=GENERATOR)
    scores = torch.randn(200, 3, generator=GENERATOR) + torch.nn.functional.one_hot(ids, 3)
    found = score(scores, Classes(ids, ("a", "b", "c")), WEIGHTS)
    for value, weights in zip(found, WEIGHTS, strict=True):
        expected = balanced_accuracy_score(ids, scores.argmax(1), sample_weight=weights)
        assert float(value) == pytest.approx(expected, abs=1e-12)


def test_r2_is_scikit_learns_with_every_row_once() -> None:
    true = torch.randn(200, 2, generator=GENERATOR).double()
    scores = true.float() + torch.randn(200, 2, generator=GENERATOR)
    found = score(scores, Numbers(true, ("u", "v")), torch.ones(1, 200).double())
    assert float(found) == pytest.approx(r2_score(true, scores), abs=1e-6)


def test_names_and_chance() -> None:
    two, three = Classes(torch.tensor([0, 1]), ("a", "b")), Classes(torch.tensor([0]), ("a", "b", "c", "d"))
    assert (score_name(two), chance(two)) == ("AUROC", 0.5)
    assert (score_name(three), chance(three)) == ("balanced accuracy", 0.25)
    numbers = Numbers(torch.zeros(2, 1).double(), ("u",))
    assert (score_name(numbers), chance(numbers)) == ("R2", 0.0)
