"""What a risk model says: never one number, always the distribution, what drives it, and what would move it.

`assess` evaluates every structure at scrambled Sobol' points, mixes the structures by their weights, and adds the case
that the model is wrong. Asking the result for one number is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from tymbal.errors import TheoryError
from tymbal.theory.risk.draws import Sampling, certain_values, input_values, scrambled
from tymbal.theory.risk.drivers import Driver, Effort, drivers
from tymbal.theory.risk.model import Margin, RiskModel, Variant
from tymbal.theory.risk.network import probabilities
from tymbal.theory.risk.spread import LEVELS, Spread
from tymbal.theory.risk.words import percent


@dataclass(frozen=True, kw_only=True)
class StructureResult:
    """What one structure says, given that it is right."""

    variant: Variant
    outcome: Spread
    events: Mapping[str, Spread]


@dataclass(frozen=True, kw_only=True)
class MarginResult:
    """A margin, and how its factor is spread; None where it is a bound that somebody has argued for."""

    margin: Margin
    factor: Spread | None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How far something moves the mean of the outcome, and its share of the variance of the overall distribution."""

    low: float
    high: float
    variance_share: float


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Everything that a model says of its outcome. It refuses to be one number."""

    model: RiskModel
    structures: tuple[StructureResult, ...]
    given_model: Spread | None
    """of P(X | model right), the structures mixed"""
    overall: Spread | None
    """with the case that the model is wrong"""
    drivers: tuple[Driver, ...]
    """of the structure that is believed most"""
    structure_effect: Moved | None
    error_effect: Moved | None
    margins: tuple[MarginResult, ...]

    def __float__(self) -> NoReturn:
        raise TheoryError(
            expected="a distribution with what drives it",
            got="a request for one number",
            do="print the assessment, or ask `.overall` for quantiles",
        )

    def __format__(self, form: str) -> str:
        if form:
            float(self)
        return str(self)

    def __str__(self) -> str:
        return "\n".join(summary(self))


def assess(model: RiskModel, *, sampling: Sampling | None = None, effort: Effort | None = None) -> Assessment:
    """Evaluate a model; raises `TheoryError` where it follows too many ways or an extra is missing."""
    sampling = sampling or Sampling()
    margins = tuple(_margin(model, margin, sampling) for margin in model.margins)
    if not model.outcome:
        return Assessment(
            model=model, structures=(), given_model=None, overall=None, drivers=(), structure_effect=None,
            error_effect=None, margins=margins,
        )  # fmt: skip
    results = tuple(_structure(variant, sampling) for variant in model.variants())
    given = Spread.mixed([(result.variant.weight, result.outcome) for result in results])
    overall = _overall(model, results, sampling)
    return Assessment(
        model=model,
        structures=results,
        given_model=given,
        overall=overall,
        drivers=drivers(results[0].variant, effort),
        structure_effect=_structure_effect(results, given),
        error_effect=_error_effect(model, given, overall),
        margins=margins,
    )


def _structure(variant: Variant, sampling: Sampling) -> StructureResult:
    names = variant.uncertain()
    rows = []
    for repeat in range(sampling.scrambles):
        points = scrambled(len(names), sampling.points, sampling.seed + repeat)
        rows.append(probabilities(variant, input_values(variant, names, points)))
    return StructureResult(
        variant=variant,
        outcome=Spread.even(np.array([row.outcome for row in rows])),
        events={
            event.name: Spread.even(np.array([row.events[event.name] for row in rows])) for event in variant.events
        },
    )


def _overall(model: RiskModel, results: tuple[StructureResult, ...], sampling: Sampling) -> Spread:
    assert model.error is not None, "a model with an outcome has a model-error term"
    parts = []
    for number, result in enumerate(results):
        rows = []
        for repeat, given in enumerate(result.outcome.draws):
            # A design of its own: pairing the first dimensions of one sequence again would correlate them.
            points = scrambled(2, len(given), sampling.seed + 1_000_003 * (number + 1) + repeat)
            order = np.random.default_rng(sampling.seed + repeat).permutation(len(given))
            right = model.error.right.quantile(points[order, 0])
            rows.append(right * given + (1 - right) * model.error.if_wrong.quantile(points[order, 1]))
        parts.append((result.variant.weight, Spread.even(np.array(rows))))
    return Spread.mixed(parts)


def _structure_effect(results: tuple[StructureResult, ...], given: Spread) -> Moved:
    means = np.array([result.outcome.mean().value for result in results])
    weights = np.array([result.variant.weight for result in results])
    between = float(weights @ (means - weights @ means) ** 2)
    return Moved(low=means.min(), high=means.max(), variance_share=_share(between, given.variance()))


def _error_effect(model: RiskModel, given: Spread, overall: Spread) -> Moved:
    """The share is what would go if the model were known to be right, its inputs as uncertain as they are."""
    assert model.error is not None
    kept = model.error.right.mean() ** 2 * given.variance()
    return Moved(
        low=given.mean().value,
        high=overall.mean().value,
        variance_share=_share(overall.variance() - kept, overall.variance()),
    )


def _share(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0


def _margin(model: RiskModel, margin: Margin, sampling: Sampling) -> MarginResult:
    if margin.at_least is not None:
        return MarginResult(margin=margin, factor=None)
    variant = Variant(
        name=margin.name, weight=1.0, about="", inputs=model.inputs, events=(), correlations=model.correlations,
        outcome="",
    )  # fmt: skip
    names = [name for name in (margin.loss, margin.gain) if not model.inputs[name].belief.certain()]
    rows = []
    for repeat in range(sampling.scrambles):
        points = scrambled(len(names), sampling.points, sampling.seed + repeat)
        values = input_values(variant, names, points) | certain_values(model.inputs, sampling.points)
        rows.append(values[margin.loss] / values[margin.gain])
    return MarginResult(margin=margin, factor=Spread.even(np.array(rows)))


def summary(found: Assessment) -> list[str]:
    """The assessment in a dozen lines: distribution, drivers, structure, model error, margins."""
    lines = [found.model.title, found.model.question]
    if found.overall is not None and found.given_model is not None:
        for name, spread in (("overall", found.overall), ("if the model is right", found.given_model)):
            low, _, median, _, high = (spread.quantile(level).value for level in LEVELS)
            lines.append(
                f"  {name:<24} 5 to 95 %: {percent(low)} to {percent(high)}; median {percent(median)}, "
                f"mean {percent(spread.mean().value)}"
            )
        lines += _moved(found)
    for result in found.margins:
        lines.append(f"  margin: {result.margin.name}: {factor_in_words(result)}")
    return lines


def _moved(found: Assessment) -> list[str]:
    assert found.structure_effect is not None
    assert found.error_effect is not None
    driving = ", ".join(f"{driver.name} {100 * driver.shapley.value:.0f} %" for driver in found.drivers[:4])
    structure, error = found.structure_effect, found.error_effect
    alternatives = (
        f"{len(found.structures)} structures, means from {percent(structure.low)} to {percent(structure.high)}, "
        f"{100 * structure.variance_share:.0f} % of the variance given the model"
        if len(found.structures) > 1
        else "no alternative was considered"
    )
    return [
        f"  driven by (Shapley)      {driving or 'nothing: all inputs are taken as known'}",
        f"  structure                {alternatives}",
        f"  model error              moves the mean from {percent(error.low)} to {percent(error.high)}, "
        f"{100 * error.variance_share:.0f} % of the variance overall",
    ]


def factor_in_words(result: MarginResult) -> str:
    """The safety factor, and that it is no probability."""
    if result.factor is None:
        return f"loss over gain at least {result.margin.at_least:g}, by argument; no probability is given"
    low, _, median, _, high = (result.factor.quantile(level).value for level in LEVELS)
    return f"loss over gain {median:.3g} (5 to 95 %: {low:.3g} to {high:.3g}); a factor, no probability"
