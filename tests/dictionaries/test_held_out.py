"""Which passages are measured, and how they are put together."""

import numpy as np
import pytest

from tymbal.corpora import Passage, Role
from tymbal.dictionaries.held_out import batches, sample
from tymbal.errors import CorpusError


def passages(lengths: list[int]) -> list[Passage]:
    generator = np.random.default_rng(0)
    made = []
    for number, length in enumerate(lengths):
        special = np.zeros(length, dtype=bool)
        special[0] = True
        tokens = generator.integers(3, 50, length).astype(np.int32)
        made.append(Passage(number, number, Role.SHOW, tokens, special))
    return made


def test_all_passages_are_taken_where_they_fit() -> None:
    assert [passage.id for passage in sample(passages([5, 6, 7]), 18, 0)] == [0, 1, 2]


def test_a_sample_is_seeded_bounded_and_from_everywhere() -> None:
    everything = passages([10] * 500)
    taken = [passage.id for passage in sample(iter(everything), 1000, 4)]
    assert taken == sorted(taken)
    assert len(taken) == 100
    assert taken == [passage.id for passage in sample(everything, 1000, 4)]
    assert taken != [passage.id for passage in sample(everything, 1000, 5)]
    assert 30 < sum(number < 250 for number in taken) < 70


def test_no_ordinary_token_is_refused() -> None:
    with pytest.raises(CorpusError, match="held-out passages with ordinary tokens; got none"):
        sample(passages([1, 1]), 100, 0)


def test_batches_hold_every_passage_once_and_spare_special_tokens_and_padding() -> None:
    made = passages([9, 3, 7, 7, 2, 20])
    seen = {}
    for batch in batches(made, 15):
        assert batch.tokens.ids.numel() <= 15 or len(batch.numbers) == 1
        for row, number in enumerate(batch.numbers.tolist()):
            length = len(made[number].tokens)
            assert int(batch.tokens.mask[row].sum()) == length
            assert batch.tokens.ids[row, :length].tolist() == made[number].tokens.tolist()
            assert (~batch.spared[row]).nonzero().squeeze(1).tolist() == list(range(1, length))
            seen[number] = seen.get(number, 0) + 1
    assert seen == dict.fromkeys(range(6), 1)
