"""Steering vectors from texts that show a contrast, from a probe, or from a dictionary's feature.

- `difference`  mean over pairs of the difference at the last token: contrastive activation addition (Rimsky et al.
  2023); of a single pair of prompts it is activation addition (Turner et al. 2023), with one vector where the paper
  adds each position's own difference
- `mean`        difference of mean activations over all tokens but the first ("mass mean": Marks and Tegmark 2023)
- `pca`         first principal component of the differences at the last token, turned towards the first texts and of
  the length of their mean projection (Zou et al. 2023, "Representation engineering")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.edits.requirements import site_of
from tymbal.edits.steer import Steer
from tymbal.edits.where import EVERYWHERE, Where
from tymbal.edits.written import Written, tokens_of_parts
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel, parse_site
from tymbal.probes import LinearProbe, Probe

Method = Literal["difference", "mean", "pca"]
BATCH = 32  # texts


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SteeringVector:
    """A direction at a site of a model, in activation units."""

    direction: Float[Tensor, " width"]
    site: str
    model: Mapping[str, Any] = field(default_factory=dict)
    """identity of the model; empty if unknown"""
    made: str = ""
    """how it was made"""

    def steer(
        self,
        strength: float = 1.0,
        *,
        relative: bool = False,
        half_life: float | None = None,
        where: Where = EVERYWHERE,
    ) -> Steer:
        """The edit that adds this vector, so many times or, if `relative`, that share of each activation's length."""
        return Steer(
            self.direction,
            site=self.site,
            strength=strength,
            relative=relative,
            half_life=half_life,
            where=where,
            model=self.model,
        )

    def reversed(self) -> "SteeringVector":
        """The vector that leads the other way."""
        return SteeringVector(
            direction=-self.direction, site=self.site, model=self.model, made=f"{self.made}, reversed".lstrip(", ")
        )

    def of_length(self, length: float) -> "SteeringVector":
        """The same direction with this length, in activation units."""
        direction = self.direction * (length / float(self.direction.norm()))
        return SteeringVector(direction=direction, site=self.site, model=self.model, made=self.made)

    def random(self, seed: int) -> "SteeringVector":
        """A vector of the same length in a random direction: the control of every steering."""
        drawn = torch.randn(len(self.direction), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        direction = (drawn / drawn.norm() * self.direction.double().norm()).to(self.direction)
        return SteeringVector(direction=direction, site=self.site, model=self.model, made=f"random, seed {seed}")


def steering_vector(
    model: LanguageModel, toward: Sequence[str], away: Sequence[str], *, site: str, method: Method = "difference"
) -> SteeringVector:
    """The vector that leads from `away` to `toward`; raises `TymbalError` where these texts show no difference."""
    if isinstance(toward, str) or isinstance(away, str) or not toward or not away:
        raise ValueError("expected toward and away to be sequences of at least one text each")
    if method == "mean":
        found = _over_tokens(model, toward, site).mean(0) - _over_tokens(model, away, site).mean(0)
    elif method in ("difference", "pca"):
        if len(toward) != len(away):
            raise ValueError(f"expected as many texts toward as away, in pairs; got {len(toward)} and {len(away)}")
        differences = _at_last(model, toward, site) - _at_last(model, away, site)
        found = differences.mean(0) if method == "difference" else _principal(differences)
    else:
        raise ValueError(f"expected a method among difference, mean and pca; got {method!r}")
    return _between(model, site, found, f"{method} of {len(toward)} text{'s' if len(toward) > 1 else ''}")


def written_vector(
    model: LanguageModel, toward: Sequence[Written], away: Sequence[Written], *, site: str
) -> SteeringVector:
    """The difference of mean activations over the tokens that write the parts: from the one before a part's first to
    the one before its last, a text's first token left out. Raises `TymbalError` where these show no difference."""
    found = _writing(model, toward, site).mean(0) - _writing(model, away, site).mean(0)
    return _between(model, site, found, f"mean where {len(toward)} texts are written")


def _between(model: LanguageModel, site: str, found: Float[Tensor, " width"], made: str) -> SteeringVector:
    """What lies between two sides; raises `TymbalError` where that is nothing."""
    if not float(found.norm()) > 0:
        raise TymbalError(
            expected=f"texts that differ at {site}", got="the same activations on both sides", do="give other texts"
        )
    return SteeringVector(direction=found.float(), site=model.site(site), model=model.identity, made=made)


def feature_vector(dictionary: Dictionary, feature: int, *, site: str | None = None) -> SteeringVector:
    """A feature's direction, of length 1: the strength is then the change of the feature's value."""
    if not 0 <= feature < dictionary.features:
        raise ValueError(f"expected a feature from 0 to {dictionary.features - 1}; got {feature}")
    return SteeringVector(
        direction=dictionary.decoder[feature].detach().clone(),
        site=site_of(dictionary, site),
        model=dictionary.model,
        made=f"feature {feature}",
    )


def probe_vector(probe: Probe, *, site: str, model: Mapping[str, Any] | None = None, output: int = 0) -> SteeringVector:
    """A linear probe's direction, as long as it takes to raise its score by one: a nat of log-odds, or one number more.

    Of several classes `output` is the one whose score is raised over the mean of the others'. `load_probe` says at
    which site of which model a saved probe reads. Raises `TymbalError` for a probe that is not linear.
    """
    if not isinstance(probe, LinearProbe):
        raise TymbalError(
            expected="a linear probe, which has one direction", got=f"one of form {probe.form}", do="fit a linear one"
        )
    rows = probe.weight.double()
    if not 0 <= output < len(rows):
        raise ValueError(f"expected an output from 0 to {len(rows) - 1}; got {output}")
    others = torch.arange(len(rows)) != output
    weight = rows[output] - (rows[others].mean(0) if bool(others.any()) else 0)
    if not float(weight.norm()) > 0:
        raise TymbalError(expected="a probe that reads something", got="one of weight 0", do="fit it on more rows")
    return SteeringVector(
        direction=(weight / weight.square().sum()).float(),
        site=str(parse_site(site)),
        model=model or {},
        made=f"probe, output {output}",
    )


def mean_length(model: LanguageModel, texts: Sequence[str], site: str) -> float:
    """The mean length of these texts' activations, their first token left out: the natural unit of a strength."""
    return float(_over_tokens(model, texts, site).norm(dim=1).mean())


def _at_last(model: LanguageModel, texts: Sequence[str], site: str) -> Float[Tensor, "row width"]:
    found = []
    for start in range(0, len(texts), BATCH):
        tokens = model.tokenize(texts[start : start + BATCH])
        last = tokens.mask.sum(1) - 1
        found.append(model.read(tokens, [site])[site][torch.arange(len(last)), last.to(model.device)].double().cpu())
    return torch.cat(found)


def _over_tokens(model: LanguageModel, texts: Sequence[str], site: str) -> Float[Tensor, "row width"]:
    """Activations of all tokens but each row's first, whose activation is often a huge one that says nothing."""
    found = []
    for start in range(0, len(texts), BATCH):
        tokens = model.tokenize(texts[start : start + BATCH])
        wanted = tokens.mask & (tokens.positions() > 0)
        found.append(model.read(tokens, [site])[site][wanted.to(model.device)].double().cpu())
    return torch.cat(found)


def _writing(model: LanguageModel, passages: Sequence[Written], site: str) -> Float[Tensor, "row width"]:
    found = []
    for start in range(0, len(passages), BATCH):
        tokens, inside = tokens_of_parts(model, passages[start : start + BATCH])
        writing = torch.zeros_like(inside)
        writing[:, 1:-1] = inside[:, 2:]
        found.append(model.read(tokens, [site])[site][writing.to(model.device)].double().cpu())
    return torch.cat(found)


def _principal(differences: Float[Tensor, "row width"]) -> Float[Tensor, " width"]:
    # Both signs of each difference, so that the component goes through the origin.
    component = torch.linalg.svd(differences, full_matrices=False)[2][0]
    return (differences @ component).mean() * component
