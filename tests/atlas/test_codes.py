from pathlib import Path

import numpy as np
import pytest
from planted import dense_shard, shard_of

from tymbal.atlas import CodeShard, CodeStore
from tymbal.errors import ArtifactError


def _dense(shard: CodeShard) -> np.ndarray:
    values = np.zeros((len(shard.tokens), shard.features), dtype=np.float32)
    values[shard.rows, shard.entry_features()] = shard.values
    return values


def test_codes_come_back_from_disk_as_they_went_in(tmp_path: Path) -> None:
    values = dense_shard(rows=40, features=7, seed=0)
    passages = np.repeat([3, 4, 9], [10, 1, 29])
    store = CodeStore.begin(tmp_path, {})
    store.write(0, shard_of(values, passages=passages))
    shard = store.shard(0)
    np.testing.assert_array_equal(_dense(shard), values)
    assert shard.passage_ids.tolist() == [3, 4, 9]
    assert shard.passage_starts.tolist() == [0, 10, 11, 40]
    assert shard.passage_roles.tolist() == [1, 2, 1]
    np.testing.assert_array_equal(shard.passage_ids[shard.row_passages()], passages)


def test_entries_of_a_feature_are_adjacent_and_rows_rise() -> None:
    shard = shard_of(dense_shard(rows=50, features=5, seed=1))
    for feature in range(5):
        assert np.all(np.diff(shard.rows[shard.starts[feature] : shard.starts[feature + 1]]) > 0)


def test_a_store_is_taken_up_where_it_was_left_and_damage_is_forgotten(tmp_path: Path) -> None:
    store = CodeStore.begin(tmp_path, {"dictionary": "a"})
    for number in range(3):
        store.write(number, shard_of(dense_shard(rows=20, features=4, seed=number)))
    damaged = tmp_path / store.files()[2]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x7f")
    again = CodeStore.begin(tmp_path, {"dictionary": "a"})
    assert [number in again for number in range(4)] == [True, False, True, False]


def test_codes_of_something_else_are_refused(tmp_path: Path) -> None:
    CodeStore.begin(tmp_path, {"dictionary": "a"})
    with pytest.raises(ArtifactError, match="another model"):
        CodeStore.begin(tmp_path, {"dictionary": "b"})
