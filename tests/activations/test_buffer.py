from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tymbal.activations import ActivationStore, HarvestConfig, StreamedRows, harvest
from tymbal.corpora import CutConfig, PassageStore, Role, cut
from tymbal.errors import CorpusError, ModelError
from tymbal.models import LanguageModel

SITE = "resid_post.1"


def _source(model: LanguageModel, passages: PassageStore, *, seed: int = 0, buffer_rows: int = 400, **options):
    config = HarvestConfig(sites=(SITE,), batch_tokens=200, dtype="float32")
    return StreamedRows(model, passages, SITE, seed=seed, buffer_rows=buffer_rows, config=config, **options)


def _sorted(rows: torch.Tensor) -> torch.Tensor:
    return rows[np.lexsort(rows.numpy().T)]


def _numbered(rows: torch.Tensor, store: ActivationStore) -> np.ndarray:
    """Which stored row each of these rows is, by nearest neighbour; the batches differ, so not bit for bit."""
    stored = store.rows_at(SITE, np.arange(store.rows))
    distance, nearest = torch.cdist(rows, stored).min(dim=1)
    assert distance.max() < 1e-3
    return nearest.numpy()


@pytest.fixture(scope="module")
def exact(model: LanguageModel, passages: PassageStore, tmp_path_factory: pytest.TempPathFactory) -> ActivationStore:
    """A float32 store of the same rows."""
    config = HarvestConfig(sites=(SITE,), batch_tokens=200, dtype="float32")
    return harvest(model, passages, config, tmp_path_factory.mktemp("exact"))


@pytest.mark.parametrize("buffer_rows", [200, 400, 5000, 100_000])
def test_each_row_comes_once_an_epoch(
    model: LanguageModel, passages: PassageStore, exact: ActivationStore, buffer_rows: int
) -> None:
    source = _source(model, passages, buffer_rows=buffer_rows)
    assert source.rows_per_epoch == len(exact.keep())
    assert source.width == model.width
    expected = exact.rows_at(SITE, exact.keep())
    for epoch in range(2):
        got = source.batch(epoch, source.rows_per_epoch)
        # Every stored row is matched, as often as it occurs (the same text at the same place gives equal rows).
        torch.testing.assert_close(
            _sorted(got.round(decimals=2)), _sorted(expected.round(decimals=2)), rtol=0, atol=0.011
        )
        torch.testing.assert_close(got.double().sum(0), expected.double().sum(0), rtol=1e-4, atol=1e-2)


def test_any_step_can_be_had_at_once_with_the_same_bits(model: LanguageModel, passages: PassageStore) -> None:
    source = _source(model, passages)
    steps = 2 * source.rows_per_epoch // 64 + 3
    run = [source.batch(step, 64) for step in range(steps)]
    jumping = _source(model, passages)
    for step in (steps - 1, 0, steps // 2, steps // 2 + 1, 7, steps - 2):
        assert torch.equal(jumping.batch(step, 64), run[step])
        assert torch.equal(_source(model, passages).batch(step, 64), run[step])


def test_steps_of_another_size_run_through_the_same_sequence(model: LanguageModel, passages: PassageStore) -> None:
    source = _source(model, passages)
    assert torch.equal(
        torch.cat([source.batch(step, 50) for step in range(12)]),
        torch.cat([source.batch(step, 200) for step in range(3)]),
    )


def test_seeds_and_epochs_give_other_orders(model: LanguageModel, passages: PassageStore) -> None:
    source, other = _source(model, passages), _source(model, passages, seed=1)
    size = source.rows_per_epoch
    assert not torch.equal(source.batch(0, 100), other.batch(0, 100))
    assert not torch.equal(source.batch(0, size), source.batch(1, size))


def test_an_epoch_reads_the_corpus_once_and_a_jump_two_chunks(
    model: LanguageModel, passages: PassageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_tokens = 0
    read = LanguageModel.read

    def counted(self, tokens, sites):
        nonlocal read_tokens
        read_tokens += int(tokens.mask.sum())
        return read(self, tokens, sites)

    monkeypatch.setattr(LanguageModel, "read", counted)
    source = _source(model, passages)
    steps = source.rows_per_epoch // 32
    for step in range(steps):
        source.batch(step, 32)
    assert read_tokens <= passages.tokens(Role.TRAIN)
    read_tokens = 0
    _source(model, passages).batch(steps // 2, 32)
    # Two chunks of at most 200 rows, a third if the batch runs over the end of a phase, and special tokens.
    assert 0 < read_tokens <= 1.1 * 600


def test_passages_are_mixed_as_well_as_the_buffer_allows(
    model: LanguageModel, passages: PassageStore, exact: ActivationStore
) -> None:
    ids = exact.ids(np.arange(exact.rows)).passages
    pairs = {}
    for buffer_rows in (200, 100_000):
        source = _source(model, passages, buffer_rows=buffer_rows)
        batches = [_numbered(source.batch(step, 64), exact) for step in range(source.rows_per_epoch // 64)]
        # Pairs of rows of one passage within a batch, and rows that still stand beside their neighbour in the text.
        pairs[buffer_rows] = np.mean([sum(n * (n - 1) for n in Counter(ids[rows]).values()) for rows in batches]) / 64
        beside = np.mean([(np.diff(rows) == 1).mean() for rows in batches])
        assert beside < 0.03
    lengths = np.bincount(ids[exact.keep()])
    ideal = (lengths * (lengths - 1)).sum() / lengths.sum() * 64 / lengths.sum()
    assert abs(pairs[100_000] - ideal) < 0.35 * ideal
    # A buffer of B rows out of n: n / B times as many, as docs/activations.md says.
    assert pairs[200] < 1.6 * ideal * lengths.sum() / 200


def test_special_tokens_and_sinks_are_left_out_if_asked(
    model: LanguageModel, passages: PassageStore, exact: ActivationStore
) -> None:
    assert _source(model, passages, skip_special=False).rows_per_epoch == exact.rows
    assert _source(model, passages, sink=3).rows_per_epoch == len(exact.keep(sink=3))


def test_values_have_the_stored_precision(model: LanguageModel, passages: PassageStore) -> None:
    rows = StreamedRows(model, passages, SITE, seed=0, buffer_rows=400).batch(0, 50)
    assert rows.dtype == torch.float32
    assert torch.equal(rows, rows.bfloat16().float())


def test_a_passage_without_usable_rows_does_no_harm(model: LanguageModel, documents: Callable, tmp_path: Path) -> None:
    passages = cut(documents(40), model.tokenizer, CutConfig(length=48, heldout=0.0), tmp_path)
    source = _source(model, passages, sink=40)
    assert 0 < source.rows_per_epoch < 400
    assert source.batch(0, 3 * source.rows_per_epoch).isfinite().all()


def test_bad_sources_are_refused(model: LanguageModel, passages: PassageStore) -> None:
    with pytest.raises(ValueError, match="four passages"):
        _source(model, passages, buffer_rows=100)
    with pytest.raises(CorpusError, match="at least one row"):
        _source(model, passages, sink=48)
    with pytest.raises(ModelError, match=r"resid_post\.8"):
        StreamedRows(model, passages, "resid_post.8", seed=0, buffer_rows=400)
    with pytest.raises(ValueError, match="step"):
        _source(model, passages).batch(-1, 10)
