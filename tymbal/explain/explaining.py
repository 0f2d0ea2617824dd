"""Explaining a dictionary's features and scoring what was said, unit by unit, in a folder that can be resumed.

1. Every feature is explained, from the `explain` passages.
2. The same explainer explains baselines: random directions and neurons (`tymbal.explain.baselines`).
3. All explanations are scored on the `score` passages, beside the best single token and the explanation of another
   feature.
4. `summary.json` puts the numbers of all together, and the folder is sealed.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tymbal import artifact
from tymbal.atlas import Atlas, AtlasConfig, CodeStore
from tymbal.atlas.build import CODES, Annotations
from tymbal.atlas.coding import write_codes
from tymbal.corpora import PassageStore, Role
from tymbal.dictionaries import Dictionary
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.explain.activity import Activity
from tymbal.explain.baselines import baseline_dictionaries
from tymbal.explain.config import ExplainConfig, Progress
from tymbal.explain.evidence import Evidence
from tymbal.explain.explainer import Explainer
from tymbal.explain.marks import Mark
from tymbal.explain.naming import Told, naming
from tymbal.explain.predicate import Predicate, parse_predicate
from tymbal.explain.predicates import PredicateExplainer
from tymbal.explain.scores import EXACT, SCORES_SCHEMA, TOKEN, Contender, ExactScorer
from tymbal.explain.single_token import TokenExplainer
from tymbal.explain.summary import Scored, summary_of
from tymbal.explain.tables import (
    EXPLANATIONS,
    EXPLANATIONS_SCHEMA,
    UNIT,
    ExplanationFolder,
    Explanations,
    open_explanations,
)
from tymbal.explain.text import Text
from tymbal.models import LanguageModel

FEATURES = "features"
"""the system that is explained; the others are its baselines"""
WORK = "work"
"""the folder of what is thrown away when all is scored"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is explained: an atlas, and what it was made from."""

    atlas: Atlas
    dictionary: Dictionary
    model: LanguageModel
    store: PassageStore

    @cached_property
    def codes(self) -> CodeStore:
        """The atlas's codes."""
        return CodeStore(self.atlas.folder / CODES)

    @cached_property
    def annotations(self) -> Annotations | None:
        """The corpus's concepts."""
        return Annotations(self.store.concepts, self.store.concept_tokens) if self.store.concepts else None

    @property
    def site(self) -> str:
        """Where the model was read."""
        return str(self.codes.identity["site"])

    def baselines(self, folder: Path, seed: int, progress: Progress | None) -> Iterator[tuple[str, CodeStore]]:
        """The codes of each baseline, made in `folder`."""
        config = AtlasConfig(**artifact.read_json(self.atlas.folder / artifact.CONFIG)["config"])
        made = baseline_dictionaries(self.dictionary, self.model, self.site, self.store, config, seed)
        for name, dictionary in made.items():
            place = folder / name
            yield name, write_codes(dictionary, self.model, self.site, self.store, place, config, progress)


class System(NamedTuple):
    """Features to be explained and scored in one way: those of the dictionary, or a baseline's."""

    name: str
    features: Sequence[int]
    evidence: Evidence
    activity: Activity
    """on the `score` passages"""

    def table(self, name: str) -> str:
        """A table's name in the folder."""
        return name if self.name == FEATURES else f"{self.name}/{name}"


def score_text(subject: Subject, tokens: int) -> Text:
    """The tokens of the `score` passages, at most about so many."""
    return Text.of(subject.codes, Role.SCORE, subject.model.token_text, subject.annotations, tokens)


def dictionary_system(name: str, subject: Subject, features: Sequence[int], tokens: int) -> System:
    """Some features of a subject's dictionary."""
    evidence = Evidence.of(
        subject.codes,
        subject.model.token_text,
        annotations=subject.annotations,
        atlas=subject.atlas,
        tokens=tokens,
    )
    return System(name, features, evidence, Activity.of(subject.codes, Role.SCORE, tokens))


def systems(
    subject: Subject, folder: Path, config: ExplainConfig, features: Sequence[int] | None, progress: Progress | None
) -> Iterator[System]:
    """The dictionary's features, all unless some are named, then the baselines, whose codes are made in `folder`."""
    tokens = config.tokens
    every = range(len(subject.atlas)) if features is None else list(features)
    whole = dictionary_system(FEATURES, subject, every, tokens)
    yield whole
    if not config.baseline_features:
        return
    for name, codes in subject.baselines(folder, config.seed, progress):
        own = replace(whole.evidence, activity=Activity.of(codes, Role.EXPLAIN, tokens), atlas=None)
        drawn = np.random.default_rng(config.seed).permutation(own.activity.features)
        some = np.sort(drawn[: config.baseline_features]).tolist()
        yield System(name, some, own, Activity.of(codes, Role.SCORE, tokens))


def explain_features(
    subject: Subject,
    folder: Path | str,
    config: ExplainConfig = ExplainConfig(),  # noqa: B008  (frozen)
    explainer: Explainer | None = None,
    *,
    features: Sequence[int] | None = None,
    told: Sequence[Told] = (),
    progress: Progress | None = None,
) -> Explanations:
    """Explain features of an atlas, all unless some are named, and score what is said; or finish what was begun.

    `told` are concepts that features are known to tell; the summary says how many of them are named. A finished,
    undamaged folder of the same is opened as it is. Raises `ArtifactError` where `folder` holds something else, and
    `ValueError` for a feature that does not exist.
    """
    folder, explainer = Path(folder), explainer or PredicateExplainer()
    require_known(features, len(subject.atlas))
    about = {
        "explainer": explainer.identity(),
        "config": asdict(config),
        "features": None if features is None else list(features),
        "told": [one._asdict() for one in told],
    }
    work = ExplanationFolder.begin(folder, {**about, "codes": subject.codes.identity})
    if artifact.is_sealed(folder) and not any(artifact.damage(folder)):
        return open_explanations(folder)
    task = _Task(subject, work, config, explainer, progress)
    scored = {system.name: task.done(system) for system in systems(subject, folder / WORK, config, features, progress)}
    named = {row["feature"]: row for row in scored[FEATURES].explanations}
    shutil.rmtree(folder / WORK, ignore_errors=True)
    work.seal(about, {"systems": summary_of(scored, config.seed), "naming": naming(told, named)})
    return open_explanations(folder)


def require_known(features: Sequence[int] | None, count: int) -> None:
    """Raise `ValueError` for a feature that does not exist."""
    for feature in features or ():
        if not 0 <= feature < count:
            raise ValueError(f"feature must be from 0 to {count - 1}, not {feature}")


class _Task:
    """Explains and scores one system after the other."""

    def __init__(
        self,
        subject: Subject,
        work: ExplanationFolder,
        config: ExplainConfig,
        explainer: Explainer,
        progress: Progress | None,
    ) -> None:
        self.subject, self.work, self.config, self.explainer = subject, work, config, explainer
        self.progress = progress

    def done(self, system: System) -> Scored:
        """Explain and score a system; what is on disk already is kept."""
        for explainer, table in ((self.explainer, EXPLANATIONS), (TokenExplainer(), TOKEN)):
            for unit, features in self.work.missing(system.table(table), system.features):
                rows = []
                for explanation in explainer.explain(features, system.evidence):
                    rows.append(explanation.to_row())
                    if self.progress is not None and table == EXPLANATIONS:
                        self.progress(unit * UNIT + len(rows), len(system.features), system.table("explained"))
                self.work.write(system.table(table), unit, rows, EXPLANATIONS_SCHEMA)
        explanations, tokens = (self.work.rows(system.table(table)) for table in (EXPLANATIONS, TOKEN))
        for unit, features in self.work.missing(system.table(EXACT), system.features):
            scorer = ExactScorer(self._score_text, system.activity, self._bootstrap)
            rows = scorer.rows(list(self._contenders(system, features, explanations, tokens)))
            self.work.write(system.table(EXACT), unit, rows, SCORES_SCHEMA)
        return Scored(explanations, self.work.rows(system.table(EXACT)))

    @cached_property
    def _score_text(self) -> Text:
        return score_text(self.subject, self.config.tokens)

    @cached_property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(len(self._score_text.passage_ids), draws=self.config.draws, seed=self.config.seed)

    def _contenders(
        self,
        system: System,
        features: Sequence[int],
        explanations: Sequence[Mapping[str, Any]],
        tokens: Sequence[Mapping[str, Any]],
    ) -> Iterator[Contender]:
        text = system.evidence.text
        own = {row["feature"]: row["predicate"] for row in explanations}
        marked = {row["feature"]: Mark(row["concept"], row["threshold"]) for row in explanations if row["concept"]}
        token = {row["feature"]: row["predicate"] for row in tokens}
        clear = [feature for feature, predicate in own.items() if predicate is not None]
        for feature in features:
            rows, _ = system.evidence.activity.of_feature(feature)
            fired_on = [text.vocabulary[number] for number in np.unique(text.token[rows])]
            other = another(clear, feature, self.config.seed)
            yield Contender(
                feature,
                _parsed(own[feature]),
                _parsed(token[feature]),
                _parsed(None if other is None else own[other]),
                fired_on,
                marked.get(feature),
            )


def another(clear: Sequence[int], feature: int, seed: int) -> int | None:
    """One of these features other than the one given, drawn at random; None where there is none."""
    others = [one for one in clear if one != feature]
    return others[int(np.random.default_rng([seed, feature]).integers(len(others)))] if others else None


def _parsed(expression: str | None) -> Predicate | None:
    return None if expression is None else parse_predicate(expression)
