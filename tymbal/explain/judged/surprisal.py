"""Surprisal: does reading the explanation first make a text likelier, more so where the feature is active?

    rating of a text = (log p(text | explanation) - log p(text | no explanation)) / its length

The judge writes nothing; it must tell the log-probability of a given text, which models on this machine can and chat
endpoints cannot. Source: the surprisal scorer of EleutherAI's delphi (an idea of theirs, built anew here).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, final

from tymbal.explain.chat import Client, Unanswered, Usage
from tymbal.explain.judged.detection import items
from tymbal.explain.judged.measures import Rated, contrasts
from tymbal.explain.judged.scorer import Case, ScoreConfig, Scorer, Verdict

WITH, WITHOUT = "A text with this in it: {words}\n\n", "A text:\n\n"
UNTOLD = "the judge does not tell how likely a given text is"
_MEASURES = ("auroc", "hard_auroc")


@final
class Surprisal(Scorer):
    """Does the explanation make the text likelier?"""

    name: ClassVar[str] = "surprisal"
    measures: ClassVar = dict.fromkeys(_MEASURES, 0.5)

    def __init__(self, judge: Client, config: ScoreConfig = ScoreConfig()) -> None:  # noqa: B008  (frozen)
        self.judge, self.config = judge, config
        self.usage = Usage()

    def identity(self) -> dict[str, Any]:
        """The judge, what it is shown and what it is told."""
        return {"judge": self.judge.identity(), "config": asdict(self.config), "texts": [WITH, WITHOUT]}

    def score(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        """The texts that detection shows."""
        for case in cases:
            yield self._verdict(case)

    def _verdict(self, case: Case) -> Verdict:
        rated, failures, reason = [], 0, ""
        for item in items(case, self.config):
            try:
                rating = self._rating(case.words, item.text)
            except Unanswered as error:
                rating, failures, reason = 0.0, failures + 1, str(error)
            if rating is None:
                return self.nothing(case, UNTOLD)
            rated.append(Rated(rating, item.active, item.hard, item.window.passage))
        values = contrasts(rated, 0.0, draws=self.config.draws, seed=self.config.seed)
        return Verdict(case.feature, {name: values[name] for name in _MEASURES}, len(rated), failures, reason)

    def _rating(self, words: str, text: str) -> float | None:
        explained = self.judge.log_probability(WITH.format(words=words), text)
        plain = self.judge.log_probability(WITHOUT, text)
        return None if explained is None or plain is None else (explained - plain) / max(1, len(text))
