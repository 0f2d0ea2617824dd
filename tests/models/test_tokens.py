"""Padding and packing: a passage's activations do not depend on what lies beside it.

Tolerance 2e-5 of the largest activation at the site: a masked and an unmasked attention kernel add the same fp32 terms
in another order (relative rounding 6e-8 an addition), and four blocks with random weights of scale 0.2 amplify it. The
largest difference measured is 2.2e-6.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.models.conftest import VARIANTS, WINDOW, Tiny
from tymbal.models import LanguageModel, Tokens

TOLERANCE = 2e-5
SITES = ["embed", "attn_out.1", "resid_post.1", "resid_post.3"]
ATTENTION = [
    (variant, attention)
    for variant in VARIANTS
    for attention in ("sdpa", "eager")
    if (variant, attention) != ("gemma2", "sdpa")
]


def _rows(*lengths: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(3, 300, (length,), generator=generator).tolist() for length in lengths]


def _alone(model: LanguageModel, row: list[int]) -> dict[str, Tensor]:
    return {site: value[0] for site, value in model.read(torch.tensor([row]), SITES).items()}


def _assert_same(got: Tensor, expected: Tensor) -> None:
    assert got.isfinite().all()
    assert (got - expected).abs().max() <= TOLERANCE * expected.abs().max()


@pytest.fixture(params=ATTENTION, ids="-".join)
def each(request: pytest.FixtureRequest, tiny: Callable[..., Tiny]) -> LanguageModel:
    return tiny(*request.param).model


@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
def test_padding_on_either_side_gives_the_activations_of_a_lone_run(each: LanguageModel, left: bool) -> None:
    rows = _rows(13, 4, 9)
    padded = each.read(Tokens.from_rows(rows, fill=2, left=left), SITES)
    for index, row in enumerate(rows):
        place = slice(13 - len(row), 13) if left else slice(0, len(row))
        for site, alone in _alone(each, row).items():
            _assert_same(padded[site][index, place], alone)


def test_padded_activations_are_bit_equal_to_transformers_with_the_same_mask(any_tiny: Tiny) -> None:
    tokens = Tokens.from_rows(_rows(12, 5), fill=2)
    site = f"resid_post.{any_tiny.model.layers - 2}"
    with torch.inference_mode():
        states = any_tiny.text_part(
            input_ids=tokens.ids,
            attention_mask=tokens.mask.long(),
            position_ids=tokens.positions(),
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
    assert torch.equal(any_tiny.model.read(tokens, [site])[site], states[-2])


def _packed(rows: list[list[int]], padding: int) -> Tokens:
    length = sum(map(len, rows)) + padding
    ids, mask = torch.full((1, length), 2), torch.zeros(1, length, dtype=torch.bool)
    passages = torch.full((1, length), -1)
    start = 0
    for index, row in enumerate(rows):
        place = slice(start, start + len(row))
        ids[0, place], mask[0, place], passages[0, place] = torch.tensor(row), True, index
        start += len(row)
    return Tokens(ids, mask, passages)


def test_packed_passages_give_the_activations_of_lone_runs(each: LanguageModel) -> None:
    rows = _rows(WINDOW + 4, 7, WINDOW + 6)
    read = each.read(_packed(rows, padding=3), SITES)
    start = 0
    for row in rows:
        for site, alone in _alone(each, row).items():
            _assert_same(read[site][0, start : start + len(row)], alone)
        start += len(row)


def test_changing_one_packed_passage_leaves_the_others_bit_equal(each: LanguageModel) -> None:
    first, middle, last = _rows(9, 8, 10)
    before = each.read(_packed([first, middle, last], padding=2), SITES)
    after = each.read(_packed([first, [token - 1 for token in middle], last], padding=2), SITES)
    for site in SITES:
        changed = (before[site] != after[site]).any(-1)[0]
        assert changed[9:17].any()
        assert not changed[:9].any()
        assert not changed[17:27].any()


def test_packed_logits_are_those_of_lone_runs(causal_tiny: Tiny) -> None:
    rows = _rows(9, 7)
    logits = causal_tiny.model.logits(_packed(rows, padding=0))
    _assert_same(logits[0, 9:], causal_tiny.model.logits(torch.tensor([rows[1]]))[0])


def test_a_packed_row_may_be_longer_than_the_context(any_tiny: Tiny) -> None:
    rows = _rows(50, 40)
    site = "resid_post.3"
    read = any_tiny.model.read(_packed(rows, padding=0), [site])[site]
    _assert_same(read[0, 50:], _alone(any_tiny.model, rows[1])[site])


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 3))
def test_positions_restart_with_each_packed_passage(lengths: list[int], padding: int) -> None:
    tokens = _packed([[3] * length for length in lengths], padding)
    expected = [place for length in lengths for place in range(length)]
    assert tokens.positions()[0, : len(expected)].tolist() == expected


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.booleans())
def test_padded_rows_hold_their_tokens_and_count_positions_over_them(lengths: list[int], left: bool) -> None:
    rows = _rows(*lengths)
    tokens = Tokens.from_rows(rows, fill=2, left=left)
    for index, row in enumerate(rows):
        assert tokens.ids[index][tokens.mask[index]].tolist() == row
        assert tokens.positions()[index][tokens.mask[index]].tolist() == list(range(len(row)))


class _Parts(NamedTuple):
    """What `Tokens` would hold, past the shape check of the tests, which would answer first."""

    ids: Tensor
    mask: Tensor
    passages: None = None


def test_parts_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"share one shape .* \[\(2, 3\), \(2, 4\)\]"):
        Tokens.__post_init__(_Parts(torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 4, dtype=torch.bool)))
