"""The intervention scorer: does clamping a feature change the output in the way that its explanation says?

An explanation that names the next token, such as “a token before “und””, says what the feature makes the model expect.
That can be tried without a judge: on `score` passages the feature is clamped to the highest activation that it has in
the `explain` passages, and the probability of the named tokens is taken at every place, before and after.

    effect      mean change of the logarithm of that probability, in nats
    control     the same for a change of the same length along a random direction
    raised      share of places at which the clamp raises it more than the control does; chance is 0.5
    shuffled    the same share for the tokens that another feature's explanation names

Explanations that say nothing of the next token cannot be tried so and have no row. Intervals come from resampled
passages. Clamping as in Templeton et al. 2024, "Scaling Monosemanticity".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tymbal import artifact
from tymbal.corpora import Role
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.edits import Clamp, RandomControl
from tymbal.errors import ModelError
from tymbal.explain.activity import Activity
from tymbal.explain.config import Progress
from tymbal.explain.explaining import Subject, another
from tymbal.explain.predicate import Both, Simple, parse_predicate
from tymbal.explain.summary import median
from tymbal.explain.tables import ExplanationFolder, Explanations, open_explanations
from tymbal.models import Edit, PlacedEdit, Tokens

INTERVENTION = "intervention"
NEXT = "next token"
MEASURES = ("effect", "control", "raised", "shuffled")
SCHEMA = pa.schema(
    [
        ("feature", pa.int32()),
        ("text", pa.string()),
        ("clamped_to", pa.float64()),
        ("places", pa.int64()),
        *((f"{name}{end}", pa.float64()) for name in MEASURES for end in ("", "_low", "_high")),
    ]
)


@dataclass(frozen=True, kw_only=True)
class InterventionConfig:
    """On what clamping is tried."""

    passages: int = 12
    """`score` passages"""
    length: int = 96
    """tokens of each, at most"""
    draws: int = 500
    """resamples of the passages for each interval"""
    seed: int = 0
    """of the random directions, of what is shuffled and resampled"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, value in asdict(self).items():
            if name != "seed" and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")


def next_tokens(expression: str | None) -> tuple[str, ...]:
    """The tokens of which a predicate says that one follows; empty where it says nothing of the next token."""
    if expression is None:
        return ()
    predicate = parse_predicate(expression)
    parts = (predicate.first, predicate.second) if isinstance(predicate, Both) else (predicate,)
    return next((part.values for part in parts if isinstance(part, Simple) and part.of.name == NEXT), ())


def intervene(
    subject: Subject,
    explanations: Sequence[Mapping[str, Any]],
    folder: Path,
    config: InterventionConfig = InterventionConfig(),
    progress: Progress | None = None,
) -> Explanations:
    """Try every explanation that names the next token, or finish what was begun in `folder`.

    Raises `ModelError` for a model that predicts no next token, `ArtifactError` where `folder` holds something else.
    """
    if not subject.model.causal:
        raise ModelError(expected="a model that predicts the next token", got=subject.model.name, do="study another")
    named = {row["feature"]: next_tokens(row["predicate"]) for row in explanations}
    tried = {feature: values for feature, values in named.items() if values}
    about = {
        "config": asdict(config),
        "named": [[feature, list(values)] for feature, values in tried.items()],
        "codes": subject.codes.identity,
    }
    work = ExplanationFolder.begin(folder, about)
    if artifact.is_sealed(folder) and not any(artifact.damage(folder)):
        return open_explanations(folder)
    said = {row["feature"]: row["text"] for row in explanations}
    trial = _Trial.of(subject, tried, config)
    for unit, features in work.missing(INTERVENTION, list(tried)):
        rows = []
        for number, row in enumerate(trial.rows(features), start=1):
            rows.append({**row, "text": said[row["feature"]]})
            if progress is not None:
                progress(number, len(features), "features clamped")
        work.write(INTERVENTION, unit, rows, SCHEMA)
    work.seal(about, _summary(work.rows(INTERVENTION), config.seed))
    return open_explanations(folder)


def _summary(rows: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    return {
        "features": len(rows),
        "above_control": sum(row["raised_low"] > 0.5 for row in rows),
        "medians": {name: median([row[name] for row in rows], seed) for name in MEASURES},
    }


class _Trial(NamedTuple):
    """Passages, what each feature is clamped to, and which entries of the vocabulary its explanation names."""

    subject: Subject
    config: InterventionConfig
    tokens: Tokens
    highest: dict[int, float]
    named: dict[int, Tensor]
    usual: dict[int, Float[Tensor, "passage token"]]
    """the logarithm of their probability without an edit"""

    @classmethod
    def of(cls, subject: Subject, tried: Mapping[int, Sequence[str]], config: InterventionConfig) -> "_Trial":
        passages = islice(subject.store.passages((Role.SCORE,)), config.passages)
        tokens = Tokens.from_rows([one.tokens[: config.length].tolist() for one in passages]).to(subject.model.device)
        activity = Activity.of(subject.codes, Role.EXPLAIN, subject.store.tokens(Role.EXPLAIN))
        highest = {feature: float(activity.of_feature(feature)[1].max(initial=0.0)) for feature in tried}
        spelled: dict[str, list[int]] = {}
        for number, text in enumerate(subject.model.token_text(range(subject.model.vocabulary))):
            spelled.setdefault(text, []).append(number)
        named = {
            feature: torch.tensor(sorted({number for value in values for number in spelled.get(value, ())}))
            for feature, values in tried.items()
        }
        trial = cls(subject, config, tokens, highest, {f: ids for f, ids in named.items() if len(ids)}, {})
        return trial._replace(usual=trial._logarithms(list(trial.named.values()), dict.fromkeys(trial.named)))

    def rows(self, features: Sequence[int]) -> Iterator[dict[str, Any]]:
        """What clamping each feature does."""
        for feature in features:
            if feature in self.named:
                yield self._row(feature)

    def _row(self, feature: int) -> dict[str, Any]:
        other = another(sorted(self.named), feature, self.config.seed)
        asked = dict.fromkeys([feature, feature if other is None else other])
        clamp = Clamp(self.subject.dictionary, feature=feature, value=self.highest[feature], at_site=self.subject.site)
        under = self._changed(asked, clamp)
        beside = self._changed(asked, RandomControl(clamp, seed=self.config.seed + feature))
        real = self._predicts()
        columns = {
            "effect": under[feature],
            "control": beside[feature],
            "raised": (under[feature] > beside[feature]).double(),
        }
        if other is not None:
            columns["shuffled"] = (under[other] > beside[other]).double()
        bootstrap = Bootstrap(len(real), draws=self.config.draws, seed=self.config.seed)
        counts = real.double().sum(1)
        row: dict[str, Any] = {"feature": feature, "clamped_to": self.highest[feature], "places": int(counts.sum())}
        for name, column in columns.items():
            sums = bootstrap.over({"sum": (column * real).sum(1), "count": counts})
            number = sums.number(lambda totals: totals["sum"] / totals["count"])
            row |= {name: number.value, f"{name}_low": number.low, f"{name}_high": number.high}
        return row

    def _changed(self, features: Mapping[int, None], edit: PlacedEdit) -> dict[int, Float[Tensor, "passage token"]]:
        found = self._logarithms([self.named[feature] for feature in features], features, edit)
        return {feature: found[feature] - self.usual[feature] for feature in features}

    def _logarithms(
        self, named: Sequence[Tensor], features: Mapping[int, None], *edits: Edit | PlacedEdit
    ) -> dict[int, Float[Tensor, "passage token"]]:
        """For each feature the logarithm of the probability of its tokens at each place, passage after passage."""
        parts = []
        with torch.inference_mode(), self.subject.model.edited(*edits):
            for row in range(len(self.tokens.ids)):
                own = Tokens(self.tokens.ids[row : row + 1], self.tokens.mask[row : row + 1])
                logarithms = self.subject.model.logits(own)[0].double().log_softmax(-1)
                parts.append(torch.stack([logarithms[:, ids].logsumexp(-1) for ids in named]).cpu())
        return dict(zip(features, torch.stack(parts, dim=1), strict=True))

    def _predicts(self) -> Bool[Tensor, "passage token"]:
        """Places of real tokens."""
        return self.tokens.mask.cpu()
