"""Four measures of how a dictionary holds labelled concepts, each a function of rows, codes and labels alone.

    sparse probing    how well the k features that differ most tell a concept: balanced accuracy, .5 is chance
    absorption        share of a concept's tokens on which its own features are silent because another, more special
                      one has taken the concept's direction over; 0 is best
    disentanglement   features of one attribute are exchanged between two tokens: is the attribute then read as the
                      other token's (cause), and another attribute as before (isolation)? Their mean; .5 is doing
                      nothing. The features are those by which the first attribute is read most, and the second least
    ablation          features of a concept are taken out: nats lost on predicting from its tokens, and elsewhere

What is chosen is chosen on `Labelled` rows of one side and measured on another's.

Sources: Karvonen et al. 2025, "SAEBench" (the list); Gurnee et al. 2023, "Finding Neurons in a Haystack" (sparse
probing); Chanin et al. 2024, "A is for Absorption"; Huang et al. 2024, "RAVEL"; Farrell et al. 2024, "Applying Sparse
Autoencoders to Unlearn Knowledge in Language Models". Each is simplified here to what labelled tokens allow.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.dictionaries import Dictionary
from tymbal.probes import solve_logistic

STRENGTH = 1e-3
"""Penalty of the probes, in nats a row per squared weight of standardised inputs."""
SPLIT_GAIN, MOST_SPLIT = 0.03, 3
"""A concept may have this many features of its own, as long as each raises balanced accuracy by so much."""
LEAST_COSINE, LEAST_SHARE = 0.1, 0.4
"""A feature absorbs a concept on a token where its direction and the probe's have this cosine, and it alone makes up
this share of the token's part along the probe's direction."""


class Labelled(NamedTuple):
    """Tokens: activations, and their codes as one matrix."""

    x: Float[Tensor, "row width"]
    codes: Float[Tensor, "row feature"]


class Linear(NamedTuple):
    """A logistic probe; one output for two classes."""

    weight: Float[Tensor, "output width"]
    bias: Float[Tensor, " output"]

    def told(self, x: Float[Tensor, "row width"]) -> Int[Tensor, " row"]:
        """The class of each row."""
        scores = x @ self.weight.T + self.bias
        return scores.argmax(1) if len(self.bias) > 1 else (scores[:, 0] > 0).long()


def dense_codes(dictionary: Dictionary, x: Float[Tensor, "row width"]) -> Float[Tensor, "row feature"]:
    """Codes as one matrix."""
    codes = dictionary.encode(x)
    return x.new_zeros(len(x), dictionary.features).scatter_add_(1, codes.indices, codes.values)


def fitted(x: Float[Tensor, "row width"], labels: Int[Tensor, " row"], classes: int = 2) -> Linear:
    """A logistic probe in which every class weighs the same."""
    mean, spread = x.double().mean(0), x.double().std(0).clamp_min(1e-6)
    weights = 1 / torch.bincount(labels, minlength=classes).double()[labels]
    rows = (x.double() - mean) / spread
    solved = solve_logistic(rows, labels[None], STRENGTH, classes=classes, weights=weights[None], tolerance=1e-4)
    weight = solved.weight[0] / spread
    return Linear(weight.to(x), (solved.bias[0] - weight @ mean).to(x))


def balanced(told: Int[Tensor, " row"], labels: Int[Tensor, " row"]) -> float:
    """Mean over the classes of the share that is told right."""
    return float(torch.stack([(told[labels == each] == each).double().mean() for each in labels.unique()]).mean())


def differing(codes: Float[Tensor, "row feature"], there: Bool[Tensor, " row"]) -> Int[Tensor, " feature"]:
    """Features in order of how much larger or smaller they are, on average, where the concept is."""
    return (codes[there].mean(0) - codes[~there].mean(0)).abs().argsort(descending=True)


def sparse_probing(
    fit: Labelled, fit_there: Bool[Tensor, " row"], test: Labelled, test_there: Bool[Tensor, " row"], k: int
) -> float:
    """Balanced accuracy of a probe that reads the k features that differ most."""
    chosen = differing(fit.codes, fit_there)[:k]
    return balanced(fitted(fit.codes[:, chosen], fit_there.long()).told(test.codes[:, chosen]), test_there.long())


def own_features(codes: Float[Tensor, "row feature"], there: Bool[Tensor, " row"]) -> Int[Tensor, " chosen"]:
    """The features that stand for a concept: the one that differs most, and more while each helps to tell it."""
    order, labels = differing(codes, there), there.long()
    best, count = 0.0, 0
    for number in range(1, MOST_SPLIT + 1):
        chosen = order[:number]
        score = balanced(fitted(codes[:, chosen], labels).told(codes[:, chosen]), labels)
        if number > 1 and score < best + SPLIT_GAIN:
            break
        best, count = score, number
    return order[:count]


def absorption(
    dictionary: Dictionary,
    probe: Linear,
    fit: Labelled,
    fit_there: Bool[Tensor, " row"],
    test: Labelled,
    test_there: Bool[Tensor, " row"],
) -> float:
    """Share of the tokens on which a probe of the activations finds the concept that have it absorbed."""
    own = own_features(fit.codes, fit_there)
    seen = test_there & (probe.told(test.x) == 1)
    direction = probe.weight[0] / probe.weight[0].norm()
    cosines = dictionary.decoder @ direction
    parts = test.codes[seen] * cosines
    silent = (test.codes[seen][:, own] == 0).all(1)
    most, which = parts.max(1)
    whole = (test.x[seen] - dictionary.decoder_bias) @ direction
    taken = (cosines[which] >= LEAST_COSINE) & (most >= LEAST_SHARE * whole) & (most > 0)
    return float((silent & taken).double().mean()) if bool(seen.any()) else 0.0


class Exchange(NamedTuple):
    """What exchanging an attribute's features does, as shares of the pairs of tokens."""

    cause: float
    isolation: float

    @property
    def score(self) -> float:
        """The mean of both."""
        return (self.cause + self.isolation) / 2


def steering(
    dictionary: Dictionary, codes: Float[Tensor, "row feature"], labels: Int[Tensor, " row"], probe: Linear
) -> Float[Tensor, " feature"]:
    """Share of each feature in what a probe tells the classes by: its mean values times what the probe reads of it."""
    weight = probe.weight if len(probe.bias) > 1 else torch.cat([-probe.weight, probe.weight]) / 2
    means = torch.stack([codes[labels == each].mean(0) for each in labels.unique()])
    read = dictionary.decoder @ (weight - weight.mean(0)).T
    shares = ((means - means.mean(0)).T * read).sum(1)
    return shares / shares.clamp_min(0).sum()


def exchanged(
    dictionary: Dictionary,
    rows: Labelled,
    labels: tuple[Int[Tensor, " row"], Int[Tensor, " row"]],
    probes: tuple[Linear, Linear],
    features: Int[Tensor, " chosen"],
    *,
    pairs: int = 2000,
    seed: int = 0,
) -> Exchange:
    """Give tokens the values that `features` have in others; the first attribute should follow, the second stay.

    Pairs differ in both attributes, and both probes read both tokens right.
    """
    right = (
        torch.stack([probe.told(rows.x) == of for probe, of in zip(probes, labels, strict=True)]).all(0).nonzero()[:, 0]
    )
    if len(right) == 0:
        return Exchange(0.0, 0.0)
    generator = torch.Generator().manual_seed(seed)
    base, source = (right[torch.randint(len(right), (4 * pairs,), generator=generator)] for _ in range(2))
    differ = (labels[0][base] != labels[0][source]) & (labels[1][base] != labels[1][source])
    base, source = base[differ][:pairs], source[differ][:pairs]
    if len(base) == 0:
        return Exchange(0.0, 0.0)
    moved = rows.codes[source][:, features] - rows.codes[base][:, features]
    x = rows.x[base] + moved @ dictionary.decoder[features]
    cause = (probes[0].told(x) == labels[0][source]).double().mean()
    isolation = (probes[1].told(x) == labels[1][base]).double().mean()
    return Exchange(float(cause), float(isolation))


def exclusive(
    codes: Float[Tensor, "row feature"], there: Bool[Tensor, " row"], count: int, *, elsewhere: float
) -> Int[Tensor, " chosen"]:
    """The `count` features most active on a concept among those that fire on at most that share of other tokens."""
    strength = codes[there].mean(0)
    strength[(codes[~there] > 0).double().mean(0) > elsewhere] = 0
    order = strength.argsort(descending=True)[:count]
    return order[strength[order] > 0]
