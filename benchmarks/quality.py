"""Dictionaries of every kind against the peers' on the same batches: sparsity, variance unexplained, loss recovered.

Each bed (`beds.py`) is harvested once, and every system (`systems.py`) trains on the same batches in the same order.
At the middle k each peer trains at its own learning rate and at ours; the better one counts, and is used at the other
ks. All dictionaries are judged alike, on rows that none was trained on.

    L0, variance unexplained   of the held-out rows, fp64, model's units
    dead                       share of features that never fire on 100 tokens a feature: on the held-out rows, and on
                               training rows where these are too few
    recovered                  loss, or cosine of the pooled embedding, over mean ablation (`evaluate`)
    concepts                   on the world: mean F1, by mention, of the best feature of each concept

All of it takes about an hour of one core; `--full` has larger beds and takes many. What is done is kept in `--kept` and
not done again: a broken-off run goes on, and a change of Tymbal's own code needs another folder.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from beds import BEDS, FULL, Bed, Ground, prepared
from report import Line, note, parser, show
from rows import enough, silent, unexplained
from systems import KINDS, OURS, PEERS, Asked, ours, peers_of, theirs

from tymbal import artifact
from tymbal.corpora import HELD_OUT
from tymbal.dictionaries import ConceptConfig, Dictionary, EvaluationConfig, evaluate, evaluate_concepts
from tymbal.dictionaries.config import Kind
from tymbal.errors import TymbalError

MOST_L0 = 1.1
"""A dictionary with more than so many times k features active is not compared with."""
MOST_DEAD = 0.01
"""Goal: the share of features that never fire."""
SPLICED, LABELLED, DRAWS = 10_000, 60_000, 50
"""Tokens for loss recovered, and for concepts; resamples for intervals that are not shown."""
OWN_RATE, OUR_RATE = "own", "ours"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One dictionary on what it was not trained on."""

    bed: str
    kind: Kind
    k: int
    system: str
    rate: str
    """Which learning rate a peer had: its own, or ours."""
    l0: float
    unexplained: float
    dead: float
    """Share of the features."""
    recovered: float
    f1: float | None
    """Mean over concepts of the best feature's F1, by mention; None where nothing is annotated."""

    @property
    def comparable(self) -> bool:
        """Whether no more features are active than were asked for, or hardly more."""
        return self.l0 <= MOST_L0 * self.k

    @property
    def order(self) -> tuple[bool, float]:
        """Lower is better."""
        return (not self.comparable, self.unexplained)


def judged(dictionary: Dictionary, ground: Ground) -> dict[str, float | None]:
    """The numbers of a dictionary, whoever trained it."""
    site, model, passages = ground.bed.site, ground.model, ground.passages
    made, active = [], 0
    for rows in ground.held_out.split(4096):
        codes = dictionary.encode(rows)
        active += int(codes.l0().sum())
        made.append(dictionary.decode(codes))
    settings = EvaluationConfig(tokens=SPLICED, draws=DRAWS)
    spliced = evaluate(dictionary, model, site, passages.passages(HELD_OUT), settings)
    f1 = None
    if passages.concepts:
        settings = ConceptConfig(tokens=LABELLED, draws=DRAWS)
        found = evaluate_concepts(dictionary, model, site, passages, config=settings)
        f1 = found.by_mention.mean_f1["dictionary"].value
    return {
        "l0": active / len(ground.held_out),
        "unexplained": unexplained(torch.cat(made), ground.held_out),
        "dead": silent(dictionary, enough(ground.held_out, ground.rows.rows, dictionary.features)),
        "recovered": spliced.findings["recovered.mean"].value,
        "f1": f1,
    }


class Bench:
    """What is measured, and the folder that keeps it."""

    def __init__(self, kept: Path, real: Path | None, *, alone: bool = False, told: bool = False) -> None:
        """With `alone` peers are left out, with `told` everything that is not kept yet."""
        self.kept, self.real, self.alone, self.told = kept, real, alone, told
        self.ground: Ground | None = None

    def ready(self, bed: Bed) -> Ground:
        """The bed's rows; the last one stays in memory."""
        if self.ground is None or self.ground.bed != bed:
            self.ground = prepared(bed, self.real, self.kept / bed.name)
        return self.ground

    def folder(self, found: "Result") -> Path:
        """Where the dictionary of a result lies."""
        return self.kept / found.bed / f"{found.system}-{found.kind}-{found.k}-{found.rate}"

    def result(self, bed: Bed, kind: Kind, k: int, system: str, rate: str = OWN_RATE) -> Result | None:
        """Train and judge, or read what was kept; None where a peer fails, or where only what is kept is asked for."""
        folder = self.kept / bed.name / f"{system}-{kind}-{k}-{rate}"
        file = folder.with_suffix(".result.json")
        if file.exists():
            return Result(**artifact.read_json(file))
        if self.told:
            return None
        ground = self.ready(bed)
        asked = Asked(kind=kind, features=bed.features, k=k, batch=bed.batch, steps=bed.steps)
        if system == OURS:
            dictionary = ours(ground.rows, asked, folder)
        else:
            shared = asked.rate if rate == OUR_RATE else None
            dictionary = theirs(system, ground.rows, asked, folder, rate=shared)
        if dictionary is None:
            return None
        found = Result(bed=bed.name, kind=kind, k=k, system=system, rate=rate, **judged(dictionary, ground))  # type: ignore[arg-type]
        artifact.write_json(file, asdict(found))
        return found

    def compared(self, bed: Bed, kind: Kind, k: int) -> Iterator[Result]:
        """Ours and each peer's, at the better of two learning rates."""
        mine = self.result(bed, kind, k, OURS)
        if mine is not None:
            yield mine
        for name in () if self.alone else peers_of(kind):
            middle = [self.result(bed, kind, bed.ks[0], name, rate) for rate in (OWN_RATE, OUR_RATE)]
            tried = [result for result in middle if result is not None]
            if tried:
                best = min(tried, key=lambda result: result.order)
                here = best if k == bed.ks[0] else self.result(bed, kind, k, name, best.rate)
                if here is not None:
                    yield here


def lines(results: list[Result]) -> Iterator[Line]:
    """The numbers of one kind at one k; Tymbal's goal is the best value of a peer that keeps to k."""
    best = min((each.unexplained for each in results if each.system != OURS and each.comparable), default=None)
    for each in results:
        mine, label, system = each.system == OURS, f"{each.bed} k {each.k} {each.kind}", each.system
        yield Line(name=f"{label}: L0", system=system, value=each.l0, unit="features a token")
        goal = best if mine else None
        yield Line(
            name=f"{label}: variance unexplained", system=system, value=each.unexplained, unit="share", goal=goal
        )
        goal = MOST_DEAD if mine else None
        yield Line(name=f"{label}: dead", system=system, value=each.dead, unit="share", goal=goal)
        yield Line(name=f"{label}: recovered over the mean", system=system, value=each.recovered, unit="share")
        if each.f1 is not None:
            yield Line(name=f"{label}: concepts, mean F1 by mention", system=system, value=each.f1, unit="F1")


def table(results: list[Result]) -> str:
    """The same as a Markdown table, one line a dictionary."""
    rows = [
        "| bed, k | kind | system | L0 | variance unexplained | recovered | dead | concepts, F1 |",
        "|" + "---|" * 8,
    ]
    for each in results:
        system = each.system if each.system == OURS or each.rate == OWN_RATE else f"{each.system}, our rate"
        f1 = "" if each.f1 is None else f"{each.f1:.3f}"
        numbers = f"{each.l0:.1f} | {each.unexplained:.4f} | {each.recovered:.4f} | {100 * each.dead:.1f} % | {f1}"
        rows.append(f"| {each.bed}, {each.k} | {each.kind} | {system} | {numbers} |")
    return "\n".join(rows)


def main() -> None:
    """Train, judge, print."""
    options = parser(__doc__)
    options.add_argument("--beds", nargs="+", default=[bed.name for bed in BEDS])
    options.add_argument("--kinds", nargs="+", default=list(KINDS))
    options.add_argument("--alone", action="store_true", help="leave the peers out")
    options.add_argument("--middle", action="store_true", help="the middle k of each bed alone")
    options.add_argument("--full", action="store_true", help="larger beds, more steps")
    options.add_argument("--told", action="store_true", help="only what is kept already")
    options.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "tymbal-quality")
    options.add_argument("--picture", type=Path, default=None, help="where to draw the frontier (SVG)")
    options.add_argument("--table", type=Path, default=None, help="where to write the numbers as a Markdown table")
    asked = options.parse_args()
    absent = [name for name, peer in PEERS.items() if not peer.python.exists()]
    if absent:
        note(f"left out: {', '.join(absent)}, which `make peers` installs")
    beds = [bed for bed in (FULL if asked.full else BEDS) if bed.name in asked.beds]
    bench = Bench(asked.kept / ("full" if asked.full else "short"), asked.real, alone=asked.alone, told=asked.told)
    measured: list[Result] = []
    for place in range(1 if asked.middle else len(beds[0].ks)):
        for bed in beds:
            try:
                if not asked.told:
                    bench.ready(bed)
            except TymbalError as error:
                note(f"{bed.name}: {error}")
                continue
            for kind in asked.kinds:
                results = list(bench.compared(bed, kind, bed.ks[place]))
                show(list(lines(results)), as_json=asked.json)
                measured += results
                _written(measured, asked.table, asked.picture)


def _written(measured: list[Result], text: Path | None, picture: Path | None) -> None:
    """Table and picture of what there is so far."""
    ordered = sorted(measured, key=lambda each: (each.bed, each.k))
    if text is not None:
        text.write_text(table(ordered) + "\n", encoding="utf-8")
    if picture is not None:
        from quality_picture import draw

        draw(ordered, picture)


if __name__ == "__main__":
    sys.exit(main())
