from pathlib import Path

import numpy as np
import pytest
import torch
from planted import dense_shard, shard_of

from tymbal.atlas import CodeStore
from tymbal.atlas.neighbours import MINIMUM_JOINT, nearest_by_coactivation, nearest_by_cosine


def _store(folder: Path, *parts: np.ndarray) -> CodeStore:
    store = CodeStore.begin(folder, {})
    for number, values in enumerate(parts):
        store.write(number, shard_of(values, passages=np.full(len(values), number)))
    return store


def test_coactivation_is_the_jaccard_index_of_active_tokens(tmp_path: Path) -> None:
    parts = [dense_shard(rows=150, features=8, seed=seed) for seed in range(2)]
    active = np.concatenate(parts) > 0
    found = nearest_by_coactivation(_store(tmp_path, *parts), 300, 300, 3, seed=0)
    for feature in range(8):
        joint = (active & active[:, [feature]]).sum(axis=0)
        index = joint / (active | active[:, [feature]]).sum(axis=0)
        index[feature] = -1
        assert found.neighbour[feature].tolist() == np.lexsort((np.arange(8), -index))[:3].tolist()
        np.testing.assert_allclose(found.value[feature], np.sort(index)[::-1][:3], rtol=1e-6)


def test_features_seldom_together_are_no_neighbours(tmp_path: Path) -> None:
    values = np.zeros((40, 3), dtype=np.float32)
    values[: MINIMUM_JOINT - 1, :2] = 1
    values[10 : 10 + MINIMUM_JOINT, 1:] = 1
    found = nearest_by_coactivation(_store(tmp_path, values), 40, 40, 2, seed=0)
    assert found.neighbour.tolist() == [[-1, -1], [2, -1], [1, -1]]


def test_a_sample_of_tokens_comes_near_the_index_of_all(tmp_path: Path) -> None:
    values = dense_shard(rows=20_000, features=4, seed=0)
    store = _store(tmp_path, values)
    whole = nearest_by_coactivation(store, 20_000, 20_000, 3, seed=0)
    part = nearest_by_coactivation(store, 20_000, 5_000, 3, seed=0)
    np.testing.assert_allclose(np.sort(part.value), np.sort(whole.value), atol=0.03)
    assert not np.array_equal(part.value, whole.value)


def test_nearest_by_cosine_ignores_length_and_the_feature_itself() -> None:
    directions = torch.tensor([[1.0, 0.0], [5.0, 0.5], [0.0, 2.0], [-1.0, 0.0]])
    found = nearest_by_cosine(directions, 2)
    assert found.neighbour[:, 0].tolist() == [1, 0, 1, 2]
    np.testing.assert_allclose(found.value[0], [10 / np.sqrt(101), 0], atol=1e-6)


def test_blocks_of_features_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    directions = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    whole = nearest_by_cosine(directions, 5)
    monkeypatch.setattr("tymbal.atlas.neighbours._BLOCK_VALUES", 50 * 7)
    parts = nearest_by_cosine(directions, 5)
    np.testing.assert_array_equal(whole.neighbour, parts.neighbour)
