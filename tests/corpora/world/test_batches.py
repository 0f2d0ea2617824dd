"""Batches for training: every document once, in few shapes, with little padding."""

import numpy as np
import pytest
from torch import Tensor

from tymbal.corpora.pretraining import PADDING
from tymbal.corpora.world import generate_world
from tymbal.corpora.world.batches import DocumentBatches, rounded_width
from tymbal.corpora.world.recipe import WorldTraining
from tymbal.corpora.world.training import train_tokenizer

DOCUMENTS = 600
CONFIG = WorldTraining(batch_tokens=1_024, shard_documents=DOCUMENTS)


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> list[Tensor]:
    """The batches of the first shard."""
    folder = tmp_path_factory.mktemp("shards")
    train_tokenizer(generate_world(0), 100).save_pretrained(folder)
    made = []
    batches = DocumentBatches(folder, CONFIG)(0, 0)
    for batch in batches:
        if batch.shard == 1:
            break
        made.append(batch.tokens)
    batches.close()
    return made


def test_every_document_stands_in_one_row_between_its_marks(shard: list[Tensor]) -> None:
    rows = [row[row != PADDING].tolist() for batch in shard for row in batch]
    documents = [row for row in rows if row]
    assert len(documents) == DOCUMENTS
    assert all(row[0] == 0 and row[1:].count(0) == 0 for row in documents)
    assert all(row[-1] == 1 or len(row) == 256 for row in documents)


def test_a_width_has_one_number_of_rows(shard: list[Tensor]) -> None:
    for batch in shard:
        rows, width = batch.shape[0], batch.shape[1] - 1
        assert width == rounded_width(width)
        assert rows == CONFIG.batch_tokens // width
    # All widths there can be, however long the run.
    assert len({rounded_width(width) for width in range(1, 256)}) == 24


def test_padding_is_small_and_stands_on_the_right(shard: list[Tensor]) -> None:
    for batch in shard:
        real = (batch != PADDING).int().numpy()
        assert (np.diff(real, axis=1) <= 0).all()
    places = sum(batch[:, 1:].numel() for batch in shard)
    read = sum(int((batch[:, 1:] != PADDING).sum()) for batch in shard)
    assert read > 0.85 * places
