"""What one feature does to a model's words: clamped up, down and to zero, what changes, and by how much.

    promoted    mean change of the log-probability of the tokens that the feature promotes in the unembedding, nats
    kl          divergence of all predictions from the unedited model's, nats a token
    tokens      those whose mean probability rises and falls most where the feature is clamped up
    texts       one beginning, continued by the unedited model, and with the feature up, at zero, and down

Beside the first two stand random directions, moved as far at each token.

Source: Templeton et al. 2024, "Scaling monosemanticity", on influence on behaviour.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import Dictionary, Number
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.edits.by_row import ByRow
from tymbal.edits.side_effects import log_probabilities
from tymbal.edits.treatments import ClampedFeatures, FeatureAt
from tymbal.edits.where import AFTER_FIRST
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, Tokens

DRAWS = 1000
WAYS = {"plain": None, "up": 1.0, "at zero": 0.0, "down": -1.0}
"""doses of the continued texts"""


@dataclass(frozen=True, kw_only=True)
class InfluenceConfig:
    """How a feature's influence is measured."""

    doses: tuple[float, ...] = (-1.0, 0.0, 0.5, 1.0, 2.0)
    """the feature's value, in its strongest activation"""
    randoms: int = 8
    """random directions"""
    promoted: int = 10
    """tokens that count as promoted"""
    tokens: int = 24
    """new tokens of each continued text"""
    seed: int = 0
    """of random directions and resampling"""

    def __post_init__(self) -> None:
        if not self.doses or 1.0 not in self.doses or self.randoms < 2 or self.promoted < 1 or self.tokens < 1:
            raise ValueError("expected doses with 1 among them, at least two random directions, one token and one more")


class Response(NamedTuple):
    """One dose."""

    dose: float
    promoted: Number
    promoted_random: Number
    """mean of random directions, and between what 95 % of them lie"""
    kl: Number
    kl_random: Number


@dataclass(frozen=True, kw_only=True)
class Influence:
    """What clamping one feature changes."""

    feature: int
    maximum: float
    responses: tuple[Response, ...]
    promoted: tuple[str, ...]
    rising: tuple[tuple[str, float], ...]
    """tokens and the mean change of their probability where the feature is clamped to its strongest activation"""
    falling: tuple[tuple[str, float], ...]
    texts: dict[str, str]
    """continuations by way"""
    beginning: str
    sample: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {
            "responses": [
                {"dose": one.dose} | {name: asdict(getattr(one, name)) for name in Response._fields[1:]}
                for one in self.responses
            ]
        }


def influence(
    model: LanguageModel,
    dictionary: Dictionary,
    feature: int,
    texts: Sequence[str],
    *,
    maximum: float,
    beginning: str,
    config: InfluenceConfig | None = None,
) -> Influence:
    """Clamp a feature whose strongest activation is `maximum` while the model reads these texts.

    Raises `ModelError` for an encoder, which writes nothing.
    """
    config = config or InfluenceConfig()
    if not model.causal:
        raise ModelError(expected="a model that writes", got="an encoder", do="look at what the feature fires on")
    if len(texts) < 2 or not maximum > 0:
        raise ValueError("expected at least two texts, and a feature that fires")
    batch = model.tokenize(list(texts))
    batch = Tokens(batch.ids[:, : model.context], batch.mask[:, : model.context])
    plain = log_probabilities(model, batch)
    own = ClampedFeatures(features=(FeatureAt(dictionary, feature, maximum),), where=AFTER_FIRST)
    # Their effect through all later blocks is what is measured; which tokens they are is read off the unembedding.
    ids = model.output_directions(dictionary.decoder.detach()[[feature]]).topk(config.promoted, dim=1).indices[0]
    measured = _Measured(model, batch, plain, ids.cpu(), Bootstrap(len(texts), draws=DRAWS, seed=config.seed))
    random = [own.random(config.seed + 1 + number) for number in range(config.randoms)]
    responses = tuple(measured.response(dose, own, random) for dose in config.doses)
    change = measured.mean_change(own, 1.0)
    return Influence(
        feature=feature,
        maximum=maximum,
        responses=responses,
        promoted=tuple(model.token_text(ids.tolist())),
        rising=_extremes(model, change, largest=True),
        falling=_extremes(model, change, largest=False),
        texts=_continued(model, own, beginning, config.tokens),
        beginning=beginning,
        sample={"texts": len(texts), "predictions": int(batch.mask[:, 1:].sum()), "random directions": config.randoms},
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    model: LanguageModel
    batch: Tokens
    plain: Float[Tensor, "text token vocabulary"]
    promoted: Tensor
    bootstrap: Bootstrap

    def response(self, dose: float, own: ClampedFeatures, random: Sequence[ClampedFeatures]) -> Response:
        told = self._by_text(own, dose)
        others = torch.stack([self._by_text(one, dose) for one in random])
        promoted, kl = (self._mean(told[:, place]) for place in (0, 1))
        return Response(dose, promoted, _spread(others[:, :, 0]), kl, _spread(others[:, :, 1]))

    def mean_change(self, treatment: ClampedFeatures, dose: float) -> Float[Tensor, " vocabulary"]:
        """Of each token's probability, over all predictions."""
        edited = self._edited(treatment, dose)
        wanted = self.batch.mask[:, 1:]
        return (edited.exp() - self.plain.exp())[wanted].double().mean(0).cpu()

    def _edited(self, treatment: ClampedFeatures, dose: float) -> Float[Tensor, "text token vocabulary"]:
        with self.model.edited(*treatment.edits(dose)):
            return log_probabilities(self.model, self.batch)

    def _by_text(self, treatment: ClampedFeatures, dose: float) -> Float[Tensor, "text measure"]:
        edited, wanted = self._edited(treatment, dose), self.batch.mask[:, 1:].to(self.plain.device)
        change = (edited - self.plain)[:, :, self.promoted.to(edited.device)].mean(-1)
        kl = (edited.exp() * (edited - self.plain)).sum(-1)
        counts = wanted.sum(1).clamp_min(1)
        return torch.stack([(part * wanted).double().sum(1) / counts for part in (change, kl)], 1).cpu()

    def _mean(self, values: Float[Tensor, " text"]) -> Number:
        sums = self.bootstrap.over({"sum": values, "count": torch.ones_like(values)})
        return sums.number(lambda totals: totals["sum"] / totals["count"])


def _spread(values: Float[Tensor, "direction text"]) -> Number:
    means = values.mean(1)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=means.dtype)).tolist()
    return Number(value=float(means.mean()), low=low, high=high)


def _extremes(
    model: LanguageModel, change: Float[Tensor, " vocabulary"], *, largest: bool, most: int = 8
) -> tuple[tuple[str, float], ...]:
    best = change.topk(min(most, len(change)), largest=largest)
    texts = model.token_text(best.indices.tolist())
    return tuple(zip(texts, best.values.tolist(), strict=True))


def _continued(model: LanguageModel, own: ClampedFeatures, beginning: str, tokens: int) -> dict[str, str]:
    """The beginning, continued each way in one batch."""
    edits = [None if dose is None else own.edits(dose)[0] for dose in WAYS.values()]
    with model.edited(ByRow(edits)):
        texts = model.generate_all([beginning] * len(edits), max_new_tokens=tokens)
    return {name: text[len(beginning) :] for name, text in zip(WAYS, texts, strict=True)}
