"""Which features of a dictionary made an output token likely: its logit, shared out among features and error.

At a site the activation of each token is taken apart, x = b + Σ value · direction + error, where b is the dictionary's
bias and the error is what it does not explain. The logit is followed along the straight line from b to x, and

    a feature's share   value · (mean gradient · direction)
    the error's share   mean gradient · error

- `integrated`  the mean over the line, by Gauss-Legendre quadrature (Sundararajan, Taly and Yan 2017, "Axiomatic
  Attribution for Deep Networks"): the shares add up to logit(x) - logit(b), but for the quadrature
- `gradient`    the gradient at x alone, "gradient times activation": one backward pass, adds up only where the rest of
  the model is linear

The sum stands beside the true difference, so that a reader sees what is left over. The error term is a share of its
own, as in Marks et al. 2024, "Sparse Feature Circuits". Spared tokens (special ones, on which no dictionary is trained)
stay as they are and get no share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.edits.requirements import require_same_model, require_width, site_of
from tymbal.errors import ModelError
from tymbal.models import LanguageModel

ROWS = 16
"""rows of a forward pass"""


class OutputToken(NamedTuple):
    """The logit that is shared out."""

    position: int
    """the token after which it stands"""
    token: int
    """id in the vocabulary"""
    against: int | None = None
    """id of another token whose logit is taken away; None for none"""


@dataclass(frozen=True, kw_only=True)
class AttributionConfig:
    """How a logit is shared out."""

    method: Literal["integrated", "gradient"] = "integrated"
    """the gradient's mean along the way from the dictionary's bias, or the gradient at the activation alone"""
    nodes: int = 32
    """points of the quadrature"""
    removed: int = 0
    """features, those of the largest shares, whose removal is measured beside their share"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.method not in ("integrated", "gradient"):
            raise ValueError(f"expected a method integrated or gradient; got {self.method!r}")
        if self.nodes < 1 or self.removed < 0:
            raise ValueError(
                f"expected nodes of at least 1 and removed of at least 0; got {self.nodes}, {self.removed}"
            )


class FeatureShare(NamedTuple):
    """One feature at one token."""

    position: int
    feature: int
    value: float
    """activation units"""
    share: float
    """of the logit, in nats"""
    removed: float | None
    """by how much the logit falls where this one feature is set to zero at this token; None where not measured"""


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """A logit shared out among features and error."""

    output: OutputToken
    logit: float
    """as the model has it, in nats"""
    start: float
    """where the activations of all tokens but spared ones are the dictionary's bias"""
    features: list[FeatureShare]
    """largest share first, whatever its sign"""
    errors: list[float]
    """the error term's share, one a token up to the position"""

    @property
    def total(self) -> float:
        """The sum of all shares."""
        return sum(share.share for share in self.features) + sum(self.errors)

    @property
    def difference(self) -> float:
        """What the shares should add up to."""
        return self.logit - self.start

    @property
    def left_over(self) -> float:
        """How far the sum is from the true difference."""
        return self.difference - self.total


def attribute(
    model: LanguageModel,
    dictionary: Dictionary,
    tokens: Int[Tensor, " token"],
    output: OutputToken,
    config: AttributionConfig = AttributionConfig(),
    *,
    site: str | None = None,
    spared: Bool[Tensor, " token"] | None = None,
) -> Attribution:
    """Share out the logit of an output token after one of these tokens.

    Raises `ModelError` for an encoder, and where the dictionary is another model's or is no plain autoencoder of its
    site; `ValueError` for a position or token that is not there.
    """
    place = _require(model, dictionary, output, len(tokens), site)
    seen = output.position + 1  # what comes after changes nothing
    line = _Line(model, dictionary, tokens[:seen], place, None if spared is None else spared[:seen])
    gradient = line.mean_gradient(output, config)
    codes = dictionary.encode(line.end)
    moved = ~line.spared.unsqueeze(1)
    found = torch.einsum("tw,tsw->ts", gradient, dictionary.decoder[codes.indices].detach()) * codes.values * moved
    error = ((line.end - dictionary.decode(codes).detach()) * gradient).sum(1) * moved.squeeze(1)
    where = ((codes.values != 0) & moved).nonzero()
    shares = [
        FeatureShare(int(t), int(codes.indices[t, s]), float(codes.values[t, s]), float(found[t, s]), None)
        for t, s in where.tolist()  # of tokens and slots
    ]
    shares.sort(key=lambda share: (-abs(share.share), share.position, share.feature))
    start, logit = line.both_ends(output)
    return Attribution(
        output=output,
        logit=logit,
        start=start,
        features=[*_removed(line, dictionary, shares[: config.removed], output, logit), *shares[config.removed :]],
        errors=error.tolist(),
    )


def _require(model: LanguageModel, dictionary: Dictionary, output: OutputToken, length: int, site: str | None) -> str:
    place = model.site(site_of(dictionary, site))
    require_same_model(model, dictionary.model, "a dictionary")
    require_width(model, place, dictionary.width, "a dictionary")
    if not model.causal:
        raise ModelError(
            expected="a model that predicts the next token", got=f"{model.name}, an encoder", do="open another model"
        )
    if not 0 <= output.position < length:
        raise ValueError(f"expected a position from 0 to {length - 1}; got {output.position}")
    for token in (output.token, output.against or 0):
        if not 0 <= token < model.vocabulary:
            raise ValueError(f"expected a token from 0 to {model.vocabulary - 1}; got {token}")
    return place


class _Line:
    """The way from the dictionary's bias to the activations of one text."""

    def __init__(
        self, model: LanguageModel, dictionary: Dictionary, tokens: Tensor, site: str, spared: Tensor | None
    ) -> None:
        self._model, self.site = model, site
        self._tokens = tokens.to(model.device)
        self.end: Float[Tensor, "token width"] = model.read(self._tokens.unsqueeze(0), [site])[site][0].float()
        self.spared = torch.zeros(len(tokens), dtype=torch.bool) if spared is None else spared
        bias = dictionary.decoder_bias.detach().to(self.end)
        self._begin = torch.where(self.spared.to(self.end.device).unsqueeze(1), self.end, bias)

    def at(self, shares: Float[Tensor, " row"]) -> Float[Tensor, "row token width"]:
        """Activations at these shares of the way."""
        return self._begin + shares.to(self.end).view(-1, 1, 1) * (self.end - self._begin)

    def logits(self, rows: Float[Tensor, "row token width"], output: OutputToken) -> Float[Tensor, " row"]:
        """The output's logit where the site holds these activations, in fp64."""
        ids = self._tokens.expand(len(rows), -1)
        with self._model.edited(_Held(self.site, rows)):
            step = self._model.torch_model(input_ids=ids, use_cache=False, logits_to_keep=1)
        logits = step.logits[:, -1].double()
        return logits[:, output.token] - (0 if output.against is None else logits[:, output.against])

    @torch.no_grad()
    def both_ends(self, output: OutputToken) -> tuple[float, float]:
        """The output's logit at the dictionary's bias and at the activations themselves."""
        start, end = self.logits(self.at(torch.tensor([0.0, 1.0])), output).tolist()
        return start, end

    def mean_gradient(self, output: OutputToken, config: AttributionConfig) -> Float[Tensor, "token width"]:
        """The gradient of the logit by the activations, averaged along the way."""
        shares, weights = _quadrature(config)
        mean = torch.zeros_like(self.end)
        for some, weight in zip(shares.split(ROWS), weights.split(ROWS), strict=True):
            rows = self.at(some).detach().requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(self.logits(rows, output).sum(), rows)
            mean += torch.einsum("r,rtw->tw", weight.to(gradient), gradient)
        return mean


class _Held:
    """Puts given activations in place of those at a site."""

    def __init__(self, site: str, rows: Tensor) -> None:
        self.site = site
        self._rows = rows

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        return self._rows.to(activation.dtype)


def _quadrature(config: AttributionConfig) -> tuple[Float[Tensor, " node"], Float[Tensor, " node"]]:
    """Points from 0 to 1 and their weights."""
    if config.method == "gradient":
        return torch.ones(1), torch.ones(1)
    nodes, weights = np.polynomial.legendre.leggauss(config.nodes)
    return torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2)


@torch.no_grad()
def _removed(
    line: _Line, dictionary: Dictionary, shares: Sequence[FeatureShare], output: OutputToken, logit: float
) -> list[FeatureShare]:
    """The same with what the logit loses without each of them; error and all other features stay."""
    rows = line.end.expand(len(shares), -1, -1).clone()
    for row, share in zip(rows, shares, strict=True):
        row[share.position] -= share.value * dictionary.decoder[share.feature]
    without = torch.cat([line.logits(part, output) for part in rows.split(ROWS)]) if shares else torch.zeros(0)
    return [share._replace(removed=logit - left) for share, left in zip(shares, without.tolist(), strict=True)]
