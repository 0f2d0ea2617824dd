import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tymbal.activations import ActivationStore, StoredRows
from tymbal.activations.rows import pieces
from tymbal.errors import ArtifactError

SITE = "resid_post.1"


@given(st.integers(0, 50), st.integers(1, 40), st.integers(1, 30))
def test_the_pieces_of_consecutive_steps_run_through_every_epoch(step: int, size: int, rows: int) -> None:
    covered = [
        piece.epoch * rows + place for piece in pieces(step, size, rows) for place in range(piece.start, piece.stop)
    ]
    assert covered == list(range(step * size, (step + 1) * size))


def test_each_kept_row_comes_once_an_epoch(store: ActivationStore) -> None:
    rows = StoredRows(store, SITE, seed=0)
    assert rows.rows_per_epoch == len(store.keep()) < store.rows
    assert rows.width == 32
    for epoch in range(2):
        got = rows.batch(epoch, rows.rows_per_epoch)
        expected = store.rows_at(SITE, store.keep())
        assert torch.equal(got.sort(dim=0).values, expected.sort(dim=0).values)
        assert not torch.equal(got, expected)
    assert not torch.equal(rows.batch(0, rows.rows_per_epoch), rows.batch(1, rows.rows_per_epoch))


def test_a_batch_is_a_function_of_seed_and_step_alone(store: ActivationStore) -> None:
    first, again, other = (StoredRows(store, SITE, seed=seed) for seed in (5, 5, 6))
    batches = [first.batch(step, 100) for step in range(60)]  # several epochs
    for step in (59, 0, 31):
        assert torch.equal(again.batch(step, 100), batches[step])
    assert not torch.equal(other.batch(0, 100), batches[0])
    # The sequence does not depend on how it is cut into steps.
    assert torch.equal(torch.cat(batches[:6]), torch.cat([first.batch(step, 300) for step in range(2)]))


def test_filters_reach_the_store(store: ActivationStore) -> None:
    everything = StoredRows(store, SITE, seed=0, skip_special=False)
    assert everything.rows_per_epoch == store.rows
    assert StoredRows(store, SITE, seed=0, sink=4).rows_per_epoch == len(store.keep(sink=4))
    assert StoredRows(store, SITE, seed=0, norm_multiple=0.9).rows_per_epoch < len(store.keep())


def test_a_source_without_rows_or_site_is_refused(store: ActivationStore) -> None:
    with pytest.raises(ArtifactError, match="at least one row"):
        StoredRows(store, SITE, seed=0, sink=10_000)
    with pytest.raises(ArtifactError, match="embed"):
        StoredRows(store, "embed", seed=0)


def test_neighbours_in_the_text_are_strangers_in_the_order(store: ActivationStore) -> None:
    kept = store.keep()
    rows = StoredRows(store, SITE, seed=1)
    got = rows.batch(0, rows.rows_per_epoch)
    place = {row.numpy().tobytes(): number for number, row in enumerate(store.rows_at(SITE, kept))}
    order = np.array([place[row.numpy().tobytes()] for row in got])
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 4 / np.sqrt(len(order))
