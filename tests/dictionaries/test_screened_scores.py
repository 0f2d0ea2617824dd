"""Screened selection keeps what the fp64 ranking keeps, wherever the margin exceeds 1e-5 |x||w|, on hard inputs too."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from tymbal.dictionaries.active import Active
from tymbal.dictionaries.scores import DenseScores
from tymbal.dictionaries.screened_scores import ScreenedScores
from tymbal.dictionaries.screening import UNIT_ROUNDOFF, Room, Screen, has_matrix_units
from tymbal.models import open_model

ROWS, WIDTH, FEATURES, K = 96, 40, 600, 7
MARGIN = 1e-5

pytestmark = pytest.mark.skipif(not has_matrix_units(), reason="no bfloat16 matrix units")


class Case(NamedTuple):
    x: Float[Tensor, "row width"]
    encoder: Float[Tensor, "feature width"]
    bias: Float[Tensor, " feature"]


def ordinary() -> Case:
    return Case(torch.randn(ROWS, WIDTH), torch.randn(FEATURES, WIDTH), torch.randn(FEATURES))


def near_ties() -> Case:
    """Every direction is one of ten, moved by less than bfloat16 can tell."""
    encoder = torch.randn(10, WIDTH).repeat(FEATURES // 10, 1)
    return ordinary()._replace(encoder=encoder + 1e-4 * torch.randn(FEATURES, WIDTH), bias=torch.zeros(FEATURES))


def massive_activations() -> Case:
    """One coordinate is a thousand times as large as the others in every tenth row, and the encoder barely reads it."""
    case = ordinary()
    case.x[::10, 3] *= 1000
    case.encoder[:, 3] *= 1e-3
    return case


def duplicates() -> Case:
    case = ordinary()
    return case._replace(encoder=case.encoder[:200].repeat(3, 1), bias=case.bias[:200].repeat(3))


def zero_rows() -> Case:
    case = ordinary()
    case.x[::3] = 0
    return case._replace(bias=torch.zeros(FEATURES))


def all_alike() -> Case:
    """No screen can tell these features apart."""
    return ordinary()._replace(encoder=torch.ones(FEATURES, WIDTH) + 1e-6 * torch.randn(FEATURES, WIDTH))


def many_sizes() -> Case:
    case = ordinary()
    sizes = 10 ** torch.linspace(-6, 6, ROWS).unsqueeze(1)
    return Case(case.x * sizes, case.encoder * 10 ** torch.linspace(-2, 2, FEATURES).unsqueeze(1), 1e-3 * case.bias)


def few_positive() -> Case:
    return ordinary()._replace(bias=torch.full((FEATURES,), -15.0))


def large_bias() -> Case:
    return ordinary()._replace(bias=100 + torch.randn(FEATURES))


CASES = [
    ordinary,
    near_ties,
    massive_activations,
    duplicates,
    zero_rows,
    all_alike,
    many_sizes,
    few_positive,
    large_bias,
]
hard = pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)


def made(make: Callable[[], Case]) -> tuple[Case, Float[Tensor, "row feature"], Float[Tensor, "row 1"]]:
    """The case, its scores in fp64, and the margin within which a choice is free."""
    torch.manual_seed(0)
    case = make()
    exact = case.x.double() @ case.encoder.double().T + case.bias.double()
    sizes = case.x.double().norm(dim=1, keepdim=True) * case.encoder.double().norm(dim=1).max()
    return case, exact, MARGIN * (sizes + case.bias.abs().max())


def screened(case: Case) -> ScreenedScores:
    return ScreenedScores(*case, Room(ROWS, WIDTH, FEATURES))


def kept(active: Active) -> Float[Tensor, "row feature"]:
    """The values kept, in place; 0 elsewhere."""
    lengths = torch.diff(active.offsets, append=torch.tensor([len(active.features)]))
    row = torch.repeat_interleave(torch.arange(ROWS), lengths)
    dense = torch.zeros(ROWS, FEATURES, dtype=torch.float64)
    return dense.index_put_((row, active.features), active.values.double(), accumulate=True)


@hard
def test_the_bound_holds_for_every_score(make: Callable[[], Case]) -> None:
    case, exact, _ = made(make)
    room = Room(ROWS, WIDTH, FEATURES)
    screen = Screen(*case, room)
    shifted = exact + screen.shift.double().unsqueeze(1)
    found = room.scores[:, :FEATURES].double()
    assert ((found - shifted).abs() <= screen.error.double().unsqueeze(1) + UNIT_ROUNDOFF * shifted.abs() * 1.01).all()
    sizes = case.x.norm(dim=1) * case.encoder.norm(dim=1).max() + case.bias.abs().max()
    assert (screen.error <= 2.0**-7 * sizes + 1e-29).all()


@hard
def test_each_rows_highest_are_those_of_the_fp64_ranking(make: Callable[[], Case]) -> None:
    case, exact, margin = made(make)
    active = screened(case).highest_in_each_row(K)
    assert active.offsets.tolist() == list(range(0, ROWS * K, K))
    values = kept(active)
    ranked = exact.sort(dim=1, descending=True).values
    must = (exact > ranked[:, K : K + 1] + margin) & (exact > margin)
    may = (exact >= ranked[:, K - 1 : K] - margin) & (exact > -margin)
    assert (values[must] > 0).all()
    assert (values[~may] == 0).all()
    assert ((values - exact).abs() <= margin)[values > 0].all()


@hard
def test_the_batchs_highest_are_those_of_the_fp64_ranking(make: Callable[[], Case]) -> None:
    case, exact, margin = made(make)
    active = screened(case).highest_of_batch(K)
    values = kept(active)
    count = min(ROWS * K, int((exact > 0).sum()))
    assert len(active.features) == pytest.approx(count, abs=int((exact.abs() <= margin).sum()))
    ranked = exact.flatten().sort(descending=True).values
    # Scores on either side of the border have margins of their own, so that the border's is the widest among them.
    near = margin.max() if make is not many_sizes else margin.expand_as(exact)[exact >= ranked[ROWS * K]].max()
    must = (exact > ranked[ROWS * K] + near) & (exact > margin)
    may = (exact >= ranked[ROWS * K - 1] - near) & (exact > -margin)
    assert (values[must] > 0).all()
    assert (values[~may] == 0).all()
    assert ((values - exact).abs() <= margin)[values > 0].all()


@hard
@pytest.mark.parametrize("floor", [0.0, 3.0])
def test_all_scores_above_their_floors_are_found_and_no_other(make: Callable[[], Case], floor: float) -> None:
    case, exact, margin = made(make)
    floors = floor * torch.rand(FEATURES)
    values = kept(screened(case).above(floors))
    over = exact - floors.double()
    assert (values[over > margin] > 0).all()
    assert (values[over < -margin] == 0).all()
    assert ((values - exact).abs() <= margin)[values > 0].all()


@hard
def test_entries_stand_row_after_row_with_features_ascending(make: Callable[[], Case]) -> None:
    scores = screened(made(make)[0])
    for active in (scores.highest_of_batch(K), scores.above(torch.zeros(FEATURES))):
        lengths = torch.diff(active.offsets, append=torch.tensor([len(active.features)]))
        row = torch.repeat_interleave(torch.arange(ROWS), lengths)
        assert (torch.diff(row * FEATURES + active.features) > 0).all()


def test_on_ordinary_rows_nothing_is_scored_throughout() -> None:
    case = Case(torch.randn(ROWS, 256), normalize(torch.randn(4096, 256), dim=1), 0.1 * torch.randn(4096))
    scores = ScreenedScores(*case, Room(ROWS, 256, 4096))
    scores.highest_in_each_row(16)
    scores.highest_of_batch(16)
    assert scores.uncertified == 0


def test_rows_that_the_screen_cannot_tell_apart_are_counted() -> None:
    scores = screened(made(all_alike)[0])
    scores.highest_in_each_row(K)
    assert 0 < scores.uncertified <= ROWS


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_rows_that_are_not_finite_are_left_to_the_dense_path(value: float) -> None:
    case = made(ordinary)[0]
    case.x[5, 2] = value
    scores = screened(case)
    dense = DenseScores(torch.addmm(case.bias, case.x, case.encoder.T))
    torch.testing.assert_close(
        scores.highest_in_each_row(K).values, dense.highest_in_each_row(K).values, equal_nan=True
    )
    assert scores.uncertified == ROWS


def test_a_room_serves_smaller_batches_and_again() -> None:
    case, exact, _ = made(ordinary)
    room = Room(2 * ROWS, WIDTH, FEATURES)
    for rows in (ROWS, 11, 50):
        active = ScreenedScores(case.x[:rows], case.encoder, case.bias, room).highest_in_each_row(K)
        found = active.features.view(rows, K).sort(1).values
        assert torch.equal(found, exact[:rows].topk(K, dim=1).indices.sort(1).values)


def test_scores_of_a_few_features_are_columns_of_the_matrix() -> None:
    case = made(ordinary)[0]
    which = torch.tensor([5, 0, 599])
    torch.testing.assert_close(screened(case).of(which), screened(case).dense()[:, which])


@pytest.mark.real
def test_a_real_models_activations_are_selected_exactly(real: Path) -> None:
    model = open_model(real / "models/stories260K")
    text = (real / "text/tinystories_v1_train_first1097.txt").read_text(encoding="utf-8")
    x = model.read(model.tokenize([text[start : start + 600] for start in range(0, 6000, 600)]), ["resid_post.2"])
    rows = x["resid_post.2"].flatten(0, 1)[:ROWS]
    rows = rows - rows.mean(0)
    torch.manual_seed(0)
    encoder = normalize(rows[torch.randint(len(rows), (2048,))] + 0.3 * torch.randn(2048, rows.shape[1]), dim=1)
    exact = rows.double() @ encoder.double().T
    margin = MARGIN * rows.double().norm(dim=1, keepdim=True)
    scores = ScreenedScores(rows, encoder, torch.zeros(2048), Room(ROWS, rows.shape[1], 2048))
    features = scores.highest_in_each_row(32).features.view(ROWS, 32)
    chosen = torch.zeros_like(exact, dtype=torch.bool).scatter_(1, features, True)
    ranked = exact.sort(dim=1, descending=True).values
    assert chosen[exact > ranked[:, 32:33] + margin].all()
    assert not chosen[exact < ranked[:, 31:32] - margin].any()
    assert scores.uncertified < ROWS
