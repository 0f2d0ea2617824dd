"""One step: norms, dead features, schedule."""

from itertools import pairwise

import pytest
import torch

from tymbal.dictionaries import KINDS, Descent, Revival, TrainingConfig
from tymbal.dictionaries.screening import FEWEST_FEATURES, has_matrix_units
from tymbal.dictionaries.trainer import Trainer, pace, remove_radial_part, schedule
from tymbal.dictionaries.units import units


def trainer(planted, **changes: object) -> Trainer:
    settings = {"features": 64, "k": 3, "batch": 512, "epochs": 2.0, "revival": Revival(dead_after=2000)} | changes
    made = Trainer(TrainingConfig(**settings), planted.width, 100, units(planted.rows))
    made.begin(planted.rows[:2000])
    return made


@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
def test_directions_keep_unit_norm(planted, kind: str) -> None:
    made = trainer(planted, kind=kind)
    for step in range(20):
        made.step(planted.batch(step, 512))
        torch.testing.assert_close(made.dictionary.decoder.norm(dim=1), torch.ones(64), rtol=1e-5, atol=0)


def test_the_gradient_along_a_direction_is_removed_and_the_rest_kept(planted) -> None:
    dictionary = trainer(planted).dictionary
    before = torch.randn(64, planted.width)
    dictionary.decoder.grad = before.clone()
    remove_radial_part(dictionary)
    along = (dictionary.decoder.grad * dictionary.decoder).sum(1)
    torch.testing.assert_close(along, torch.zeros(64), rtol=0, atol=1e-5)
    taken = before - dictionary.decoder.grad
    torch.testing.assert_close(taken, (before * dictionary.decoder).sum(1, keepdim=True) * dictionary.decoder)


def test_a_feature_grows_older_by_tokens_until_it_fires(planted) -> None:
    made = trainer(planted)
    with torch.no_grad():
        made.dictionary.encoder_bias[5] = -1e4
    assert int(made.idle[5]) == 0
    for step in range(5):
        batch = planted.batch(step, 512)
        fired = made.dictionary.encode(batch * made.units.scale)
        expected = torch.zeros(64, dtype=torch.bool)
        expected[fired.indices[fired.values > 0]] = True
        made.step(batch)
        assert torch.equal(made.idle == 0, expected)
    assert int(made.idle[5]) == 5 * 512
    assert made.dead()[5]
    assert not made.dead()[made.idle < 2000].any()


def test_auxk_revives_dead_features(planted) -> None:
    alive = {}
    for aux in (0.0, 1 / 32):
        revival = Revival(aux=aux, dead_after=2000, lift=0.0)
        made = trainer(planted, revival=revival, descent=Descent(learning_rate=3e-3))
        with torch.no_grad():
            # Positive half of the time, but never among the k highest; the rest are too few for 48 directions.
            made.dictionary.encoder[:32] *= 0.01
        made.idle[:32] = 10_000
        made.steps = 200
        for step in range(120):
            made.step(planted.batch(step, 512))
        alive[aux] = int((~made.dead()[:32]).sum())
    assert alive[0.0] == 0
    assert alive[1 / 32] >= 16


def with_a_silent_feature(planted, kind: str, lift: float) -> Trainer:
    made = trainer(planted, kind=kind, revival=Revival(aux=0.0, dead_after=2000, lift=lift))
    with torch.no_grad():
        made.dictionary.encoder_bias[7] = -50.0
    made.idle[7] = 10_000
    return made


@pytest.mark.parametrize("kind", ["topk", "batch_topk", "matryoshka"])
def test_a_dead_feature_is_lifted_until_it_fires(planted, kind: str) -> None:
    made = with_a_silent_feature(planted, kind, 1.0)
    biases = []
    for step in range(100):
        made.step(planted.batch(step, 512))
        biases.append(float(made.dictionary.encoder_bias[7].detach()))
        if int(made.idle[7]) == 0:
            break
    assert int(made.idle[7]) == 0
    assert all(late > early for early, late in pairwise(biases[:-1]))


@pytest.mark.parametrize("kind", ["topk", "batch_topk", "matryoshka"])
def test_a_lift_moves_the_bias_of_dead_features_alone(planted, kind: str) -> None:
    lifted, left = (with_a_silent_feature(planted, kind, lift) for lift in (1.0, 0.0))
    for made in (lifted, left):
        made.step(planted.batch(0, 512))
    expected = {name: tensor.clone() for name, tensor in left.dictionary.state_dict().items()}
    assert float(lifted.dictionary.encoder_bias[7].detach()) > float(expected["encoder_bias"][7])
    expected["encoder_bias"][7] = lifted.dictionary.encoder_bias[7].detach()
    for name, tensor in lifted.dictionary.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_kinds_that_judge_each_feature_by_itself_are_not_lifted(planted) -> None:
    made = with_a_silent_feature(planted, "relu", 1.0)
    made.step(planted.batch(0, 512))
    assert float(made.dictionary.encoder_bias[7].detach()) == -50.0


@pytest.mark.parametrize(("kind", "name"), [("relu", "encoder"), ("relu", "decoder"), ("jumprelu", "threshold")])
def test_a_parameter_moves_by_its_share_of_the_rate(planted, kind: str, name: str) -> None:
    made = trainer(planted, kind=kind, descent=Descent(learning_rate=1e-4, warmup=0.0))
    moving = dict(made.dictionary.named_parameters())[name]
    before = moving.detach().clone()
    made.step(planted.batch(0, 512))
    # Adam's first step moves every number that has a gradient by the rate itself.
    moved = float((moving.detach() - before).abs().max())
    assert moved == pytest.approx(1e-4 * pace(made.dictionary, name), rel=0.01)


def test_directions_of_norm_1_and_thresholds_learn_faster_than_the_rest(planted) -> None:
    paces = {
        kind: {name: pace(dictionary, name) for name, _ in dictionary.named_parameters()}
        for kind in ("relu", "topk", "jumprelu")
        for dictionary in [trainer(planted, kind=kind).dictionary]
    }
    assert set(paces["relu"].values()) == {1.0}  # its norms are free, and penalised
    assert paces["topk"]["decoder"] > paces["topk"]["encoder"] == 1.0
    assert paces["jumprelu"]["threshold"] > paces["jumprelu"]["encoder"] == 1.0


def test_few_features_learn_faster_than_many() -> None:
    assert Descent().rate(4096) == pytest.approx(6e-3)
    assert Descent().rate(4 * 4096) == pytest.approx(3e-3)
    assert Descent().rate(64) == 1.2e-2
    assert Descent(learning_rate=1e-4).rate(64) == 1e-4


def test_a_feature_is_dead_after_a_twentieth_of_the_run_and_ten_million_tokens_at_most() -> None:
    assert Revival().patience(600_000) == 30_000
    assert Revival().patience(10**12) == 10_000_000
    assert Revival(dead_after=7).patience(600_000) == 7


def test_numbers_too_small_for_bf16_are_learned_with_bf16_steps(planted) -> None:
    made = trainer(planted, descent=Descent(learning_rate=1e-6, precision="bf16", warmup=0.0, decay=0.0))
    before = made.dictionary.encoder.detach().clone()
    for step in range(20):
        made.step(planted.batch(step, 512))
    moved = (made.dictionary.encoder - before).detach().abs()
    assert made.dictionary.encoder.dtype == torch.float32
    assert float(moved.max()) > 1e-5  # twenty times 1e-6, far below the spacing of bf16 numbers of this size
    assert float(moved.max()) < 2.0**-9 * float(before.abs().max())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_bf16_step_has_the_gradients_of_the_fp32_one_but_for_rounding(planted, kind: str) -> None:
    exact, rounded = (trainer(planted, kind=kind, descent=Descent(precision=name)) for name in ("fp32", "bf16"))
    one, two = (made.step(planted.batch(0, 512)) for made in (exact, rounded))
    assert two.fvu == pytest.approx(one.fvu, rel=0.02)
    assert two.l0 == pytest.approx(one.l0, rel=0.02)
    for name, parameter in exact.dictionary.named_parameters():
        other = dict(rounded.dictionary.named_parameters())[name]
        assert parameter.grad is not None
        assert other.grad is not None
        cosine = torch.cosine_similarity(parameter.grad.flatten(), other.grad.flatten(), dim=0)
        assert float(cosine) > 0.98 or float(parameter.grad.norm()) < 1e-6, name


def test_the_learning_rate_rises_holds_and_falls_to_zero() -> None:
    descent = Descent(warmup=0.1, decay=0.25)
    rates = [schedule(step, 200, descent) for step in range(200)]
    assert rates[0] == pytest.approx(1 / 20)
    assert rates[19:150] == [1.0] * 131
    assert rates[199] == pytest.approx(1 / 50)
    assert all(late < early for early, late in pairwise(rates[150:]))


def test_a_step_that_is_not_finite_changes_nothing(planted) -> None:
    made = trainer(planted)
    made.step(planted.batch(0, 512))
    before = {name: tensor.clone() for name, tensor in made.state().items()}
    rows = planted.batch(1, 512)
    rows[7, 3] = float("nan")
    assert made.step(rows).loss != made.step(rows).loss
    for name, tensor in made.state().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
@pytest.mark.parametrize("features", [64, FEWEST_FEATURES])
def test_a_restored_trainer_takes_the_same_steps(planted, kind: str, features: int, precision: str) -> None:
    one = trainer(planted, kind=kind, features=features, descent=Descent(precision=precision))
    for step in range(5):
        one.step(planted.batch(step, 512))
    two = Trainer.restored(one.config, planted.width, 100, {name: t.clone() for name, t in one.state().items()})
    for step in range(5, 12):
        assert one.step(planted.batch(step, 512)) == two.step(planted.batch(step, 512))
    for name, tensor in one.state().items():
        assert torch.equal(tensor, two.state()[name]), name


@pytest.mark.skipif(not has_matrix_units(), reason="no bfloat16 matrix units")
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_screened_step_is_the_dense_one_but_for_the_order_of_sums(planted, kind: str) -> None:
    one, two = (trainer(planted, kind=kind, features=FEWEST_FEATURES) for _ in range(2))
    two.room = None
    screened, dense = one.step(planted.batch(0, 512)), two.step(planted.batch(0, 512))
    assert screened.screened > 0.5
    assert dense.screened == 0
    # The other kinds start with thresholds put at scores, which rounding then takes to either side.
    close = 1e-5 if one.dictionary.competitive else 1e-2
    assert screened.l0 == pytest.approx(dense.l0, rel=close)
    assert screened.fvu == pytest.approx(dense.fvu, rel=close)
