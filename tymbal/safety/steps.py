"""The steps of the evidence ladder; each is computed on texts that had no say in what it judges.

    found       a feature is chosen on one half of the texts by its area under the ROC curve, and judged on the other
    specific    of texts on which it fires, those that have the concept: as many texts with it as elsewhere
    causal      clamping it makes texts with the concept likelier, and texts without it less so
    probed      its area less that of a probe that was trained on the half that chose

A step holds if its number passes a bar that stands in its docstring, and beats its baselines.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from sklearn.metrics import roc_curve
from torch import Tensor

from tymbal.atlas.prompts import areas
from tymbal.dictionaries import Finding, Number
from tymbal.probes import Classes, Logistic
from tymbal.probes.scores import score
from tymbal.probes.splits import GroupDraws, permuted
from tymbal.safety.contrast import Contrast

FOUND, SPECIFIC, CAUSAL, PROBED = "found", "specific", "causal", "beats a probe"
STEPS = (FOUND, SPECIFIC, CAUSAL, PROBED)
LEAST_AREA = 0.7
LEAST_SHARE = 0.9
MARGIN = 0.05
SHUFFLED, RANDOM, TOKEN = "shuffled labels", "random directions", "best single token"
ELSEWHERE, PROBE = "elsewhere", "probe"
DRAWS = 1000


@dataclass(frozen=True, kw_only=True)
class Step:
    """One rung of the ladder."""

    name: str
    holds: bool | None
    """None where it cannot be asked, or a step below does not hold"""
    why: str = ""
    """why it was not asked"""
    finding: Finding | None = None
    p_value: float | None = None
    sample: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The feature that was chosen, and what else came of the choice."""

    step: Step
    feature: int
    threshold: float
    """activation above which it is said to fire, chosen with it"""
    by_chance: tuple[int, ...]
    """features chosen by shuffled labels"""


def find(contrast: Contrast, *, shuffles: int, seed: int) -> Found:
    """Choose the feature and judge it.

    It is found if the interval of its area lies above 0.5, the area is 0.7 or more and above what 95 % of the choices
    by shuffled labels reach, and the interval does not lie below what the best of as many random directions reaches.
    """
    target, (choosing, judging) = contrast.target, contrast.split
    groups = contrast.readings.groups
    generator = torch.Generator().manual_seed(seed)
    halves = [
        torch.stack([target.ids[half], *(_shuffled(target[half], groups[half], generator) for _ in range(shuffles))])
        for half in (choosing, judging)
    ]
    chosen = _best(contrast.peaks[choosing], halves[0])
    judged = _judged(contrast.peaks[judging], halves[1], chosen)
    feature = int(chosen[0])
    drawn = GroupDraws(groups[judging], draws=DRAWS, seed=seed)
    held = target[judging]
    number = drawn.number(lambda weights: score(contrast.peaks[judging][:, [feature]], held, weights))
    others = {
        name: _rival(rows, contrast, drawn) for name, rows in ((RANDOM, contrast.random), (TOKEN, contrast.tokens))
    }
    chance = torch.tensor(judged[1:], dtype=torch.float64)
    between = torch.quantile(chance, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    baselines = {SHUFFLED: Number(value=float(chance.mean()), low=between[0], high=between[1])} | others
    least = max(LEAST_AREA, float(chance.quantile(0.95)))
    finding = Finding(**asdict(number), unit="AUROC by text", better="higher", baselines=baselines)
    step = Step(
        name=FOUND,
        holds=number.low > 0.5 and number.value >= least and number.high >= others[RANDOM].value,
        finding=finding,
        p_value=(1 + int((chance >= number.value).sum())) / (1 + shuffles),
        sample=_sample(contrast),
    )
    return Found(
        step=step,
        feature=feature,
        threshold=threshold(contrast.peaks[choosing][:, feature], target.ids[choosing]),
        by_chance=tuple(chosen[1:].tolist()),
    )


def _shuffled(target: Classes, groups: Int[Tensor, " row"], generator: torch.Generator) -> Int[Tensor, " row"]:
    drawn = permuted(target, groups, generator)
    assert isinstance(drawn, Classes)
    return drawn.ids


def _best(rows: Float[Tensor, "text feature"], labels: Int[Tensor, "shuffle text"]) -> Int[Tensor, " shuffle"]:
    """The feature of the largest area, for each order of the labels."""
    return torch.from_numpy(areas(labels.bool().numpy(), _ranks(rows)).argmax(1))


def _judged(
    rows: Float[Tensor, "text feature"], labels: Int[Tensor, "shuffle text"], chosen: Int[Tensor, " shuffle"]
) -> list[float]:
    """The area of each chosen feature under its own order of the labels."""
    ranks = _ranks(rows[:, chosen])
    return [
        float(areas(labels[place : place + 1].bool().numpy(), ranks[:, place : place + 1])[0, 0])
        for place in range(len(chosen))
    ]


def _ranks(rows: Float[Tensor, "text feature"]) -> Any:
    from scipy.stats import rankdata

    return rankdata(rows.numpy(), axis=0)


def _rival(rows: Float[Tensor, "text feature"], contrast: Contrast, drawn: GroupDraws) -> Number:
    """The best column, chosen and judged as features are."""
    target, (choosing, judging) = contrast.target, contrast.split
    best = int(_best(rows[choosing], target.ids[choosing][None])[0])
    return drawn.number(lambda weights: score(rows[judging][:, [best]], target[judging], weights))


def threshold(values: Float[Tensor, " text"], labels: Int[Tensor, " text"]) -> float:
    """The activation above which most texts with the concept lie, and fewest of those without (Youden 1950)."""
    false, true, bounds = roc_curve(labels.numpy(), values.double().numpy(), drop_intermediate=False)
    best = int((true - false).argmax())
    reached = values[values.double() >= float(bounds[best])]
    below = values[values.double() < float(bounds[best])]
    # Halfway to the next value below, so that equal values fall on one side.
    low = float(below.max()) if len(below) else 0.0
    return (float(reached.min()) + low) / 2 if len(reached) else float(values.max())


def _sample(contrast: Contrast) -> dict[str, int]:
    counts = {}
    for half, name in zip(contrast.split, ("choose", "judge"), strict=True):
        ids = contrast.target.ids[half]
        counts |= {f"texts with it that {name}": int(ids.sum()), f"texts without that {name}": int((1 - ids).sum())}
    return counts


def specificity(
    contrast: Contrast, found: Found, elsewhere: Mapping[str, Float[Tensor, "text feature"]], seed: int
) -> Step:
    """Of texts on which the feature fires, the share that have the concept, where half of all texts have it.

    `elsewhere` are peaks of texts that are not about it, by where they are from; each source counts alike. Where it
    fires everywhere the share is a half. It holds if the share is 0.9 or more (elsewhere it fires at most a ninth as
    often), and its interval lies above a half and above the mean of the features that shuffled labels choose.
    """
    judging = contrast.split.held_out
    having = contrast.peaks[judging][contrast.target.ids[judging] == 1]
    firing = {name: rows[:, found.feature] > found.threshold for name, rows in {"with it": having, **elsewhere}.items()}
    fired = torch.cat([part.double() for part in firing.values()])
    source = torch.cat([torch.full((len(part),), number) for number, part in enumerate(firing.values())])
    drawn = GroupDraws(torch.arange(len(fired)), draws=DRAWS, seed=seed)

    def share(weights: Float[Tensor, "draw text"]) -> Float[Tensor, " draw"]:
        rates = torch.stack(
            [
                (weights * fired * (source == part)).sum(1) / (weights * (source == part)).sum(1)
                for part in range(len(firing))
            ]
        )
        return rates[0] / (rates[0] + rates[1:].mean(0))

    number = drawn.number(share)
    chance = torch.tensor(
        [_share_of(contrast, having, elsewhere, feature) for feature in found.by_chance], dtype=torch.float64
    )
    chance = chance[torch.isfinite(chance)]
    low, high = torch.quantile(chance, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    baseline = Number(value=float(chance.mean()), low=low, high=high)
    return Step(
        name=SPECIFIC,
        holds=number.value >= LEAST_SHARE and number.low > max(0.5, baseline.value),
        finding=Finding(
            **asdict(number),
            unit="share of the texts on which it fires",
            better="higher",
            baselines={SHUFFLED: baseline},
        ),
        sample={name: len(part) for name, part in firing.items()},
        details={"fires on": {name: float(part.double().mean()) for name, part in firing.items()}},
    )


def _share_of(
    contrast: Contrast, having: Tensor, elsewhere: Mapping[str, Float[Tensor, "text feature"]], feature: int
) -> float:
    choosing = contrast.split.train
    bound = threshold(contrast.peaks[choosing][:, feature], contrast.target.ids[choosing])
    true = float((having[:, feature] > bound).double().mean())
    false = sum(float((rows[:, feature] > bound).double().mean()) for rows in elsewhere.values()) / len(elsewhere)
    return true / (true + false) if true + false else float("nan")


def against_probe(contrast: Contrast, found: Found, seed: int) -> Step:
    """The feature's area less that of a logistic probe of the mean activation, on the same held-out texts.

    It holds if the feature's area is no smaller, and the interval excludes that it is smaller by 0.05.
    """
    target, (choosing, judging) = contrast.target, contrast.split
    groups = contrast.readings.groups
    probe = Logistic().fit(contrast.mean[choosing], target[choosing], groups[choosing])
    said, held = probe.scores(contrast.mean[judging]), target[judging]
    own = contrast.peaks[judging][:, [found.feature]]
    drawn = GroupDraws(groups[judging], draws=DRAWS, seed=seed)
    number = drawn.number(lambda weights: score(own, held, weights) - score(said, held, weights))
    probed = drawn.number(lambda weights: score(said, held, weights))
    return Step(
        name=PROBED,
        holds=number.value >= 0 and number.low >= -MARGIN,
        finding=Finding(
            **asdict(number), unit="AUROC more than a probe", better="higher", baselines={"no difference": _none()}
        ),
        sample=_sample(contrast),
        details={"probe": asdict(probed), "feature": asdict(drawn.number(lambda weights: score(own, held, weights)))},
    )


def _none() -> Number:
    return Number(value=0.0, low=0.0, high=0.0)
