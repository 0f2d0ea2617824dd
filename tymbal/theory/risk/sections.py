"""The parts of a risk report that are pictures: distribution, drivers, steps, structures, experts."""

from html import escape

from tymbal.theory.risk.assessment import Assessment
from tymbal.theory.risk.chart import (
    Axis,
    Layer,
    Row,
    density,
    fan,
    log_axis,
    point,
    round_axis,
    rows,
    spread_marks,
    stretch,
)
from tymbal.theory.risk.distributions import Pooled
from tymbal.theory.risk.draws import Estimate
from tymbal.theory.risk.pooling import METHODS, Pooling
from tymbal.theory.risk.words import named, percent

BANDS = (
    '<div class="keys"><span class="key outer">5 to 95 %</span><span class="key inner">middle half</span>'
    '<span class="key tick">median</span></div>'
)


def distribution_section(found: Assessment, before: Assessment | None) -> str:
    """The overall distribution beside that of the model, or beside what it was."""
    assert found.overall is not None
    assert found.given_model is not None
    layers = [Layer("overall", "now", found.overall), Layer("if the model is right", "right", found.given_model)]
    if before is not None and before.overall is not None:
        layers[1] = Layer("overall, before the change", "before", before.overall)
    thresholds = "".join(
        f'<tr><th scope="row">below {percent(cut)}</th><td class="number">{_share(found.overall.below(cut))}</td>'
        f'<td class="number">{_share(found.given_model.below(cut))}</td></tr>'
        for cut in found.model.thresholds
    )
    table = (
        '<div class="wide"><table><thead><tr><th>share of the distribution</th><th class="number">overall</th>'
        f'<th class="number">if the model is right</th></tr></thead><tbody>{thresholds}</tbody></table></div>'
    )
    return (
        "<section><h2>The distribution</h2><p>What the model says of the probability, given all that is uncertain. "
        "The axis is logarithmic; equal areas hold equal shares.</p>"
        f"{density(layers, log_axis([layer.spread for layer in layers]))}{table if thresholds else ''}</section>"
    )


def _share(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.0f} %"


def drivers_section(found: Assessment) -> str:
    """Shapley effects and the tornado."""
    if not found.drivers:
        return ""
    most = max(driver.shapley.high for driver in found.drivers)
    axis = Axis(0.0, min(1.0, 1.02 * most), False)
    shares = rows(
        (
            Row(
                named(driver.name),
                _sobol(driver.first, driver.total),
                stretch(0.0, axis.at(driver.shapley.value), "bar")
                + stretch(axis.at(driver.shapley.low), axis.at(driver.shapley.high), "whisker"),
                f"{100 * driver.shapley.value:.1f} %",
            )
            for driver in found.drivers
        ),
        axis,
    )
    least = min(min(driver.low.value, driver.high.value) for driver in found.drivers)
    highest = max(max(driver.low.value, driver.high.value) for driver in found.drivers)
    swing = Axis(0.0 if least < 0.5 * highest else 0.98 * least, 1.04 * highest, False)
    mean = swing.at(found.structures[0].outcome.mean().value)
    tornado = rows(
        (
            Row(
                named(driver.name),
                "",
                stretch(swing.at(driver.low.value), mean, "down")
                + stretch(mean, swing.at(driver.high.value), "up")
                + point(mean, "centre"),
                f"{percent(driver.low.value)} to {percent(driver.high.value)}",
            )
            for driver in found.drivers
        ),
        swing,
    )
    about = (
        f" of the structure <em>{escape(found.structures[0].variant.name)}</em>" if len(found.structures) > 1 else ""
    )
    return (
        f"<section><h2>What drives it</h2><p>Each input’s fair share of the variance{about} (Shapley effect; the bars "
        "add up to the whole, and the thin lines are 95 % intervals of the computation)."
        + (
            " Beneath each name: what would go if that input alone were known, and what would stay if it alone were not"
            " (Sobol’ indices)."
            if found.drivers[0].first
            else " The inputs are correlated, so that Sobol’ indices would not add up; they are left out."
        )
        + f"</p>{shares}<p>How the mean moves when an input is held at its 5 % quantile, then at its 95 % quantile, "
        f"and the others stay uncertain.</p>{tornado}</section>"
    )


def _sobol(first: Estimate | None, total: Estimate | None) -> str:
    if first is None or total is None:
        return ""
    return f"alone {100 * max(first.value, 0):.1f} %, in all {100 * total.value:.1f} %"


def steps_section(found: Assessment) -> str:
    """The fan of probabilities from event to event; nothing for a single event."""
    steps = list(found.structures[0].events.items())
    if len(steps) < 2:
        return ""
    lowest = min(spread.quantile(0.05).value for _, spread in steps)
    axis = round_axis(lowest, 1.0)
    return (
        "<section><h2>How it builds up</h2><p>The probability of each event, from the first to the last, with its "
        f"uncertainty; the number at the end is the median.</p>{BANDS}{fan(steps, axis)}</section>"
    )


def structures_section(found: Assessment) -> str:
    """Each structure's distribution."""
    if len(found.structures) < 2:
        return (
            "<section><h2>How far structure moves it</h2><p>No other structure was considered, so this report cannot "
            "say. A second way to set the model up would show it.</p></section>"
        )
    assert found.structure_effect is not None
    axis = log_axis([result.outcome for result in found.structures])
    listed = rows(
        (
            Row(
                result.variant.name,
                f"weight {result.variant.weight:g}. {result.variant.about}",
                spread_marks(result.outcome, axis),
                f"mean {percent(result.outcome.mean().value)}<br>median {percent(result.outcome.quantile(0.5).value)}",
            )
            for result in found.structures
        ),
        axis,
    )
    share = 100 * found.structure_effect.variance_share
    return (
        "<section><h2>How far structure moves it</h2><p>The same question under each way to set the model up. Choosing "
        f"between them explains {share:.0f} % of the variance within the model.</p>{BANDS}{listed}</section>"
    )


def experts_section(found: Assessment) -> str:
    """Experts whose probabilities are pooled, and what each way of pooling makes of them."""
    parts = []
    for name, given in found.model.inputs.items():
        if not isinstance(given.belief, Pooled):
            continue
        experts = given.belief.experts
        given_by = list(experts.values())
        # Odds of 0 and 1 have no logarithm, so that such experts can be pooled by some methods only.
        methods = METHODS if all(0 < p < 1 for p in given_by) else ("arithmetic", "median")
        poolings = [Pooling(method=method, prior=given.belief.pooling.prior) for method in methods]
        pooled = [(pooling, pooling.pool(given_by)) for pooling in poolings]
        values = [*given_by, *(value for _, value in pooled)]
        axis = round_axis(min(values), max(values))
        listed = [Row(who, "", point(axis.at(value), "dot hollow"), percent(value)) for who, value in experts.items()]
        for pooling, value in pooled:
            without = _without_each(given_by, pooling) or [value]
            listed.append(
                Row(
                    pooling.describe(),
                    f"leaving one out: {percent(min(without))} to {percent(max(without))}",
                    stretch(axis.at(min(without)), axis.at(max(without)), "outer") + point(axis.at(value), "dot"),
                    percent(value),
                )
            )
        parts.append(
            f"<section><h2>The experts on {escape(named(name))}</h2><p>Each estimate, and what the ways of pooling "
            f"make of them; the pale bar is the range when any one of them is left out.</p>"
            f"{rows(listed, axis)}</section>"
        )
    return "".join(parts)


def _without_each(experts: list[float], pooling: Pooling) -> list[float]:
    return [pooling.pool(experts[:left] + experts[left + 1 :]) for left in range(len(experts)) if len(experts) > 1]
