"""Scores ranked in bfloat16 and chosen in fp32: the exact choice wherever it is said to be proven."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import rounded_scores
from tymbal.dictionaries.active import Active
from tymbal.dictionaries.rounded_scores import RoundedScores
from tymbal.dictionaries.scores import DenseScores

ROWS, FEATURES, WIDTH, K = 60, 300, 32, 6


@pytest.fixture(params=["at once", "in parts"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[RoundedScores, DenseScores]:
    """Random scores, and the same as a matrix; 300 features do not fill the last group of 32."""
    if request.param == "in parts":
        monkeypatch.setattr(rounded_scores, "AT_ONCE", 7 * 320)
    generator = torch.Generator().manual_seed(0)
    x, encoder = (torch.randn(count, WIDTH, generator=generator) for count in (ROWS, FEATURES))
    bias = torch.randn(FEATURES, generator=generator)
    return RoundedScores(x, encoder, bias), DenseScores(torch.addmm(bias, x, encoder.T))


def matrix(active: Active) -> Float[Tensor, "row feature"]:
    """Entries in their places."""
    whole = torch.zeros(ROWS, FEATURES)
    lengths = torch.diff(active.offsets, append=torch.tensor([len(active.values)]))
    whole[torch.repeat_interleave(torch.arange(ROWS), lengths), active.features] = active.values
    return whole


@pytest.mark.parametrize("how", ["highest_in_each_row", "highest_of_batch"])
def test_the_highest_are_those_of_the_exact_matrix(made, how: str) -> None:
    some, whole = made
    found, expected = (matrix(getattr(scores, how)(K)) for scores in (some, whole))
    assert torch.equal(found > 0, expected > 0)
    torch.testing.assert_close(found, expected)
    assert 0 <= some.uncertified < ROWS


def test_what_exceeds_a_floor_is_found_however_near_it_is(made) -> None:
    some, whole = made
    scores = whole.dense()
    floors = scores[torch.arange(FEATURES) % ROWS, torch.arange(FEATURES)].sub(1e-4)
    assert (floors < 0).any()
    found, expected = matrix(some.above(floors)), matrix(whole.above(floors))
    assert int((expected != 0).sum()) > FEATURES  # so that every feature has a score just above its floor
    assert torch.equal(found != 0, expected != 0)


def test_a_choice_that_rounding_could_have_changed_is_not_called_proven() -> None:
    x = torch.ones(1, 4)
    encoder = torch.ones(64, 4)
    encoder[40:] += 1e-4 * torch.arange(24).unsqueeze(1)  # bfloat16 cannot tell these from 1
    near = RoundedScores(x, encoder, torch.zeros(64))
    near.highest_in_each_row(2)
    assert near.uncertified == 1
    far = RoundedScores(x, torch.cat([encoder[:60], 3 + torch.rand(4, 4)]), torch.zeros(64))
    kept = far.highest_in_each_row(2)
    assert far.uncertified == 0
    assert set(kept.features.tolist()) <= {60, 61, 62, 63}


def test_few_features_are_all_candidates() -> None:
    x, encoder = torch.randn(5, 8), torch.randn(10, 8)
    some = RoundedScores(x, encoder, torch.zeros(10))
    found = some.highest_in_each_row(6)
    expected = DenseScores(x @ encoder.T).highest_in_each_row(6)
    assert some.uncertified == 0
    torch.testing.assert_close(found.values.view(5, 6).sort().values, expected.values.view(5, 6).sort().values)
