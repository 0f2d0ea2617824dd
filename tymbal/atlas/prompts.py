"""Features on texts that somebody has in mind: which are active on a prompt, and which tell two sets of prompts apart.

1. `read_prompt` runs one text through the model and encodes its tokens; special tokens get no features, as in training.
2. `contrast` takes each feature's strongest activation on each prompt and asks how often it is higher on a prompt of
   the first set than on one of the second (the area under the ROC curve, 0.5 for no difference; ties count half).
3. Among thousands of features some tell any two small sets apart. So the sets are shuffled: `chance` is what the best
   of all features stays below in 95 % of the shuffles (the maximum statistic of Westfall and Young 1993).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.stats import rankdata

from tymbal.corpora.tokens import TextTokenizer
from tymbal.dictionaries import Dictionary
from tymbal.errors import ModelError
from tymbal.models import LanguageModel

SURPRISE = 0.95
"""the share of shuffles that `chance` is not exceeded in"""


class ActiveFeature(NamedTuple):
    """A feature that is active somewhere."""

    feature: int
    value: float
    """its strongest activation there"""
    position: int
    """the token at which it is strongest"""
    tokens: int
    """on how many tokens it is active"""


@dataclass(frozen=True, kw_only=True)
class PromptReading:
    """A text as the model and the dictionary read it."""

    ids: list[int]
    texts: list[str]
    """each token as it reads after those before it"""
    special: list[bool]
    """tokens that the tokenizer puts around a text, or that steer the model; they have no features"""
    cut: int
    """tokens that did not fit into the model's context and were left out"""
    active: list[list[tuple[int, float]]]
    """features and activations of each token, strongest first"""

    def strongest(self) -> list[ActiveFeature]:
        """Each feature that is active on some token, by its strongest activation."""
        found: dict[int, ActiveFeature] = {}
        for position, pairs in enumerate(self.active):
            for feature, value in pairs:
                known = found.get(feature)
                if known is None:
                    found[feature] = ActiveFeature(feature, value, position, 1)
                elif value > known.value:
                    found[feature] = ActiveFeature(feature, value, position, known.tokens + 1)
                else:
                    found[feature] = known._replace(tokens=known.tokens + 1)
        return sorted(found.values(), key=lambda one: (-one.value, one.feature))

    def values(self, feature: int) -> list[float]:
        """A feature's activation at each token; 0 where it is silent."""
        return [dict(pairs).get(feature, 0.0) for pairs in self.active]


@torch.no_grad()
def read_prompt(dictionary: Dictionary, model: LanguageModel, site: str, text: str) -> PromptReading:
    """Which features are active on each token of a text; what does not fit into the context is left out.

    Raises `ModelError` for an unknown site and for a text without tokens.
    """
    ids = model.tokenize([text]).ids[0]
    kept = ids[: model.context]
    if not len(kept):
        raise ModelError(expected="a text of at least one token", got="none", do="write some text")
    activations = model.read(kept.unsqueeze(0), [site])[site][0]
    codes = dictionary.encode(activations.float().to(dictionary.encoder.device))
    special = special_tokens(model, kept.tolist())
    active = [
        [] if skipped else sorted(_pairs(indices, values), key=lambda pair: (-pair[1], pair[0]))
        for skipped, indices, values in zip(special, codes.indices.tolist(), codes.values.tolist(), strict=True)
    ]
    return PromptReading(
        ids=kept.tolist(),
        texts=model.running_text(kept.tolist()),
        special=special,
        cut=len(ids) - len(kept),
        active=active,
    )


def _pairs(indices: list[int], values: list[float]) -> list[tuple[int, float]]:
    return [(index, value) for index, value in zip(indices, values, strict=True) if value != 0]


def special_tokens(model: LanguageModel, ids: Sequence[int]) -> list[bool]:
    """Which tokens of a text are no text: what the tokenizer puts around it, and control tokens spelled out in it."""
    tokenizer = TextTokenizer(model.tokenizer)
    special = tokenizer.control(np.asarray(ids, dtype=np.int32))
    special[: len(tokenizer.before)] = True
    if tokenizer.after and tuple(ids[-len(tokenizer.after) :]) == tokenizer.after:
        special[-len(tokenizer.after) :] = True
    return special.tolist()


@dataclass(frozen=True, kw_only=True)
class ContrastConfig:
    """How two sets of prompts are compared."""

    shuffles: int = 500
    """of the prompts among the two sets"""
    seed: int = 0
    """of the shuffles"""


class ContrastedFeature(NamedTuple):
    """A feature on two sets of prompts."""

    feature: int
    auc: float
    """how often it is higher on a prompt of the first set than on one of the second"""
    toward: float
    """its mean strongest activation on a prompt of the first set"""
    away: float
    """the same of the second"""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Features that are active on any prompt of two sets, those that tell them apart best first."""

    features: list[ContrastedFeature]
    chance: float
    """the distance of the area from 0.5 that the best of all features reaches by chance"""
    toward: int
    """prompts of the first set"""
    away: int


def contrast(
    dictionary: Dictionary,
    model: LanguageModel,
    site: str,
    toward: Sequence[str],
    away: Sequence[str],
    config: ContrastConfig = ContrastConfig(),
) -> Contrast:
    """Which features tell prompts of one set from those of another; raises `ValueError` where a set is empty."""
    if isinstance(toward, str) or isinstance(away, str) or not toward or not away:
        raise ValueError("expected two sequences of at least one prompt each")
    readings = [read_prompt(dictionary, model, site, text).strongest() for text in (*toward, *away)]
    names = sorted({one.feature for reading in readings for one in reading})
    column = {feature: number for number, feature in enumerate(names)}
    peaks = np.zeros((len(readings), len(names)))
    for row, reading in zip(peaks, readings, strict=True):
        for one in reading:
            row[column[one.feature]] = one.value
    first = np.arange(len(readings)) < len(toward)
    ranks = rankdata(peaks, axis=0) if names else peaks
    told = areas(first[None], ranks)[0]
    means = peaks[first].mean(0), peaks[~first].mean(0)
    order = sorted(range(len(names)), key=lambda place: (-abs(told[place] - 0.5), -peaks[:, place].max(), place))
    return Contrast(
        features=[
            ContrastedFeature(names[place], float(told[place]), float(means[0][place]), float(means[1][place]))
            for place in order
        ],
        chance=_chance(first, ranks, config),
        toward=len(toward),
        away=len(away),
    )


def areas(
    first: Bool[ndarray, "shuffle prompt"], ranks: Float[ndarray, "prompt feature"]
) -> Float[ndarray, "shuffle feature"]:
    """The area under each feature's ROC curve, for each way in which prompts belong to the first set.

    `ranks` are those of each feature's values, ties sharing their mean; an area is 0 where a set is empty.
    """
    here = first.sum(1, keepdims=True).astype(float)
    there = first.shape[1] - here
    return (first.astype(float) @ ranks - here * (here + 1) / 2) / np.maximum(here * there, 1)


def _chance(first: Bool[ndarray, " prompt"], ranks: Float[ndarray, "prompt feature"], config: ContrastConfig) -> float:
    if not ranks.size:
        return 0.0
    generator = np.random.default_rng(config.seed)
    shuffled = np.stack([generator.permutation(first) for _ in range(config.shuffles)])
    best = [np.abs(areas(some, ranks) - 0.5).max(1) for some in np.array_split(shuffled, max(1, len(shuffled) // 50))]
    return float(np.quantile(np.concatenate(best), SURPRISE))
