"""A concept's texts as a dictionary reads them: each feature's strongest activation within each text's span.

Texts are split in two by whole groups: one half chooses (the feature, its threshold, the probe's weights), the other
judges. Beside the features stand as many random directions, read likewise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.models import LanguageModel
from tymbal.probes import Classes, Example, Pooling, Readings, read
from tymbal.probes.splits import Split, grouped_split
from tymbal.safety.concepts import WITH, WITHOUT, ContrastConcept

HALF = 0.5
SPLITS = 100
"""seeds of the split that are tried, until each half has both sides"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """One concept's texts, read."""

    concept: ContrastConcept
    peaks: Float[Tensor, "text feature"]
    """each feature's strongest activation within a text's span"""
    random: Float[Tensor, "text feature"]
    """the same of random directions"""
    mean: Float[Tensor, "text width"]
    """the mean activation of the span's tokens"""
    tokens: Float[Tensor, "text token"]
    """1 where a text holds a token, of those that occur; the last column stands for all others"""
    readings: Readings
    split: Split

    @property
    def target(self) -> Classes:
        """Which texts have the concept: class 1."""
        target = self.readings.target
        assert isinstance(target, Classes)
        return Classes((target.ids == target.names.index(WITH)).long(), (WITHOUT, WITH))

    def judged(self, side: int) -> list[Example]:
        """The texts of one class in the half that judges."""
        held = self.split.held_out[self.target.ids[self.split.held_out] == side]
        return [self.concept.texts.examples[number] for number in self.readings.examples[held].tolist()]


def read_contrast(
    model: LanguageModel, dictionary: Dictionary, site: str, concept: ContrastConcept, seed: int
) -> Contrast:
    """Read a concept's texts; raises `ProbeError` where they cannot be split so that both halves have both sides."""
    readings = read(model, concept.texts, [site], Pooling.ATTENTION)
    spans = [row[~row[:, 0].isnan()] for row in readings.activations[site]]
    drawn = torch.randn(
        dictionary.features, dictionary.width, generator=torch.Generator().manual_seed(seed), dtype=torch.float32
    )
    directions = torch.nn.functional.normalize(drawn, dim=1)
    occurring = readings.bag[:, readings.bag.getnnz(axis=0) > 0].toarray()
    return Contrast(
        concept=concept,
        peaks=_peaks(spans, dictionary.features, lambda span: feature_peaks(dictionary, span)),
        random=_peaks(spans, dictionary.features, lambda span: (span @ directions.T).amax(0)),
        mean=torch.stack([span.mean(0) for span in spans]),
        tokens=torch.nn.functional.pad((torch.from_numpy(occurring) > 0).float(), (0, 1)),
        readings=readings,
        split=_split(readings, seed),
    )


def feature_peaks(dictionary: Dictionary, span: Float[Tensor, "token width"]) -> Float[Tensor, " feature"]:
    """Each feature's strongest activation among these tokens; 0 where it is silent."""
    with torch.no_grad():
        codes = dictionary.encode(span.to(dictionary.encoder.device))
    peaks = torch.zeros(dictionary.features)
    indices, values = codes.indices.flatten().long().cpu(), codes.values.flatten().float().cpu()
    return peaks.scatter_reduce_(0, indices, values, reduce="amax")


def _peaks(
    spans: list[Tensor], features: int, peaks: Callable[[Tensor], Float[Tensor, " feature"]]
) -> Float[Tensor, "text feature"]:
    found = torch.empty(len(spans), features)
    for row, span in zip(found, spans, strict=True):
        row[:] = peaks(span)
    return found


def _split(readings: Readings, seed: int) -> Split:
    """The first split of the seed's, and those after it, whose halves both have both sides."""
    splits = [grouped_split(readings.groups, HALF, tried) for tried in range(seed, seed + SPLITS)]
    target = readings.target
    assert isinstance(target, Classes)
    split = next((one for one in splits if all(len(target.ids[half].unique()) == 2 for half in one)), splits[0])
    for half, name in zip(split, ("that choose", "that judge"), strict=True):
        target[half].require_all(f"among the texts {name}")
    return split
