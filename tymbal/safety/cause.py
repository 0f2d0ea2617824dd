"""Does the feature make the model say it: clamped up and down, do texts with the concept become likelier than others?

    effect      (log-probability of the texts with the concept, less that of those without) at the feature's
                strongest activation, less the same at its negative, halved; nats a text. What a push does whichever way
                it goes cancels to first order.
    controls    other living features, clamped to their own strongest; and random directions, moved as far as the
                feature at each token

Texts are those of the half that judges, so none had a say in the choice.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from random import Random

import torch
from jaxtyping import Float64, Int
from torch import Tensor

from tymbal.atlas import Atlas, FeatureFilter
from tymbal.dictionaries import Dictionary, Finding, Number
from tymbal.edits import ClampedFeatures, FeatureAt, SpanLikelihood, Treatment
from tymbal.edits.where import AFTER_FIRST
from tymbal.models import LanguageModel
from tymbal.probes.splits import GroupDraws
from tymbal.safety.concepts import WITH, WITHOUT
from tymbal.safety.contrast import Contrast
from tymbal.safety.steps import CAUSAL, DRAWS, RANDOM, Step

DOSES = (-1.0, -0.5, 0.5, 1.0)
"""multiples of the feature's strongest activation"""
DOSE = 1.0
"""of these, the one at which it is held against its controls"""
FEATURES = "other features"
SURE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Spoken:
    """Texts of the half that judges, and how likely the model finds them."""

    model: LanguageModel
    texts: tuple[str, ...]
    likelihood: SpanLikelihood
    """weighted so that its mean is that of texts with the concept less that of texts without"""
    groups: Int[Tensor, " text"]

    @classmethod
    def of(cls, model: LanguageModel, contrast: Contrast, texts: int, seed: int) -> "Spoken":
        """At most so many texts of each side, drawn by the seed."""
        sides = [contrast.judged(side) for side in (0, 1)]
        chosen = [Random(seed).sample(side, min(texts, len(side))) for side in sides]
        examples = [*chosen[0], *chosen[1]]
        # Texts of like length stand together, so that little of a batch is padding.
        examples.sort(key=lambda one: len(one.text))
        share = {WITHOUT: -len(examples) / len(chosen[0]), WITH: len(examples) / len(chosen[1])}
        place = {name: number for number, name in enumerate(dict.fromkeys(one.group for one in examples))}
        return cls(
            model=model,
            texts=tuple(one.text for one in examples),
            likelihood=SpanLikelihood(
                spans=[(one.start, one.end) for one in examples],
                weights=[share[str(one.label)] for one in examples],
            ),
            groups=torch.tensor([place[one.group] for one in examples]),
        )

    def under(self, treatment: Treatment, dose: float) -> Float64[Tensor, " text"]:
        """Each text's weighted log-probability in nats."""
        with self.model.edited(*treatment.edits(dose)):
            return self.likelihood(self.model, self.texts)

    def effect(self, treatment: Treatment) -> Float64[Tensor, " text"]:
        """Up less down, halved."""
        return (self.under(treatment, DOSE) - self.under(treatment, -DOSE)) / 2


class Cause:
    """Measures features of one study on the texts of one concept after the other."""

    def __init__(self, model: LanguageModel, dictionary: Dictionary, atlas: Atlas, *, randoms: int, seed: int) -> None:
        self.model, self.dictionary, self.atlas, self.randoms, self.seed = model, dictionary, atlas, randoms, seed

    def step(self, contrast: Contrast, feature: int, *, texts: int) -> Step:
        """The effect of a feature on at most so many texts of each side.

        It holds if the interval lies above 0, and at most 5 % of all features and directions tried, this one among
        them, reach as far.
        """
        if not self.model.causal:
            return Step(name=CAUSAL, holds=None, why="the model writes no text, so nothing can be made likelier")
        spoken = Spoken.of(self.model, contrast, texts, self.seed)
        own = self._clamped(feature)
        plain = spoken.likelihood(self.model, spoken.texts)
        moved = {dose: spoken.under(own, dose) - plain for dose in DOSES}
        controls = {
            RANDOM: [spoken.effect(own.random(self.seed + 1 + number)) for number in range(self.randoms)],
            FEATURES: [spoken.effect(self._clamped(other)) for other in self._others(feature)],
        }
        drawn = GroupDraws(spoken.groups, draws=DRAWS, seed=self.seed)

        def mean(values: Float64[Tensor, " text"]) -> Number:
            return drawn.number(lambda weights: (weights @ values) / weights.sum(1))

        number = mean((moved[DOSE] - moved[-DOSE]) / 2)
        effects = {name: torch.stack(some).mean(1) for name, some in controls.items() if some}
        every = torch.cat(list(effects.values()))
        p_value = (1 + int((every >= number.value).sum())) / (1 + len(every))
        return Step(
            name=CAUSAL,
            holds=number.low > 0 and p_value <= SURE,
            finding=Finding(
                **asdict(number),
                unit="nats a text",
                better="higher",
                baselines={name: _spread(values) for name, values in effects.items()},
            ),
            p_value=p_value,
            sample={"texts": len(spoken.texts)} | {name: len(values) for name, values in effects.items()},
            details={"doses": [{"dose": dose, **asdict(mean(change))} for dose, change in moved.items()]},
        )

    def _clamped(self, feature: int) -> ClampedFeatures:
        maximum = self.atlas.rows([feature])[feature].maximum
        return ClampedFeatures(features=(FeatureAt(self.dictionary, feature, maximum or 1.0),), where=AFTER_FIRST)

    @cached_property
    def _living(self) -> set[int]:
        return {row.feature for row in self.atlas.features(FeatureFilter(dead=False), limit=len(self.atlas))}

    def _others(self, feature: int) -> list[int]:
        others = sorted(self._living - {feature})
        return Random(self.seed).sample(others, min(self.randoms, len(others)))


def _spread(values: Float64[Tensor, " control"]) -> Number:
    """The mean, and between what 95 % of the controls lie."""
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return Number(value=float(values.mean()), low=low, high=high)
