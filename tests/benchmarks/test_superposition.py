"""Recovery of true features, against planted ones; the toy model squeezes more features than it has dimensions."""

import pytest
import superposition
import torch
from superposition import best_f1, highest_cosines, toy_model


def test_each_true_direction_is_held_against_its_nearest_learned_one() -> None:
    true = torch.eye(3)
    learned = torch.tensor([[2.0, 0, 0], [1, 1, 0]])
    torch.testing.assert_close(highest_cosines(true, learned), torch.tensor([1.0, 0.5**0.5, 0.0]))


def test_the_best_f1_is_that_of_the_feature_that_tells_best() -> None:
    there = torch.tensor([[1, 0], [1, 1], [0, 0], [0, 0]], dtype=torch.bool)
    fires = torch.tensor([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 0, 1]], dtype=torch.bool)
    torch.testing.assert_close(best_f1(there, fires), torch.tensor([1.0, 2 / 3], dtype=torch.float64))


def test_sparse_features_are_stored_in_superposition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superposition, "TOY_STEPS", 600)
    weight = toy_model(torch.Generator().manual_seed(0))
    kept = weight.norm(dim=0) > superposition.KEPT
    assert int(kept.sum()) > 1.5 * superposition.HIDDEN
