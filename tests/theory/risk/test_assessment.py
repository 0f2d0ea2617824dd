"""Whole models: shipped numbers, exact probabilities by enumeration, refusals."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tymbal.errors import TheoryError
from tymbal.theory.risk import (
    Beta,
    Case,
    Effort,
    Event,
    Input,
    Margin,
    ModelError,
    Point,
    RiskModel,
    Sampling,
    Structure,
    Uniform,
    assess,
    chain,
    read_model,
    shipped_models,
)
from tymbal.theory.risk.network import probabilities
from tymbal.theory.risk.reading import SHIPPED, model_of

QUICK = Sampling(points=1_024, scrambles=8)
LIGHT = Effort(sobol_points=256, shapley_points=128, scrambles=4)
SURE = ModelError(right=Point(1.0), if_wrong=Point(0.0), argument="a test")


@pytest.fixture(scope="module")
def carlsmith():
    return assess(read_model("carlsmith"), effort=LIGHT)


def test_carlsmiths_numbers(carlsmith):
    variant = carlsmith.structures[0].variant
    means = [variant.inputs[name].belief.mean() for name in variant.uncertain()]
    assert round(float(np.prod(means)), 4) == 0.0514
    outcome = carlsmith.structures[0].outcome
    assert round(outcome.mean().value, 4) == 0.0514
    assert round(outcome.quantile(0.5).value, 4) == 0.0413
    assert round(outcome.quantile(0.05).value, 3) == 0.009
    assert round(outcome.quantile(0.95).value, 3) == 0.128
    assert round(outcome.below(0.03).value, 2) == 0.35


def test_an_assessment_refuses_to_be_one_number(carlsmith):
    with pytest.raises(TheoryError, match="expected a distribution with what drives it"):
        float(carlsmith)
    with pytest.raises(TheoryError, match="a request for one number"):
        f"{carlsmith:.2f}"
    with pytest.raises(TypeError):
        round(carlsmith)


def test_what_is_printed_has_distribution_drivers_structure_and_model_error(carlsmith):
    for text in (str(carlsmith), f"{carlsmith}"):
        assert "5 to 95 %" in text
        assert "driven by (Shapley)" in text
        assert "structures, means from 5.1 % to 6.3 %" in text
        assert "model error              moves the mean from 5.6 % to" in text


def test_the_model_error_term_is_a_mixture(carlsmith):
    error = carlsmith.model.error
    expected = 0.7 * carlsmith.given_model.mean().value + 0.3 * error.if_wrong.mean()
    assert carlsmith.overall.mean().value == pytest.approx(expected, rel=1e-3)


def test_quantiles_of_a_mixture_of_structures():
    """Half uniform on (0, .1), half on (.5, .6): the quartiles are the middles of the two."""
    model = RiskModel(
        title="t",
        question="q",
        inputs={"x": Input(belief=Uniform(low=0.0, high=0.1))},
        events=chain("x"),
        outcome="x",
        structures=(
            Structure(name="low", weight=0.5),
            Structure(name="high", weight=0.5, inputs={"x": Input(belief=Uniform(low=0.5, high=0.6))}),
        ),
        error=SURE,
    )
    found = assess(model, sampling=QUICK, effort=LIGHT)
    assert found.given_model.quantile(0.25).value == pytest.approx(0.05, abs=1e-3)
    assert found.given_model.quantile(0.75).value == pytest.approx(0.55, abs=1e-3)
    assert found.structure_effect.variance_share == pytest.approx(0.25**2 / (0.25**2 + 0.01 / 12), abs=1e-3)
    assert found.error_effect.variance_share == pytest.approx(0, abs=1e-3)
    assert found.overall.mean().value == pytest.approx(0.3, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_probabilities_are_what_counting_every_way_gives(seed):
    """Four events with random tables over those before, and a random outcome, against a table of all 16 ways."""
    random = np.random.default_rng(seed)
    names = ["a", "b", "c", "d"]
    inputs, events = {}, []
    for number, name in enumerate(names):
        cases = []
        for happened in product((True, False), repeat=number):
            key = name + "".join("ty"[not h] for h in happened)
            inputs[key] = Input(belief=Point(float(random.random())))
            condition = " and ".join(n if h else f"not {n}" for n, h in zip(names, happened, strict=False))
            cases.append(Case(key, given=condition))
        events.append(Event(name, tuple(cases)))
    model = RiskModel(
        title="t", question="q", inputs=inputs, events=tuple(events), outcome="(a or not b) and (c or d)", error=SURE
    )
    expected = 0.0
    for way in product((True, False), repeat=4):
        chance = 1.0
        for number, name in enumerate(names):
            key = name + "".join("ty"[not h] for h in way[:number])
            p = inputs[key].belief.mean()
            chance *= p if way[number] else 1 - p
        a, b, c, d = way
        expected += chance * ((a or not b) and (c or d))
    values = {name: np.array([given.belief.mean()]) for name, given in inputs.items()}
    assert probabilities(model.variants()[0], values).outcome[0] == pytest.approx(expected)


def test_the_first_case_that_holds_counts_and_without_one_nothing_happens():
    model = RiskModel(
        title="t",
        question="q",
        inputs={"p": Input(belief=Point(0.5)), "r": Input(belief=Point(0.2))},
        events=(Event("a", (Case("p"),)), Event("b", (Case("r", given="not a"),))),
        outcome="a or b",
        error=SURE,
    )
    found = assess(model, sampling=QUICK, effort=LIGHT)
    assert found.overall.mean().value == pytest.approx(0.5 + 0.5 * 0.2)
    assert found.drivers == ()
    assert "all inputs are taken as known" in str(found)


def test_a_what_if_moves_the_mean_as_the_product_says():
    model = read_model("carlsmith").changed({"disempowerment": 0.2})
    outcome = assess(model, sampling=QUICK, effort=LIGHT).structures[0].outcome
    assert outcome.mean().value == pytest.approx(0.0514 / 2, rel=2e-3)
    sure = read_model("carlsmith").changed({"model_right": 1.0})
    found = assess(sure, sampling=QUICK, effort=LIGHT)
    assert found.overall.mean().value == pytest.approx(found.given_model.mean().value)


def test_a_what_if_names_an_input():
    with pytest.raises(TheoryError, match=r"expected an input of the model \(timelines, incentives"):
        read_model("carlsmith").changed({"timeline": 0.2})


def test_a_margin_is_a_factor_and_never_a_probability():
    model = RiskModel(
        title="t",
        question="q",
        inputs={"loss": Input(belief=Uniform(low=2.0, high=4.0)), "gain": Input(belief=Point(2.0))},
        margins=(Margin(name="m", argument="because", loss="loss", gain="gain"),),
    )
    found = assess(model, sampling=QUICK)
    assert found.margins[0].factor.quantile(0.5).value == pytest.approx(1.5, abs=1e-3)
    assert found.overall is None
    assert "a factor, no probability" in str(found)


def test_every_shipped_model_is_read_and_names_its_source():
    assert shipped_models() == ("carlsmith", "ignition", "nuclear")
    for name in shipped_models():
        assert read_model(name).source
    assert "no probability is given" in str(assess(read_model("ignition")))


def test_the_nuclear_model_pools_as_the_example_does():
    found = assess(read_model("nuclear"), sampling=QUICK, effort=LIGHT)
    pooled = {result.variant.name: result.variant.inputs["war"].belief.mean() for result in found.structures}
    assert round(100 * pooled["arithmetic mean"], 2) == 1.10
    assert round(100 * pooled["geometric mean of odds"], 2) == 0.84


def spoiled(**changes) -> dict:
    return json.loads((SHIPPED / "carlsmith.json").read_text(encoding="utf-8")) | changes


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (spoiled(outcome="doom"), "'doom' in 'doom'"),
        (spoiled(outcome="catastrophe and or timelines"), "'catastrophe and ▸or timelines'"),
        (spoiled(chain=["timelines", "luck"]), "got 'luck'"),
        (spoiled(oucome="x"), "expected entries of the model among title"),
        (spoiled(inputs={"timelines": {"beta": {"mean": 1.4, "concentration": 8}}}), "a mean between 0 and 1"),
        (spoiled(inputs={"timelines": {"gauss": 1}}), "one belief about 'timelines'"),
        (spoiled(inputs={"a": 1.4}, chain=["a"], outcome="a", structures=[]), "'a' between 0 and 1, as it is used"),
        (
            spoiled(correlations=[["timelines", "incentives", 0.9], ["incentives", "failures", 0.9],
                                  ["timelines", "failures", -0.9]]),
            "expected a positive definite correlation matrix",
        ),
        (spoiled(correlations=[["timelines", "timelines", 0.5]]), "two different inputs"),
        (spoiled(structures=[{"name": "one", "weight": 0.5}]), "sum to 1; got a sum of 0.5"),
        (spoiled(structures=[{"weight": 1}]), "the entry 'name'"),
        (spoiled(margins=[{"name": "m", "argument": "a"}]), "either a loss and a gain or a bound"),
        (spoiled(margins=[{"name": "m", "argument": "", "at_least": 2}]), "an argument for the margin"),
        (spoiled(margins=[{"name": "m", "argument": "a", "loss": "x", "gain": "timelines"}]), "'x' in the margin 'm'"),
        ({"title": "t", "question": "q"}, "an outcome or a margin"),
        ({key: value for key, value in spoiled().items() if key != "model_error"}, "the model itself being wrong"),
        (spoiled(events=3, chain=None), "as docs/theory_risk.md describes it"),
    ],
)  # fmt: skip
def test_models_that_do_not_hold_together_are_refused_in_one_line(given, words):
    with pytest.raises(TheoryError) as refusal:
        model_of(given)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_advice_for_a_correlation_matrix_works():
    """What the refusal says to multiply by makes the matrix positive definite."""
    pairs = [["timelines", "incentives", 0.9], ["incentives", "failures", 0.9], ["timelines", "failures", -0.9]]
    with pytest.raises(TheoryError, match=r"less than 0\.56") as refusal:
        model_of(spoiled(correlations=pairs))
    assert "eigenvalue of -0.8" in str(refusal.value)
    assert model_of(spoiled(correlations=[[a, b, 0.55 * c] for a, b, c in pairs]))


def test_a_file_that_is_not_there_and_one_that_is_damaged(tmp_path):
    with pytest.raises(TheoryError, match="one of carlsmith, ignition, nuclear"):
        read_model("carlsmiht")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(TheoryError, match=r"JSON in .*line 1 column 2"):
        read_model(tmp_path / "bad.json")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    with pytest.raises(TheoryError, match=r"a model in .*got list"):
        read_model(tmp_path / "list.json")


def test_betas_of_high_concentration_come_close_to_the_point():
    model = read_model("carlsmith").changed({"timelines": Beta(centre=0.65, concentration=1e6)})
    assert assess(model, sampling=QUICK, effort=LIGHT).structures[0].outcome.mean().value == pytest.approx(
        0.0514, rel=2e-3
    )


def test_points_are_a_power_of_two():
    with pytest.raises(TheoryError, match="a power of two of points"):
        Sampling(points=1000)
