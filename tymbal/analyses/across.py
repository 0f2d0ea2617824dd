"""One feature for one concept in every language, or in every form of text?

1. For each concept the feature that tells it best, mention by mention, where passages explain (`concept_counts`).
2. Where passages score, its recall apart for each language: the share of mentions on which it is active.
3. Beside it the single token that tells the concept best: a name is spelled alike in every language, and then one
   feature for all of them is no achievement.

A feature speaks a language if it is active on at least half of the concept's mentions there.

Source: Templeton et al. 2024, "Scaling monosemanticity", on features that are multilingual and multimodal.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.analyses.analysis import Analysis, Measured
from tymbal.analyses.coded import Coded
from tymbal.corpora import Role
from tymbal.dictionaries.concept_counts import Choice, Unit, best_features, f1_of, thresholds
from tymbal.dictionaries.concept_labels import Entries, Labels, concepts_of
from tymbal.errors import TymbalError

LEAST_MENTIONS = 5
"""mentions that a language must have, in each half, for a concept to be judged in it"""
SPEAKS = 0.5
TELLS = 0.5
"""F1 by mention from which on a concept is said to have a feature"""


class Spoken(NamedTuple):
    """How well one chosen feature, or token, tells each concept, and in which languages."""

    choice: Choice
    f1: Float[Tensor, " concept"]
    recall: Float[Tensor, "concept language"]
    """NaN where a language has too few mentions"""


class Annotated(NamedTuple):
    """Coded text with its concepts, and a way to the labels of a part of it."""

    coded: Coded
    labels: Callable[[Coded], Labels]
    names: Sequence[str]
    """of all concepts"""


def across(text: Annotated, kind: str, name: Callable[[int], str], token_name: Callable[[int], str]) -> Analysis:
    """One feature a concept across all concepts of the kind `language`, `form`, ...: `language.de` is of `language`.

    Raises `TymbalError` where the text has fewer than two of them, or no concept is mentioned often enough.
    """
    varieties = [number for number, concept in enumerate(text.names) if concept.split(".")[0] == kind]
    if len(varieties) < 2:
        raise TymbalError(
            expected=f"text annotated with at least two concepts named {kind}.…",
            got=f"{len(varieties)}",
            do="study the bundled world, or annotate your text with spans",
        )
    halves = [text.coded.of(role) for role in (Role.EXPLAIN, Role.SCORE)]
    labels = [text.labels(half) for half in halves]
    kept = _judged(labels, varieties, text.names)
    if not len(kept):
        raise TymbalError(
            expected=f"concepts with at least {LEAST_MENTIONS} mentions in two of {kind}",
            got="none",
            do="study more text: --tokens",
        )
    feature = _spoken([half.entries() for half in halves], labels, kept, varieties, len(text.names))
    token = _spoken([_tokens(half) for half in halves], labels, kept, varieties, len(text.names))
    return _analysis(text, kind, kept, varieties, {"feature": feature, "token": token}, name, token_name)


def _judged(labels: Sequence[Labels], varieties: list[int], names: Sequence[str]) -> Int[Tensor, " concept"]:
    """Concepts that are mentioned often enough in at least two varieties, in both halves."""
    often = torch.ones(len(names), len(varieties), dtype=torch.bool)
    for part in labels:
        often &= _mentions(part, varieties, len(names)).counts >= LEAST_MENTIONS
    kept = often.sum(1) >= 2
    kinds = {names[number].split(".")[0] for number in varieties}
    whole = {"language", "form", "tone"} | kinds  # what holds of a text as a whole is told by any of its words
    for number, concept in enumerate(names):
        if concept.split(".")[0] in whole:
            kept[number] = False
    return kept.nonzero().squeeze(1)


class _Mentions(NamedTuple):
    concept: Int[Tensor, " mention"]
    variety: Int[Tensor, " mention"]
    """place among the varieties; -1 for none"""
    counts: Int[Tensor, "concept variety"]


def _mentions(labels: Labels, varieties: list[int], concepts: int) -> _Mentions:
    number = torch.full((concepts,), -1)
    number[torch.tensor(varieties)] = torch.arange(len(varieties))
    of_token = torch.full((labels.tokens,), -1)
    told = number[labels.concept.long()]
    of_token[labels.token.long()[told >= 0]] = told[told >= 0]
    concept = concepts_of(labels.mention, labels.concept.long())
    variety = concepts_of(labels.mention, of_token[labels.token.long()])
    counts = torch.zeros(concepts, len(varieties), dtype=torch.int64)
    known = variety >= 0
    counts.index_put_((concept[known], variety[known]), torch.ones(int(known.sum()), dtype=torch.int64), True)
    return _Mentions(concept, variety, counts)


def _tokens(coded: Coded) -> Entries:
    """The tokens themselves as if each entry of the vocabulary were a feature."""
    return Entries(
        tokens=len(coded),
        features=int(coded.token.max()) + 1,
        token=torch.arange(len(coded), dtype=torch.int32),
        feature=torch.from_numpy(coded.token.astype("int32")),
        value=torch.ones(len(coded)),
    )


def _spoken(
    entries: Sequence[Entries], labels: Sequence[Labels], kept: Tensor, varieties: list[int], concepts: int
) -> Spoken:
    choice = best_features(entries[0], labels[0], kept, concepts, thresholds(entries[0]))[Unit.MENTION]
    mentions = _mentions(labels[1], varieties, concepts)
    f1, recall = [], []
    for feature, threshold, concept in zip(
        choice.feature.tolist(), choice.threshold.tolist(), kept.tolist(), strict=True
    ):
        mine = entries[1].feature == feature
        fired = torch.zeros(labels[1].tokens, dtype=torch.bool)
        fired[entries[1].token[mine & (entries[1].value > threshold)].long()] = True
        hit = _hit(labels[1], concept, fired, len(mentions.concept))
        of_concept = mentions.concept == concept
        recall.append(_shares(hit[of_concept], mentions.variety[of_concept], len(varieties)))
        carried = labels[1].token[labels[1].concept == concept].long()
        precision = fired[carried].sum() / fired.sum().clamp_min(1)
        f1.append(f1_of(precision.double(), hit[of_concept].double().mean()))
    return Spoken(choice, torch.stack(f1), torch.stack(recall))


def _hit(labels: Labels, concept: int, fired: Bool[Tensor, " token"], mentions: int) -> Bool[Tensor, " mention"]:
    """On which mentions of the concept at least one token fired."""
    pairs = (labels.concept == concept) & fired[labels.token.long()]
    hit = torch.zeros(mentions, dtype=torch.bool)
    hit[labels.mention[pairs]] = True
    return hit


def _shares(hit: Tensor, variety: Tensor, varieties: int) -> Float[Tensor, " variety"]:
    known = variety >= 0
    there = torch.bincount(variety[known], minlength=varieties).double()
    found = torch.bincount(variety[known & hit], minlength=varieties).double()
    return torch.where(there >= LEAST_MENTIONS, found / there.clamp_min(1), torch.nan)


def _analysis(
    text: Annotated,
    kind: str,
    kept: Tensor,
    varieties: list[int],
    spoken: dict[str, Spoken],
    name: Callable[[int], str],
    token_name: Callable[[int], str],
) -> Analysis:
    feature, token = spoken["feature"], spoken["token"]
    speaks = {which: _in_all(found) for which, found in spoken.items()}
    told = feature.f1 >= TELLS
    measured = Measured()
    measured.mean(
        f"concepts with one feature in every {kind}",
        speaks["feature"],
        unit="share of concepts",
        best_single_token=speaks["token"],
    )
    measured.mean(
        f"the same of concepts with a feature of F1 >= {TELLS}",
        speaks["feature"][told],
        unit="share of concepts",
        best_single_token=speaks["token"][told],
    )
    measured.mean(
        f"recall in the worst {kind}",
        _worst(feature.recall),
        unit="share of mentions",
        best_single_token=_worst(token.recall),
    )
    names = [text.names[number].split(".", 1)[1] for number in varieties]
    order = torch.argsort(-_worst(feature.recall) - feature.f1 / 1000, stable=True).tolist()
    rows = []
    for place in order:
        chosen = [int(found.choice.feature[place]) for found in (feature, token)]
        rows.append(
            (
                text.names[int(kept[place])],
                chosen[0],
                name(chosen[0]),
                float(feature.f1[place]),
                [_value(share) for share in feature.recall[place].tolist()],
                token_name(chosen[1]),
                float(token.f1[place]),
                [_value(share) for share in token.recall[place].tolist()],
            )
        )
    return Analysis(
        name=f"across-{kind}s",
        question=f"Does one feature stand for a concept in every {kind}?",
        findings=measured.found,
        sample={"concepts": len(kept), f"{kind}s": len(varieties), "with a feature": int(told.sum())},
        columns=(
            "concept", "feature", "name", "F1", f"recall: {', '.join(names)}", "best token", "its F1", "its recall",
        ),
        rows=rows,
    )  # fmt: skip


def _in_all(found: Spoken) -> Float[Tensor, " concept"]:
    """1 where the feature speaks every variety that the concept is judged in."""
    return ((found.recall >= SPEAKS) | found.recall.isnan()).all(1).double()


def _worst(recall: Float[Tensor, "concept variety"]) -> Float[Tensor, " concept"]:
    return torch.where(recall.isnan(), torch.inf, recall).amin(1)


def _value(share: float) -> float | None:
    return None if share != share else share
