"""The numbers of an evaluation, each a function of sums over passages, with interval and baselines.

`l0` and its quantiles, `fvu`, `shrinkage`; of a language model `loss`, `kl` (nats a prediction), `recovered.zero`,
`recovered.mean`; of an encoder `cosine` and `recovered.mean`; `dead` and `dense` (counts of features).

The intervals of `dead` and `dense` are not percentiles: a resample never holds a passage that was not seen, so it can
only add dead features. Dead features can only become fewer with more text; how many fewer is judged by how many more a
resample has (a feature seen in m of n passages is missing from one with probability (1 - m/n)^n). The interval of
`dense` counts the features whose density's own interval lies above, or reaches, the bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries.bootstrap import Bootstrap, Number, Resampled, Statistic, Totals
from tymbal.dictionaries.firing import Firing

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RANDOM = "random dictionary"
SUBSPACE = "PCA with k components"
ZERO = "zero ablation"
MEAN = "mean ablation"
_EDITS = {RANDOM: "random", ZERO: "zero", MEAN: "mean"}
_TAIL = 1.959964
"""Standard errors either side of a 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A number, its 95 % interval, and the same number for each baseline."""

    value: float
    low: float
    high: float
    unit: str
    better: str
    """`lower`, `higher`, or nothing where neither is better by itself."""
    baselines: dict[str, Number] = field(default_factory=dict)


class BothFiring(NamedTuple):
    """How often the features of the dictionary and of the random one fire."""

    dictionary: Firing
    random: Firing


def findings(sums: Mapping[str, Tensor], firing: BothFiring, bootstrap: Bootstrap, dense: float) -> dict[str, Finding]:
    """All numbers; `sums` has one row a passage, `dense` is the share of tokens that makes a feature dense."""
    columns = {name: column for name, column in sums.items() if name not in ("centred", "square")}
    resampled = bootstrap.over(columns | {"deviation": deviations(sums)})
    found = _reconstruction(resampled)
    found |= _predictions(resampled) if "predictions" in sums else _embeddings(resampled)
    found["dead"] = _finding(dead(firing.dictionary), "features", "lower", {RANDOM: dead(firing.random)})
    found["dense"] = _finding(
        dense_features(firing.dictionary, dense), "features", "", {RANDOM: dense_features(firing.random, dense)}
    )
    return found


def _finding(number: Number, unit: str, better: str, baselines: Mapping[str, Number] | None = None) -> Finding:
    return Finding(
        value=number.value, low=number.low, high=number.high, unit=unit, better=better, baselines=dict(baselines or {})
    )


def _reconstruction(resampled: Resampled) -> dict[str, Finding]:
    def unexplained(system: str) -> Number:
        return resampled.number(lambda sums: sums[f"error.{system}"] / sums["deviation"])

    baselines = {RANDOM: unexplained("random"), SUBSPACE: unexplained("subspace")}
    found = {
        "fvu": _finding(unexplained("spliced"), "share of the variance", "lower", baselines),
        "l0": _finding(resampled.number(_ratio("active", "tokens")), "features a token", ""),
    }
    found["shrinkage"] = _finding(resampled.number(shrinkage), "share of the length", "")
    for share in QUANTILES:
        number = resampled.number(lambda sums, share=share: histogram_quantile(sums["l0"], share))
        found[f"l0.p{round(100 * share):02d}"] = _finding(number, "features a token", "")
    return found


def _predictions(resampled: Resampled) -> dict[str, Finding]:
    def mean(column: str) -> Number:
        return resampled.number(_ratio(column, "predictions"))

    def recovered(system: str, ablation: str) -> Number:
        return resampled.number(lambda sums: loss_recovered(sums, f"loss.{system}", f"loss.{ablation}"))

    nats = "nats a prediction"
    found = {
        "loss.plain": _finding(mean("loss.plain"), nats, ""),
        "loss": _finding(
            mean("loss.spliced"), nats, "lower", {name: mean(f"loss.{edit}") for name, edit in _EDITS.items()}
        ),
        "kl": _finding(mean("kl.spliced"), nats, "lower", {name: mean(f"kl.{edit}") for name, edit in _EDITS.items()}),
    }
    for ablation in ("zero", "mean"):
        baselines = {RANDOM: recovered("random", ablation)}
        found[f"recovered.{ablation}"] = _finding(
            recovered("spliced", ablation), "share of the loss", "higher", baselines
        )
    return found


def _embeddings(resampled: Resampled) -> dict[str, Finding]:
    def cosine(system: str) -> Number:
        return resampled.number(_ratio(f"cosine.{system}", "embeddings"))

    def recovered(system: str) -> Number:
        return resampled.number(
            lambda sums: (sums[f"cosine.{system}"] - sums["cosine.mean"]) / (sums["embeddings"] - sums["cosine.mean"])
        )

    baselines = {name: cosine(edit) for name, edit in _EDITS.items()}
    return {
        "cosine": _finding(cosine("spliced"), "cosine", "higher", baselines),
        "recovered.mean": _finding(
            recovered("spliced"), "share of the cosine", "higher", {RANDOM: recovered("random")}
        ),
    }


def _ratio(above: str, below: str) -> Statistic:
    return lambda sums: sums[above] / sums[below]


def deviations(sums: Mapping[str, Tensor]) -> Float[Tensor, " passage"]:
    """Each passage's Σ|x - mean of all passages' tokens|², from its sums around a fixed point.

    The mean stays that of all passages when passages are resampled. With a mean of its own each draw would spread less
    than the tokens do, and the share left unexplained would look larger than it is.
    """
    mean = sums["centred"].sum(0) / sums["tokens"].sum()
    return sums["square"] - 2 * sums["centred"] @ mean + sums["tokens"] * mean.square().sum()


def loss_recovered(sums: Totals, spliced: str, ablated: str) -> Tensor:
    """(ablated loss - spliced loss) / (ablated loss - plain loss): 1 is perfect, 0 no better than the ablation."""
    return (sums[ablated] - sums[spliced]) / (sums[ablated] - sums["loss.plain"])


def shrinkage(sums: Totals) -> Tensor:
    """Length of what features write over what it should be: 1 is none, below 1 too short; 1 if they write nothing."""
    return torch.where(sums["made.made"] == 0, 1.0, sums["made.made"] / sums["made.true"])


def histogram_quantile(counts: Tensor, share: float) -> Tensor:
    """The smallest value that at least `share` of the counted lie at or below; bins are 0, 1, 2, …"""
    below = counts.cumsum(1)
    return (below < share * below[:, -1:] * (1 - 1e-12)).sum(1).double()


def dead(firing: Firing) -> Number:
    """Features that never fired; see the head of this file for the interval."""
    count = float((firing.fired == 0).sum())
    missing = (1 - firing.in_passages / max(1, firing.passages)).clamp_min(0) ** firing.passages
    missing = missing[firing.fired > 0]
    added = float(missing.sum()) + _TAIL * float((missing * (1 - missing)).sum()) ** 0.5
    return Number(value=count, low=max(0.0, count - added), high=count)


def dense_features(firing: Firing, share: float) -> Number:
    """Features that fire on more than this share of tokens; see the head of this file for the interval."""
    density, error = firing.density(), firing.density_error()

    def above(values: Tensor) -> float:
        return float((values > share).sum())

    return Number(value=above(density), low=above(density - _TAIL * error), high=above(density + _TAIL * error))
