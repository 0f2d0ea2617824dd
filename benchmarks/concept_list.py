"""Sparse probing, absorption, disentanglement and ablation on the generated world, for every kind and the peers'.

The dictionaries are those of `quality.py` on the bed `world` at the middle k, trained now where they are not kept yet.
Concepts and their labels are the world's own; `concept_measures.py` says what is measured. Features are chosen on the
EXPLAIN and SCORE passages, everything is measured on the SHOW passages. Beside the dictionaries stand the activations
themselves: their single numbers instead of features, and a random dictionary.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch
import torch.nn.functional as F
from beds import BEDS, Ground
from concept_measures import (
    Labelled,
    Linear,
    absorption,
    balanced,
    dense_codes,
    exchanged,
    exclusive,
    fitted,
    sparse_probing,
    steering,
)
from jaxtyping import Bool, Float, Int
from quality import OUR_RATE, Bench
from report import Line, parser, show
from systems import KINDS, OURS, Asked, ours, theirs
from torch import Tensor

from tymbal.activations import HarvestConfig, stream
from tymbal.corpora import Passage, Role
from tymbal.dictionaries import Dictionary
from tymbal.dictionaries.baselines import random_dictionary
from tymbal.dictionaries.config import Kind
from tymbal.dictionaries.held_out import batches
from tymbal.models import LanguageModel

TOKENS = 20_000
"""Of each side."""
LEAST = 60
"""A concept needs this many tokens on both sides."""
PROBED = (1, 5)
ATTRIBUTES = ("attribute", "language")
"""Their features are exchanged between tokens that have both: which attribute of a person a text tells, in which
language. Probes of the activations read both there, which they do not of a text's tone."""
EXCHANGED = (2, 8, 32, 128)
"""Numbers of features tried; the best on the choosing side is measured."""
ABLATED, ELSEWHERE = 10, 0.01
"""Features taken out for a concept, and the share of other tokens that each may fire on."""
ABLATED_FAMILY = "language"


class Side(NamedTuple):
    """Tokens of some passages, with their labels."""

    passages: list[Passage]
    x: Float[Tensor, "row width"]
    there: Bool[Tensor, "row concept"]


def side(ground: Ground, roles: tuple[Role, ...]) -> Side:
    """Ordinary tokens of these roles' passages, about `TOKENS` of them."""
    passages, held = [], 0
    for passage in ground.passages.passages(roles):
        if held >= TOKENS:
            break
        passages.append(passage)
        held += len(passage.tokens)
    harvest = HarvestConfig(sites=(ground.bed.site,), dtype="float32")
    parts = [batch.activations[ground.bed.site][~batch.special] for batch in stream(ground.model, passages, harvest)]
    labels = torch.cat([carried(ground, passage)[torch.tensor(~passage.special)] for passage in passages])
    return Side(passages, torch.cat(parts), labels)


def carried(ground: Ground, passage: Passage) -> Bool[Tensor, "token concept"]:
    """Which concepts each token of a passage carries."""
    table = torch.zeros(len(passage.tokens), len(ground.passages.concepts), dtype=torch.bool)
    where, which = ground.passages.concept_tokens(passage.id)
    table[torch.tensor(where, dtype=torch.long), torch.tensor(which, dtype=torch.long)] = True
    return table


class Task:
    """The concepts of both sides, and the probes of the activations that every dictionary is held against."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.names = ground, ground.passages.concepts
        self.fit, self.test = side(ground, (Role.EXPLAIN, Role.SCORE)), side(ground, (Role.SHOW,))
        common = (self.fit.there.sum(0) >= LEAST) & (self.test.there.sum(0) >= LEAST)
        self.concepts: list[int] = common.nonzero()[:, 0].tolist()
        self.probes = [fitted(self.fit.x, self.fit.there[:, each].long()) for each in self.concepts]

    def family(self, name: str) -> list[int]:
        """The common concepts of a family."""
        return [each for each in self.concepts if self.names[each].startswith(f"{name}.")]

    def classes(self, of: Side, family: str) -> Int[Tensor, " row"]:
        """Which member of a family each token carries; -1 for none."""
        members = self.family(family)
        there = of.there[:, members]
        return torch.where(there.any(1), there.long().argmax(1), -1)

    def losses(self, edit: "Without | None") -> tuple[Float[Tensor, " prediction"], Bool[Tensor, "prediction concept"]]:
        """Nats of each prediction from an ordinary token of the measuring side, and what that token carries."""
        nats, there = [], []
        for batch in batches(self.test.passages, 4096):
            logits = edited_logits(self.ground.model, batch.tokens, edit, batch.spared)
            ids = batch.tokens.ids
            each = F.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none")
            counted = ~batch.spared[:, :-1] & ~batch.spared[:, 1:]
            nats.append(each[counted])
            for row, number in enumerate(batch.numbers.tolist()):
                table = carried(self.ground, self.test.passages[number])[: counted.shape[1]]
                there.append(table[counted[row, : len(table)]])
        return torch.cat(nats), torch.cat(there)


def edited_logits(model: LanguageModel, tokens, edit: "Without | None", spared: Tensor) -> Tensor:
    """Logits with features taken out of all but spared tokens."""
    if edit is None:
        return model.logits(tokens)
    edit.spared = spared
    with model.edited(edit):
        return model.logits(tokens)


class Without:
    """Takes some features' part out of each activation; the rest, error and all, stays."""

    def __init__(self, dictionary: Dictionary, site: str, features: Int[Tensor, " chosen"]) -> None:
        self.dictionary, self.site = dictionary, site
        self.out = torch.zeros(dictionary.features, dtype=torch.bool)
        self.out[features] = True
        self.spared: Tensor | None = None

    def __call__(self, activation: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The activations without the features' part."""
        codes = self.dictionary.encode(activation)
        values = codes.values * self.out[codes.indices]
        part = self.dictionary.decode(codes._replace(values=values)) - self.dictionary.decoder_bias
        changed = activation - part
        return changed if self.spared is None else activation.where(self.spared.unsqueeze(-1), changed)


def measures(dictionary: Dictionary, task: Task) -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each measure."""
    fit, test = (Labelled(each.x, dense_codes(dictionary, each.x)) for each in (task.fit, task.test))
    there = [(task.fit.there[:, each], task.test.there[:, each]) for each in task.concepts]
    for k in PROBED:
        scores = [sparse_probing(fit, one, test, two, k) for one, two in there]
        yield f"probing with {k}", fmean(scores), "balanced accuracy"
    absorbed = [
        absorption(dictionary, probe, fit, one, test, two) for probe, (one, two) in zip(task.probes, there, strict=True)
    ]
    yield "absorption", fmean(absorbed), "share of tokens"
    cause, isolation = disentanglement(dictionary, task, fit, test)
    yield "disentanglement", (cause + isolation) / 2, f"cause {cause:.2f}, isolation {isolation:.2f}"
    on, off = ablation(dictionary, task, fit)
    yield "ablation, on the concept", on, "nats"
    yield "ablation, elsewhere", off, "nats"


def disentanglement(dictionary: Dictionary, task: Task, fit: Labelled, test: Labelled) -> tuple[float, float]:
    """Cause and isolation, the mean over which of two attributes is exchanged."""
    both = []
    for own, other in (ATTRIBUTES, ATTRIBUTES[::-1]):
        sides = []
        for of, rows in ((task.fit, fit), (task.test, test)):
            labels = task.classes(of, own), task.classes(of, other)
            kept = (labels[0] >= 0) & (labels[1] >= 0)
            sides.append((Labelled(rows.x[kept], rows.codes[kept]), (labels[0][kept], labels[1][kept])))
        (here, mine), (there, unseen) = sides
        probes: tuple[Linear, Linear] = tuple(
            fitted(here.x, of, len(task.family(name))) for of, name in zip(mine, (own, other), strict=True)
        )  # type: ignore[assignment]
        shares = [steering(dictionary, here.codes, of, probe) for of, probe in zip(mine, probes, strict=True)]
        order = (shares[0] - shares[1].abs()).argsort(descending=True)
        best = max(EXCHANGED, key=lambda n: exchanged(dictionary, here, mine, probes, order[:n]).score)
        both.append(exchanged(dictionary, there, unseen, probes, order[:best]))
    return fmean(each.cause for each in both), fmean(each.isolation for each in both)


def ablation(dictionary: Dictionary, task: Task, fit: Labelled) -> tuple[float, float]:
    """Nats lost on predicting from a concept's tokens, and elsewhere; the mean over a family."""
    plain, there = task.losses(None)
    on, off = [], []
    for each in task.family(ABLATED_FAMILY):
        features = exclusive(fit.codes, task.fit.there[:, each], ABLATED, elsewhere=ELSEWHERE)
        lost = task.losses(Without(dictionary, task.ground.bed.site, features))[0] - plain
        on.append(float(lost[there[:, each]].mean()))
        off.append(float(lost[~there[:, each]].mean()))
    return fmean(on), fmean(off)


def activations_alone(task: Task) -> Iterator[tuple[str, float, str]]:
    """Probing with k of the site's own numbers, and with all of them."""
    there = [(task.fit.there[:, each], task.test.there[:, each]) for each in task.concepts]
    fit, test = (Labelled(each.x, each.x) for each in (task.fit, task.test))
    for k in PROBED:
        yield (
            f"probing with {k}",
            fmean(sparse_probing(fit, one, test, two, k) for one, two in there),
            "balanced accuracy",
        )
    whole = [balanced(probe.told(test.x), two.long()) for probe, (_, two) in zip(task.probes, there, strict=True)]
    yield "probing with all", fmean(whole), "balanced accuracy"


def dictionaries(bench: Bench, ground: Ground, kinds: Sequence[Kind]) -> Iterator[tuple[str, str, Dictionary]]:
    """Kind, system and dictionary."""
    bed = ground.bed
    for kind in kinds:
        asked = Asked(kind=kind, features=bed.features, k=bed.ks[0], batch=bed.batch, steps=bed.steps)
        for found in bench.compared(bed, kind, bed.ks[0]):
            folder = bench.folder(found)
            if found.system == OURS:
                dictionary = ours(ground.rows, asked, folder)
                if kind == kinds[0]:
                    yield "random directions", OURS, random_dictionary(dictionary, ground.rows.batch(0, 4096), 0)
            else:
                rate = asked.rate if found.rate == OUR_RATE else None
                dictionary = theirs(found.system, ground.rows, asked, folder, rate=rate)
            if dictionary is not None:
                yield kind, found.system, dictionary


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "tymbal-quality")
    options.add_argument("--kinds", nargs="+", default=list(KINDS))
    options.add_argument("--alone", action="store_true", help="leave the peers out")
    options.add_argument("--told", action="store_true", help="only dictionaries that are kept already")
    asked = options.parse_args()
    bench = Bench(asked.kept / "short", None, alone=asked.alone, told=asked.told)
    ground = bench.ready(next(bed for bed in BEDS if bed.name == "world"))
    task = Task(ground)

    def printed(label: str, system: str, found: Iterator[tuple[str, float, str]]) -> None:
        lines = [Line(name=f"{label}: {name}", system=system, value=value, unit=unit) for name, value, unit in found]
        show(lines, as_json=asked.json)

    printed(f"activations, {len(task.concepts)} concepts", "none", activations_alone(task))
    for kind, system, dictionary in dictionaries(bench, ground, asked.kinds):
        printed(kind, system, measures(dictionary, task))


if __name__ == "__main__":
    sys.exit(main())
