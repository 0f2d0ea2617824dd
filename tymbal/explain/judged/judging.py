"""Explaining some features in words and having them judged, beside their baselines, in a folder that can be resumed.

1. The explainer speaks of the dictionary's features, and of the baselines: random directions, neurons, and features of
   the untrained twin where there is one. 2. Every scorer scores what was said of each feature, then what was said of
   another feature in its place (shuffled), then what was said of the baselines. 3. `summary.json` puts the numbers of
   all together, and the folder is sealed.

    explanations/, BASELINE/explanations/        what was said
    SCORER/, shuffled/SCORER/, BASELINE/SCORER/   how well it held

What is unclear is scored as chance, and costs no question. Estimating goes through the same steps with clients that
only count (`Tally`), and writes nothing.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tymbal import artifact
from tymbal.atlas import FeatureFilter
from tymbal.dictionaries import Number
from tymbal.errors import TymbalError
from tymbal.explain.baselines import NEURONS, RANDOM
from tymbal.explain.config import ExplainConfig, Progress
from tymbal.explain.explainer import Explainer
from tymbal.explain.explaining import (
    FEATURES,
    WORK,
    Subject,
    System,
    another,
    dictionary_system,
    require_known,
    score_text,
    systems,
)
from tymbal.explain.explanation import UNCLEAR
from tymbal.explain.judged.scorer import Case, ScoreConfig, Scorer, Verdict
from tymbal.explain.summary import median
from tymbal.explain.tables import (
    EXPLANATIONS,
    EXPLANATIONS_SCHEMA,
    UNIT,
    ExplanationFolder,
    Explanations,
    open_explanations,
)
from tymbal.explain.text import Text
from tymbal.explain.windows import WindowReader

SHUFFLED = "shuffled"
UNTRAINED = "untrained"
JUDGED = (FEATURES, SHUFFLED, RANDOM, NEURONS, UNTRAINED)
"""what is scored, in the order of the columns"""


@dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """What is explained and judged."""

    features: int = 32
    """features drawn at random from those that ever fire, where none are named"""
    baseline_features: int = 16
    """of each baseline that are explained and judged beside them"""
    tokens: int = 1 << 18
    """tokens of the explain passages, and of the score passages, that are read at most"""
    seed: int = 0
    """of what is drawn"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, least in (("features", 1), ("baseline_features", 0), ("tokens", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")


def require_other_judge(explainer: str, judge: str, *, same_judge: bool) -> None:
    """Raise `TymbalError` where one model would judge its own words, unless that is wanted."""
    if explainer.casefold() == judge.casefold() and not same_judge:
        raise TymbalError(
            expected="a judge other than the explainer, which favours its own words",
            got=f"{judge} for both",
            do="name another --judge-model, or give --same-judge",
        )


def chosen_features(subject: Subject, config: JudgeConfig, features: Sequence[int]) -> list[int]:
    """The features named, or some drawn from those that ever fire; raises `ValueError` for one that is not there."""
    if features:
        require_known(features, len(subject.atlas))
        return list(features)
    living = [row.feature for row in subject.atlas.features(FeatureFilter(dead=False), limit=len(subject.atlas))]
    return sorted(np.random.default_rng(config.seed).permutation(living)[: config.features].tolist())


class Panel(NamedTuple):
    """What is judged: the systems with their passages, loaded once for the estimate and the work itself."""

    systems: list[System]
    text: Text
    """the `score` passages"""

    @classmethod
    def of(
        cls,
        subject: Subject,
        folder: Path,
        config: JudgeConfig,
        features: Sequence[int],
        progress: Progress | None,
        untrained: Subject | None = None,
    ) -> "Panel":
        """The features and the baselines, whose codes are made in `folder` and removed.

        `untrained` is what the untrained twin of the study explains.
        """
        reading = ExplainConfig(tokens=config.tokens, baseline_features=config.baseline_features, seed=config.seed)
        found = list(systems(subject, folder / WORK, reading, features, progress))
        if untrained is not None and config.baseline_features:
            some = JudgeConfig(features=config.baseline_features, seed=config.seed)
            drawn = chosen_features(untrained, some, ())
            found.append(dictionary_system(UNTRAINED, untrained, drawn, config.tokens))
        shutil.rmtree(folder / WORK, ignore_errors=True)
        with suppress(OSError):  # empty unless explanations were begun in it
            folder.rmdir()
        return cls(found, score_text(subject, config.tokens))

    def cases(self, system: System, words: Mapping[int, str], config: ScoreConfig) -> list[Case]:
        """What scorers are given."""
        own = WindowReader(
            text=self.text, activity=system.activity, before=config.before, after=config.after, seed=config.seed
        )
        explained = WindowReader(text=system.evidence.text, activity=system.evidence.activity)
        cases = []
        for feature in system.features:
            _, values = system.evidence.activity.of_feature(feature)
            highest = float(values.max()) if len(values) else 0.0
            cases.append(Case(feature, words.get(feature, UNCLEAR), own, explained.fires_on(feature), highest))
        return cases


def judge_features(
    panel: Panel,
    folder: Path | None,
    about: Mapping[str, Any],
    explainer: Explainer,
    scorers: Sequence[Scorer],
    *,
    progress: Progress | None = None,
) -> Explanations | None:
    """Explain and judge, or finish what was begun in `folder`; with no folder nothing is kept.

    `about` is all on which the outcome depends (`identity_of`). Raises `EndpointError` when a client is out of order
    and `ArtifactError` where the folder holds something else.
    """
    work = None if folder is None else ExplanationFolder.begin(folder, about)
    if folder is not None and artifact.is_sealed(folder) and not any(artifact.damage(folder)):
        return open_explanations(folder)
    task = _Task(panel, work, explainer, scorers, progress)
    summary = task.summary()
    if work is None or folder is None:
        return None
    work.seal(about, summary)
    return open_explanations(folder)


def identity_of(
    subject: Subject,
    features: Sequence[int],
    config: JudgeConfig,
    explainer: Explainer,
    scorers: Sequence[Scorer],
    untrained: Subject | None = None,
) -> dict[str, Any]:
    """All on which explanations and verdicts depend, as JSON values."""
    return {
        "explainer": explainer.identity(),
        "scorers": {scorer.name: scorer.identity() for scorer in scorers},
        "config": asdict(config),
        "features": list(features),
        "codes": subject.codes.identity,
        **({} if untrained is None else {"untrained": untrained.codes.identity}),
    }


class _Task:
    def __init__(
        self,
        panel: Panel,
        work: ExplanationFolder | None,
        explainer: Explainer,
        scorers: Sequence[Scorer],
        progress: Progress | None,
    ) -> None:
        self.panel, self.work, self.explainer, self.scorers = panel, work, explainer, scorers
        self.progress = progress or (lambda done, total, unit: None)

    def summary(self) -> dict[str, Any]:
        """Do it all; the numbers of all together."""
        said = {system.name: self._explained(system) for system in self.panel.systems}
        found: dict[str, Any] = {"explanations": {name: _counts(rows) for name, rows in said.items()}, "scorers": {}}
        for scorer in self.scorers:
            by_what = {}
            for system in self.panel.systems:
                words = {row["feature"]: row["text"] for row in said[system.name]}
                by_what[system.name] = self._judged(scorer, system, system.name, words)
                if system.name == FEATURES and scorer.reads_words:
                    by_what[SHUFFLED] = self._judged(scorer, system, SHUFFLED, _shuffled(words))
            found["scorers"][scorer.name] = _scorer_summary(scorer, by_what)
        return {**found, "order": list(found["scorers"])}

    def _explained(self, system: System) -> list[dict[str, Any]]:
        table = system.table(EXPLANATIONS)
        unit = f"{table} made"

        def rows(features: Sequence[int], begin: int = 0) -> Iterator[dict[str, Any]]:
            for number, explanation in enumerate(self.explainer.explain(features, system.evidence), start=begin + 1):
                self.progress(number, len(system.features), unit)
                yield explanation.to_row()

        if self.work is None:
            return list(rows(system.features))
        for number, features in self.work.missing(table, system.features):
            self.work.write(table, number, list(rows(features, number * UNIT)), EXPLANATIONS_SCHEMA)
        return self.work.rows(table)

    def _judged(self, scorer: Scorer, system: System, what: str, words: Mapping[int, str]) -> list[dict[str, Any]]:
        table = scorer.name if what == FEATURES else f"{what}/{scorer.name}"
        cases = {case.feature: case for case in self.panel.cases(system, words, scorer.config)}

        def rows(features: Sequence[int], begin: int = 0) -> Iterator[dict[str, Any]]:
            verdicts = _verdicts(scorer, [cases[feature] for feature in features])
            for number, verdict in enumerate(verdicts, start=begin + 1):
                self.progress(number, len(system.features), f"{table} scored")
                yield verdict.to_row()

        if self.work is None:
            return list(rows(system.features))
        for number, features in self.work.missing(table, system.features):
            self.work.write(table, number, list(rows(features, number * UNIT)), scorer.schema())
        return self.work.rows(table)


def _verdicts(scorer: Scorer, cases: Sequence[Case]) -> Iterator[Verdict]:
    """The scorer's verdicts; chance for what is unclear, nothing for features that are silent all through."""

    def asks(case: Case) -> bool:
        return fires(case) and (not scorer.reads_words or case.words != UNCLEAR)

    def fires(case: Case) -> bool:
        return len(case.windows.activity.of_feature(case.feature)[0]) > 0

    verdicts = scorer.score([case for case in cases if asks(case)])
    for case in cases:
        if asks(case):
            yield next(verdicts)
        elif not fires(case):
            yield scorer.nothing(case, "silent in the score passages")
        else:
            chances = scorer.measures.items()
            values = {name: None if by is None else Number(value=by, low=by, high=by) for name, by in chances}
            yield Verdict(case.feature, values, reason=UNCLEAR)


def _shuffled(words: Mapping[int, str]) -> dict[int, str]:
    """Each feature with the words of another one that has some."""
    clear = [feature for feature, text in words.items() if text != UNCLEAR]
    others = {feature: another(clear, feature, 0) for feature in words}
    return {feature: UNCLEAR if other is None else words[other] for feature, other in others.items()}


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    unclear = [row for row in rows if row["kind"] == UNCLEAR]
    return {
        "features": len(rows),
        "unclear": len(unclear),
        "unanswered": sum(row["failures"] > 0 for row in unclear),
        "failures": sum(row["failures"] for row in rows),
        "kinds": dict(Counter(row["kind"] for row in rows).most_common()),
    }


def _scorer_summary(scorer: Scorer, by_what: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    return {
        # Written JSON is sorted by key, so that the order is kept as a list.
        "measures": list(scorer.measures),
        "chance": dict(scorer.measures),
        "medians": {
            measure: {what: median([row[measure] for row in rows], 0) for what, rows in by_what.items()}
            for measure in scorer.measures
        },
        "asked": sum(row["asked"] for rows in by_what.values() for row in rows),
        "failures": sum(row["failures"] for rows in by_what.values() for row in rows),
        "reasons": dict(
            Counter(row["reason"] for rows in by_what.values() for row in rows if row["reason"]).most_common(5)
        ),
    }
