"""Which annotated concepts have a feature: the best feature's F1 for each, without selection bias.

1. Codes of held-out passages are taken in one pass and kept (sparse, at most `tokens` of them).
2. Each feature gets a few thresholds: quantiles of its own values on the choosing passages (EXPLAIN and SCORE).
3. Tokens are counted on which feature and concept meet, for every feature, threshold and concept; the pair with the
   best F1 is chosen.
4. F1 of the chosen pair is counted anew on the SHOW passages, which took no part in the choice; intervals come from
   resampled SHOW passages.

The same is done with a random dictionary of the same shape, and with the concepts' labels moved along the text.

Precision is the share of the feature's active tokens that carry the concept. Recall counts twice over: by token, the
share of the tokens that carry it; by mention, the share of the runs of such tokens on which the feature is active at
least once. A name is spelled by several tokens and a language covers a whole text; a feature that tells either need
not be active on every token of it.

Source: the measure of Gurnee et al. 2023, "Finding Neurons in a Haystack"; splitting choice from measurement is ours.
"""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch

from tymbal.activations import HarvestConfig, Progress, stream
from tymbal.corpora import HELD_OUT, PassageStore, Role
from tymbal.dictionaries.baselines import random_dictionary
from tymbal.dictionaries.bootstrap import Bootstrap, Number
from tymbal.dictionaries.concept_counts import Choice, Outcome, Unit, best_features, outcome, thresholds
from tymbal.dictionaries.concept_labels import Entries, Labels
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.files import require_width
from tymbal.dictionaries.held_out import sample
from tymbal.dictionaries.units import FIRST_ROWS
from tymbal.errors import CorpusError
from tymbal.models import LanguageModel

GOOD, FAIR = 0.8, 0.5
"""A concept has a feature, well or fairly, from this F1 on."""


@dataclass(frozen=True, kw_only=True)
class ConceptConfig:
    """How features are matched to concepts."""

    tokens: int = 500_000
    """Held-out tokens at most; a seeded sample of passages where there are more."""
    least: int = 20
    """Concepts on fewer tokens than this, among those that choose or among those that measure, are left out."""
    batch_tokens: int = 8192
    """Tokens in one forward pass, padding included."""
    draws: int = 500
    """Resamples of the SHOW passages for each interval."""
    seed: int = 0
    """Seed of the sample, the resamples, the shift of labels and the random dictionary."""


@dataclass(frozen=True, kw_only=True)
class ConceptScore:
    """One concept and its best feature."""

    concept: str
    count: int
    """SHOW tokens, or mentions, that carry the concept."""
    feature: int
    threshold: float
    """The feature counts as active above it, in units of the activation."""
    f1: Number
    precision: float
    recall: float
    random: float
    """F1 of the random dictionary's best feature."""
    shifted: float
    """F1 of the best feature for the concept's labels moved along the text."""


@dataclass(frozen=True, kw_only=True)
class ConceptMatch:
    """The best feature of each concept, recall counted in one unit."""

    concepts: list[ConceptScore]
    """Best first."""
    fair: dict[str, Number]
    """How many concepts have a feature with F1 of at least 0.5: of the dictionary, random, shifted labels."""
    good: dict[str, Number]
    """The same from 0.8 on."""
    mean_f1: dict[str, Number]


@dataclass(frozen=True, kw_only=True)
class ConceptEvaluation:
    """Which concepts have a feature."""

    settings: ConceptConfig
    tokens_choosing: int
    tokens_measuring: int
    passages_measuring: int
    too_rare: int
    """Annotated concepts that were left out because they are on too few tokens."""
    by_token: ConceptMatch
    by_mention: ConceptMatch

    def to_json(self) -> dict[str, Any]:
        """The same as plain dictionaries and numbers."""
        return asdict(self)


def evaluate_concepts(
    dictionary: Dictionary,
    model: LanguageModel,
    site: str,
    store: PassageStore,
    roles: Collection[Role] = HELD_OUT,
    config: ConceptConfig = ConceptConfig(),
    progress: Progress | None = None,
) -> ConceptEvaluation:
    """The best feature of each annotated concept.

    Features are chosen on the EXPLAIN and SCORE passages among `roles` and measured on the SHOW passages. Raises
    `CorpusError` where the store has no annotations or no passages of both sorts.
    """
    site = model.site(site)
    require_width(dictionary, model.width)
    if not store.concepts:
        raise CorpusError(
            expected="an annotated corpus", got="one without concepts", do="use the world, or annotate it"
        )
    choosing = tuple(role for role in roles if role in (Role.EXPLAIN, Role.SCORE))
    measuring = tuple(role for role in roles if role == Role.SHOW)
    gathered = _Gathering(dictionary, model, site, store, config, progress)
    return _compared(*gathered.read(choosing, measuring), store.concepts, config)


@dataclass(frozen=True, kw_only=True)
class _Side:
    """The tokens of the choosing or of the measuring passages."""

    labels: Labels
    own: Entries
    random: Entries


class _Gathering:
    """One pass over the passages of each side; the random dictionary is fitted to the first rows read."""

    def __init__(
        self,
        dictionary: Dictionary,
        model: LanguageModel,
        site: str,
        store: PassageStore,
        config: ConceptConfig,
        progress: Progress | None,
    ) -> None:
        self.dictionary, self.model, self.site, self.store, self.config = dictionary, model, site, store, config
        self.progress = progress
        self.random: Dictionary | None = None
        self.done = 0

    def read(self, choosing: Collection[Role], measuring: Collection[Role]) -> tuple[_Side, _Side]:
        """Both sides; the measuring passages get a third of the tokens."""
        shares = ((choosing, 2 * self.config.tokens // 3), (measuring, self.config.tokens // 3))
        taken = [sample(self.store.passages(roles), most, self.config.seed) for roles, most in shares]
        total = sum(len(passage.tokens) for passages in taken for passage in passages)
        first, second = (self._side(passages, total) for passages in taken)
        return first, second

    def _side(self, passages: list, total: int) -> _Side:
        parts: list[tuple[Labels, Entries, Entries]] = []
        harvest = HarvestConfig(sites=(self.site,), batch_tokens=self.config.batch_tokens, dtype="float32")
        for batch in stream(self.model, passages, harvest):
            ordinary = ~batch.special
            activations = batch.activations[self.site][ordinary].to(self.dictionary.encoder.device)
            if self.random is None:
                self.random = random_dictionary(self.dictionary, activations[:FIRST_ROWS], self.config.seed)
            labels = Labels.of_batch(self.store, batch.passages, batch.positions, ordinary)
            own, random = (Entries.of(d.encode(activations), d.features) for d in (self.dictionary, self.random))
            parts.append((labels, own, random))
            self.done += len(batch.tokens)
            if self.progress is not None:
                self.progress(self.done, total, "tokens")
        labels, own, random = zip(*parts, strict=True)
        return _Side(labels=Labels.joined(labels), own=Entries.joined(own), random=Entries.joined(random))


def _compared(choosing: _Side, measuring: _Side, names: list[str], config: ConceptConfig) -> ConceptEvaluation:
    counted = [torch.bincount(side.labels.concept, minlength=len(names)) for side in (choosing, measuring)]
    kept = ((counted[0] >= config.least) & (counted[1] >= config.least)).nonzero().squeeze(1)
    if len(kept) == 0:
        raise CorpusError(
            expected=f"a concept on at least {config.least} tokens of both sorts of held-out passages",
            got=f"at most {int(torch.minimum(*counted).max())}",
            do="give more text or lower `least`",
        )
    annotated = int(((counted[0] + counted[1]) > 0).sum())
    bootstrap = Bootstrap(measuring.labels.passages, draws=config.draws, seed=config.seed)
    moved = [side.labels.shifted(config.seed) for side in (choosing, measuring)]
    sides = {
        "dictionary": (choosing.own, choosing.labels, measuring.own, measuring.labels),
        "random": (choosing.random, choosing.labels, measuring.random, measuring.labels),
        "shifted": (choosing.own, moved[0], measuring.own, moved[1]),
    }
    matches: dict[Unit, dict[str, _Matched]] = {unit: {} for unit in Unit}
    for system, (fit, truth, test, test_truth) in sides.items():
        choices = best_features(fit, truth, kept, len(names), thresholds(fit))
        for unit, choice in choices.items():
            found = outcome(choice, test, test_truth, kept, bootstrap, unit)
            matches[unit][system] = _Matched(choice, found)
    kept_names = [names[number] for number in kept.tolist()]
    return ConceptEvaluation(
        settings=config,
        tokens_choosing=choosing.labels.tokens,
        tokens_measuring=measuring.labels.tokens,
        passages_measuring=measuring.labels.passages,
        too_rare=annotated - len(kept),
        by_token=_match(matches[Unit.TOKEN], kept_names),
        by_mention=_match(matches[Unit.MENTION], kept_names),
    )


class _Matched(NamedTuple):
    """What was chosen and how it did."""

    choice: Choice
    outcome: Outcome


def _match(systems: dict[str, _Matched], names: list[str]) -> ConceptMatch:
    choice, own = systems["dictionary"]
    scores = [
        ConceptScore(
            concept=name,
            count=int(own.positives[place]),
            feature=int(choice.feature[place]),
            threshold=float(choice.threshold[place]),
            f1=own.number(place),
            precision=float(own.precision[place]),
            recall=float(own.recall[place]),
            random=float(systems["random"].outcome.f1[place]),
            shifted=float(systems["shifted"].outcome.f1[place]),
        )
        for place, name in enumerate(names)
    ]

    def summary(statistic: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, Number]:
        return {name: matched.outcome.summary(statistic) for name, matched in systems.items()}

    return ConceptMatch(
        concepts=sorted(scores, key=lambda score: (-score.f1.value, score.concept)),
        fair=summary(lambda f1: (f1 >= FAIR).sum(-1).double()),
        good=summary(lambda f1: (f1 >= GOOD).sum(-1).double()),
        mean_f1=summary(lambda f1: f1.mean(-1)),
    )
