"""Where training starts."""

import pytest
import torch

from tymbal.dictionaries import TopK
from tymbal.dictionaries.initial import geometric_median, initialise
from tymbal.dictionaries.units import units
from tymbal.errors import TrainingError


def test_scaled_rows_have_mean_squared_norm_equal_to_the_width() -> None:
    rows = torch.randn(4000, 20) * 3 + 5
    made = units(rows)
    scaled = made.applied(rows.double())
    assert float(scaled.square().sum(1).mean()) == pytest.approx(20, rel=1e-9)
    assert float((scaled - scaled.mean(0)).square().sum(1).mean()) == pytest.approx(made.variance, rel=1e-9)


def test_the_median_of_symmetric_rows_is_their_centre_and_outliers_do_not_drag_it() -> None:
    half = torch.randn(200, 3, dtype=torch.float64)
    centre = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    rows = torch.cat([centre + half, centre - half])
    torch.testing.assert_close(geometric_median(rows), centre, rtol=0, atol=1e-5)
    spoiled = torch.cat([rows, torch.full((4, 3), 1e6, dtype=torch.float64)])
    assert float((geometric_median(spoiled) - centre).norm()) < 0.1
    assert float((spoiled.mean(0) - centre).norm()) > 1e4


def test_the_median_of_three_points_is_their_fermat_point() -> None:
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])
    torch.testing.assert_close(geometric_median(corners).float(), corners.mean(0), rtol=0, atol=1e-6)


def test_the_encoder_is_the_decoder_transposed_times_one_number_that_fits() -> None:
    rows = torch.randn(500, 16)
    dictionary = TopK(16, 64, 4)
    initialise(dictionary, rows, seed=3)
    dictionary.requires_grad_(False)
    torch.testing.assert_close(dictionary.decoder.norm(dim=1), torch.ones(64))
    ratio = (dictionary.encoder / dictionary.decoder).flatten()
    torch.testing.assert_close(ratio, ratio[0].expand_as(ratio), rtol=1e-4, atol=0)
    best = (rows - dictionary(rows)).square().sum()
    for factor in (0.9, 1.1):
        dictionary.encoder.mul_(factor)
        assert float((rows - dictionary(rows)).square().sum()) > float(best)
        dictionary.encoder.div_(factor)


def test_the_seed_fixes_the_directions() -> None:
    rows, made = torch.randn(100, 8), []
    for seed in (0, 0, 1):
        dictionary = TopK(8, 16, 2)
        initialise(dictionary, rows, seed)
        made.append(dictionary.decoder.detach())
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, 2.0])
def test_rows_that_cannot_be_learned_from_are_refused(value: float) -> None:
    rows = torch.full((50, 4), value)
    with pytest.raises(TrainingError, match=r"^expected .*; got .*; harvest"):
        units(rows)
