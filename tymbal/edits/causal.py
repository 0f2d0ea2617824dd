"""The causal score of a direction: does moving activations along it change what the model does?

A probe may read what the model never uses. So activations are moved along the direction, both ways and at several
doses, and a behaviour is measured at each: a function of logits, or of generated text.

    slope       of the behaviour by dose, of each prompt by least squares through the unedited model; its mean over
                prompts is the causal score, in the behaviour's unit a dose of one mean activation length
    random      the same for random directions moved as far; the score is held against their root mean square, since a
                random direction has a slope of either sign
    wrong way   share of prompts whose own slope is negative

Both ways count, so that what any push does to the model, whichever way it goes, cancels to first order. A direction
that can be decoded but is not used scores as random ones do, about 0.

Sources: Vig et al. 2020, "Investigating gender bias in language models using causal mediation analysis"; Marks & Tegmark
2023, "The Geometry of Truth", for moving activations along a probe's direction.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float64, Int
from torch import Tensor

from tymbal.dictionaries import Number
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.edits.scores import Score
from tymbal.edits.vectors import SteeringVector, mean_length
from tymbal.edits.where import AFTER_FIRST, Where
from tymbal.models import LanguageModel

DRAWS = 2000


@dataclass(frozen=True, kw_only=True)
class CausalConfig:
    """How far activations are moved, and against what."""

    doses: tuple[float, ...] = (0.1, 0.2)
    """shares of the mean length of activations at the site; each is moved both ways"""
    randoms: int = 16
    """random directions"""
    where: Where = AFTER_FIRST
    """which tokens are moved; the one that begins the text has an activation unlike the others'"""
    seed: int = 0
    """of random directions and resampling"""

    def __post_init__(self) -> None:
        if not self.doses or not all(dose > 0 for dose in self.doses) or self.randoms < 1:
            raise ValueError("expected doses above 0 and at least one random direction")


class Response(NamedTuple):
    """The mean behaviour at one dose; random directions' means are averaged, which cancels their signs."""

    dose: float
    moved: Number
    random: Number


@dataclass(frozen=True, kw_only=True)
class CausalScore:
    """What moving along a direction does to a behaviour."""

    slope: Number
    """mean over prompts, in the behaviour's unit a dose of one mean activation length"""
    random: tuple[float, ...]
    """the same of each random direction"""
    wrong: Number
    """share of prompts whose own slope is negative"""
    random_wrong: float
    """the same of random directions, each turned so that its mean slope is positive"""
    responses: tuple[Response, ...]
    """by dose, the unedited model among them"""
    unit: str
    prompts: int
    site: str

    @property
    def random_size(self) -> float:
        """Root mean square of random directions' slopes."""
        return float(torch.tensor(self.random, dtype=torch.float64).square().mean().sqrt())

    @property
    def times_random(self) -> float:
        """The slope in units of random directions' size."""
        return self.slope.value / self.random_size if self.random_size else float("nan")

    @property
    def p_value(self) -> float:
        """Share of directions, this one among the random ones, whose slope is at least as far from 0."""
        reached = sum(abs(slope) >= abs(self.slope.value) for slope in self.random)
        return (1 + reached) / (1 + len(self.random))

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        told = {"random_size": self.random_size, "times_random": self.times_random, "p_value": self.p_value}
        responses = [
            {"dose": one.dose, "moved": asdict(one.moved), "random": asdict(one.random)} for one in self.responses
        ]
        return {**asdict(self), "responses": responses, **told}

    def __str__(self) -> str:
        slope, wrong = self.slope, self.wrong
        return (
            f"causal score at {self.site}: {slope.value:.3g} [{slope.low:.3g}, {slope.high:.3g}] {self.unit} a dose "
            f"of 1, {self.times_random:.1f} times random directions' {self.random_size:.2g} (p {self.p_value:.2g}, "
            f"n = {self.prompts}); {wrong.value:.0%} [{wrong.low:.0%}, {wrong.high:.0%}] of prompts go the wrong way, "
            f"random {self.random_wrong:.0%}"
        )


def causal_score(
    model: LanguageModel,
    vector: SteeringVector,
    prompts: Sequence[str],
    *,
    score: Score,
    config: CausalConfig | None = None,
    groups: Int[Tensor, " prompt"] | None = None,
) -> CausalScore:
    """Measure the causal score of a vector's direction; its length does not matter.

    `groups` numbers prompts that belong together (the same entity or document), which intervals draw as wholes.
    """
    config = config or CausalConfig()
    if isinstance(prompts, str) or len(prompts) < 2:
        raise ValueError("expected at least two prompts; got fewer, or one text")
    whole = vector.of_length(mean_length(model, prompts, vector.site))
    strengths = torch.tensor(
        sorted({side * dose for dose in config.doses for side in (-1.0, 1.0)}), dtype=torch.float64
    )
    plain = score(model, prompts)
    moved = _moved(model, whole, prompts, score, strengths, config) - plain
    random = torch.stack(
        [
            _moved(model, whole.random(config.seed + 1 + number), prompts, score, strengths, config) - plain
            for number in range(config.randoms)
        ]
    )
    own, others = _slopes(moved, strengths), _slopes(random, strengths)
    drawn = _Draws(groups, len(prompts), config.seed)
    others_turned = others * others.mean(1, keepdim=True).sign()
    return CausalScore(
        slope=drawn.mean(own),
        random=tuple(others.mean(1).tolist()),
        wrong=drawn.mean((own < 0).double()),
        random_wrong=float((others_turned < 0).double().mean()),
        responses=_responses(drawn, strengths, plain, moved, random.mean(0)),
        unit=score.unit,
        prompts=len(prompts),
        site=vector.site,
    )


def _moved(
    model: LanguageModel,
    vector: SteeringVector,
    prompts: Sequence[str],
    score: Score,
    strengths: Tensor,
    config: CausalConfig,
) -> Float64[Tensor, "dose prompt"]:
    found = []
    for strength in strengths.tolist():
        with model.edited(vector.steer(strength, where=config.where)):
            found.append(score(model, prompts))
    return torch.stack(found)


def _slopes(moved: Tensor, strengths: Tensor) -> Tensor:
    """Least squares through the unedited model at dose 0; doses stand in the last axis but one."""
    return (moved * strengths[:, None]).sum(-2) / strengths.square().sum()


def _responses(
    drawn: "_Draws", strengths: Tensor, plain: Tensor, moved: Tensor, random: Tensor
) -> tuple[Response, ...]:
    at = [
        (strength, plain + own, plain + other)
        for strength, own, other in zip(strengths.tolist(), moved, random, strict=True)
    ]
    return tuple(
        Response(strength, drawn.mean(own), drawn.mean(other))
        for strength, own, other in sorted([*at, (0.0, plain, plain)], key=lambda one: one[0])
    )


class _Draws:
    """The same draws of groups of prompts for every number."""

    def __init__(self, groups: Tensor | None, prompts: int, seed: int) -> None:
        names, self._group = (torch.arange(prompts) if groups is None else groups).unique(return_inverse=True)
        self._groups = len(names)
        self._bootstrap = Bootstrap(self._groups, draws=DRAWS, seed=seed)

    def mean(self, values: Float64[Tensor, " prompt"]) -> Number:
        """The mean over prompts with its 95 % interval."""
        columns = {
            name: torch.zeros(self._groups, dtype=torch.float64).index_add_(0, self._group, column)
            for name, column in (("sum", values), ("count", torch.ones_like(values)))
        }
        return self._bootstrap.over(columns).number(lambda totals: totals["sum"] / totals["count"])
