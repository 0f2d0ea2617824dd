"""The stages of a study, in order: cut, harvest, train, evaluate, index, explain.

Each takes what the stages before it left in the folder, calls its package, and leaves one folder or file. What is
already there from an interrupted call is kept by the package that made it.
"""

from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from typing import NamedTuple

from tymbal import artifact
from tymbal.activations import ActivationStore, RowSource, StoredRows, StreamedRows, harvest
from tymbal.atlas import build_atlas, open_atlas
from tymbal.corpora import PassageStore, Role, cut
from tymbal.dictionaries import Dictionary, draw_curve, load_dictionary, train
from tymbal.explain import Subject, explain_features
from tymbal.models import LanguageModel
from tymbal.study import budget
from tymbal.study.folder import OUTPUTS, StudyFolder
from tymbal.study.health import measured_health, told_concepts
from tymbal.study.journal import Progress
from tymbal.study.plan import StudyConfig
from tymbal.study.sources import documents


class Work:
    """A study at work: its folder, what is asked, and what the stages before have left."""

    def __init__(self, folder: StudyFolder, model: LanguageModel, corpus: tuple[str, ...], config: StudyConfig) -> None:
        self.folder = folder
        self.model = model
        self.corpus = corpus
        self.config = config
        assert config.site is not None
        self.site = config.site

    @cached_property
    def passages(self) -> PassageStore:
        """The corpus, cut."""
        return PassageStore.open(self.folder.output("cut"))

    @cached_property
    def dictionary(self) -> Dictionary:
        """The trained dictionary."""
        return load_dictionary(self.folder.output("train"))

    def subject(self) -> Subject:
        """What is explained; its atlas is to be closed."""
        atlas = open_atlas(self.folder.output("index"))
        return Subject(atlas=atlas, dictionary=self.dictionary, model=self.model, store=self.passages)

    @property
    def stores(self) -> bool:
        """Whether activations are stored, or else streamed."""
        return budget.is_stored(self.passages.tokens(Role.TRAIN), self.model.width)

    def rows(self) -> RowSource:
        """Activations in the order in which training sees them."""
        if self.stores:
            return StoredRows(ActivationStore.open(self.folder.output("harvest")), self.site, seed=self.config.seed)
        return StreamedRows(
            self.model,
            self.passages,
            self.site,
            seed=self.config.seed,
            buffer_rows=budget.buffer_rows(self.model.width),
            config=budget.harvest_config(self.config),
        )


def _cut(work: Work, progress: Progress) -> None:
    def told(done: int, total: int, unit: str) -> None:
        # How much text there is in all is known only where a number of tokens was asked for.
        progress(done, total if work.config.tokens else 0, unit)

    text = documents(work.corpus, work.config)
    cut(text, work.model.tokenizer, budget.cut_config(work.config), work.folder.output("cut"), told)


def _harvest(work: Work, progress: Progress) -> None:
    if work.stores:
        folder = work.folder.output("harvest")
        harvest(work.model, work.passages, budget.harvest_config(work.config), folder, (Role.TRAIN,), progress)


def _train(work: Work, progress: Progress) -> None:
    rows = work.rows()
    config = budget.training_config(work.config, rows.rows_per_epoch)
    folder = work.folder.output("train")
    train(rows, config, folder, progress, site=work.site, model=work.model.identity)
    draw_curve(folder, work.folder.log / "training.svg")


def _evaluate(work: Work, progress: Progress) -> None:
    health = measured_health(work.dictionary, work.model, work.passages, work.config.seed, progress)
    artifact.write_json(work.folder.output("evaluate"), health)


def _index(work: Work, progress: Progress) -> None:
    config = budget.atlas_config(work.config)
    build_atlas(
        work.dictionary, work.model, work.site, work.passages, work.folder.output("index"), config, progress=progress
    )


def _explain(work: Work, progress: Progress) -> None:
    subject = work.subject()
    told = told_concepts(artifact.read_json(work.folder.output("evaluate")))
    config = budget.explain_config(work.config)
    with closing(subject.atlas):
        explain_features(subject, work.folder.output("explain"), config, told=told, progress=progress)


class Stage(NamedTuple):
    """A stage's name and what it does."""

    name: str
    do: Callable[[Work, Progress], None]


STAGES = (
    Stage("cut", _cut),
    Stage("harvest", _harvest),
    Stage("train", _train),
    Stage("evaluate", _evaluate),
    Stage("index", _index),
    Stage("explain", _explain),
)
assert tuple(stage.name for stage in STAGES) == tuple(OUTPUTS)
