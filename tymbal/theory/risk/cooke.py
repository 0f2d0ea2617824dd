"""Cooke's classical model: experts weighed by how well they did on questions whose answers are known.

Each expert gives the same quantiles (5, 50 and 95 %, say) for every question.

    calibration   the p-value of the hypothesis that answers fall between the expert's quantiles as often as stated:
                  1 - chi²(2 N KL(observed shares | stated shares)), as many degrees of freedom as quantiles
    information   mean KL divergence of the expert's piecewise uniform density from a uniform one over the range of all
                  experts' quantiles and the answer, made wider by a tenth at either end
    weight        calibration x information, or nothing where calibration is below a threshold

The decision maker is the experts' densities, mixed by weight. With `threshold=None` the threshold is the one that gives
the decision maker the highest weight of its own.

Source: Cooke 1991, "Experts in Uncertainty", chapter 12.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from tymbal.errors import TheoryError

OVERSHOOT = 0.1


@dataclass(frozen=True, kw_only=True)
class Scored:
    """How each expert did, and the decision maker's quantiles for each question."""

    calibration: Float[np.ndarray, " expert"]
    information: Float[np.ndarray, " expert"]
    weights: Float[np.ndarray, " expert"]
    quantiles: Float[np.ndarray, "question level"]
    threshold: float


def classical_model(
    estimates: Float[np.ndarray, "expert question level"],
    answers: Float[np.ndarray, " question"],
    levels: Float[np.ndarray, " level"],
    *,
    threshold: float | None = None,
) -> Scored:
    """Weigh experts by the questions that have an answer; NaN marks a question that has none yet.

    Raises `TheoryError` where quantiles do not rise, or no question is answered, or no expert passes the threshold.
    """
    known = ~np.isnan(answers)
    _check(estimates, levels, known)
    calibration = np.array([calibration_score(one[known], answers[known], levels) for one in estimates])
    ranges = _ranges(estimates, answers)
    information = information_scores(estimates[:, known], ranges[known], levels).mean(1)
    cuts = [threshold] if threshold is not None else sorted(set(calibration.tolist()))
    best: tuple[float, Scored] | None = None
    for cut in cuts:
        weights = np.where(calibration >= cut, calibration * information, 0.0)
        if weights.sum() == 0:
            continue
        weights = weights / weights.sum()
        pooled = np.array([_mixed(estimates[:, q], weights, ranges[q], levels) for q in range(len(answers))])
        own = calibration_score(pooled[known], answers[known], levels) * float(
            information_scores(pooled[None, known], ranges[known], levels).mean()
        )
        scored = Scored(
            calibration=calibration, information=information, weights=weights, quantiles=pooled, threshold=cut
        )
        if best is None or own > best[0]:
            best = own, scored
    if best is None:
        raise TheoryError(
            expected="an expert who passes the threshold",
            got=f"a best calibration of {calibration.max():.3g}",
            do="lower the threshold",
        )
    return best[1]


def calibration_score(
    estimates: Float[np.ndarray, "question level"],
    answers: Float[np.ndarray, " question"],
    levels: Float[np.ndarray, " level"],
) -> float:
    """The p-value that the answers fall between the quantiles as often as stated."""
    stated = np.diff(levels, prepend=0.0, append=1.0)
    bins = (answers[:, None] > estimates).sum(1)
    shares = np.bincount(bins, minlength=len(stated)) / len(answers)
    hit = shares > 0
    divergence = float(shares[hit] @ np.log(shares[hit] / stated[hit]))
    return float(chi2.sf(2 * len(answers) * divergence, len(levels)))


def information_scores(
    estimates: Float[np.ndarray, "expert question level"],
    ranges: Float[np.ndarray, "question side"],
    levels: Float[np.ndarray, " level"],
) -> Float[np.ndarray, "expert question"]:
    """KL divergence of each expert's density from a uniform one over the range, in nats."""
    stated = np.diff(levels, prepend=0.0, append=1.0)
    low = np.broadcast_to(ranges[:, :1], (*estimates.shape[:2], 1))
    high = np.broadcast_to(ranges[:, 1:], (*estimates.shape[:2], 1))
    widths = np.diff(np.concatenate([low, estimates, high], axis=2), axis=2)
    return (stated * np.log(stated / widths)).sum(2) + np.log(ranges[:, 1] - ranges[:, 0])


def _ranges(
    estimates: Float[np.ndarray, "expert question level"], answers: Float[np.ndarray, " question"]
) -> Float[np.ndarray, "question side"]:
    low = np.fmin(estimates.min((0, 2)), answers)
    high = np.fmax(estimates.max((0, 2)), answers)
    reach = OVERSHOOT * (high - low)
    return np.column_stack([low - reach, high + reach])


def _mixed(
    estimates: Float[np.ndarray, "expert level"],
    weights: Float[np.ndarray, " expert"],
    reach: Float[np.ndarray, " side"],
    levels: Float[np.ndarray, " level"],
) -> Float[np.ndarray, " level"]:
    """Quantiles of the mixture: its distribution function is piecewise linear, so it is inverted exactly."""
    ends = np.concatenate([[0.0], levels, [1.0]])
    knots = np.unique(np.concatenate([reach, estimates.ravel()]))
    below = sum(
        weight * np.interp(knots, np.concatenate([reach[:1], row, reach[1:]]), ends)
        for weight, row in zip(weights, estimates, strict=True)
    )
    return np.interp(levels, np.asarray(below), knots)


def _check(
    estimates: Float[np.ndarray, "expert question level"], levels: Float[np.ndarray, " level"], known: np.ndarray
) -> None:
    if not (np.diff(estimates, axis=2) > 0).all():
        raise TheoryError(
            expected="quantiles that rise with their levels",
            got="an expert whose quantiles do not",
            do="ask that expert again",
        )
    if not (np.diff(levels, prepend=0.0, append=1.0) > 0).all():
        raise TheoryError(expected="levels that rise between 0 and 1", got=str(levels.tolist()), do="mend the levels")
    if not known.any():
        raise TheoryError(
            expected="a question whose answer is known", got="none", do="give the answers of the seed questions"
        )
