"""A study from beginning to end.

    conduct_study    open the model, find or begin the folder, do the stages
    resume_study     the same, from what the folder says
    open_study       read what a complete study found
    explained_subject    open what it explains

1. The model is opened; what the user left open is filled in from it, and what is asked is compared with what the
   folder holds. Another study's folder is refused.
2. Complete stages are checked against their checksums; damaged files are named and removed.
3. The stages that are not complete are done in order, under deterministic algorithms.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tymbal import artifact
from tymbal.errors import ArtifactError, CorpusError, TymbalError
from tymbal.explain import Subject
from tymbal.models import LanguageModel
from tymbal.study.folder import StudyFolder
from tymbal.study.journal import Display, Journal, Silence
from tymbal.study.plan import BUNDLED, StudyConfig, completed
from tymbal.study.shelf import free_folder, remember
from tymbal.study.sources import corpus_identity, corpus_sources, model_source, open_subject
from tymbal.study.stages import STAGES, Work


@dataclass(frozen=True)
class Study:
    """A complete study."""

    folder: Path
    question: dict[str, Any]
    """what `study.json` holds: model, corpus, config, identities"""
    evaluation: dict[str, Any]
    """what `evaluation.json` holds: the dictionary's health"""

    @property
    def atlas(self) -> Path:
        """The atlas's folder."""
        return StudyFolder(self.folder).output("index")

    @property
    def explanations(self) -> Path:
        """The folder of what the features fire on."""
        return StudyFolder(self.folder).output("explain")


def conduct_study(
    model: str = BUNDLED,
    corpus: Sequence[str] = (BUNDLED,),
    config: StudyConfig = StudyConfig(),  # noqa: B008  (frozen)
    *,
    out: Path | None = None,
    display: Display | None = None,
) -> Study:
    """Study a model on a corpus; a folder that holds this very study is gone on with.

    `out` is `studies/MODEL-SITE` unless given. Raises `ArtifactError` where it holds something else, and the
    `TymbalError`s of each stage, with the way to resume as a note.
    """
    subject = open_subject(model, config.device)
    question = _question(subject, model_source(model), corpus_sources(corpus), completed(config, subject, corpus))
    folder = StudyFolder(out or free_folder(question))
    _require_free(folder, question)
    return _carry_on(folder, question, subject, display or Silence())


def resume_study(folder: Path, *, display: Display | None = None) -> Study:
    """Go on with the study in this folder.

    Raises `ArtifactError` where there is none, or where the model or corpus is no longer the same.
    """
    held = StudyFolder(folder)
    question = held.question()
    if question is None:
        raise ArtifactError(
            expected=f"a study in {folder}", got="no study.json there", do="begin one: tymbal study MODEL --out DIR"
        )
    config = StudyConfig(**question["config"])
    subject = open_subject(question["model"], config.device, question["identity"]["model"]["revision"])
    now = _question(subject, question["model"], tuple(question["corpus"]), config)
    _require_same(folder, question, now)
    return _carry_on(held, question, subject, display or Silence())


def open_study(folder: Path) -> Study:
    """Read a complete study; raises `ArtifactError` for any other folder."""
    held = StudyFolder(folder)
    question = held.question()
    missing = [stage for stage, complete in held.status().items() if not complete] if question else []
    if question is None or missing:
        got = f"no {missing[0]} stage yet" if question else "no study.json there"
        raise ArtifactError(expected=f"a complete study in {folder}", got=got, do=f"{_resume_line(folder)}")
    return Study(folder, question, artifact.read_json(held.output("evaluate")))


def explained_subject(study: Study) -> Subject:
    """What the study explains: its atlas, which is to be closed, and what that was made from."""
    config, found = StudyConfig(**study.question["config"]), study.question
    model = open_subject(found["model"], config.device, found["identity"]["model"]["revision"])
    return Work(StudyFolder(study.folder), model, tuple(found["corpus"]), config).subject()


def _question(subject: LanguageModel, model: str, corpus: tuple[str, ...], config: StudyConfig) -> dict[str, Any]:
    return {
        "model": model,
        "corpus": list(corpus),
        "config": asdict(config),
        "identity": {"model": subject.identity, "corpus": corpus_identity(corpus)},
    }


def _require_free(folder: StudyFolder, question: dict[str, Any]) -> None:
    held = folder.question()
    if held == question:
        return
    if held is not None or folder.foreign():
        got = f"another study ({_difference(held, question)})" if held else f"other files, such as {folder.foreign()}"
        raise ArtifactError(
            expected=f"an empty folder or this study in {folder.path}",
            got=got,
            do=f"choose another --out, or go on with the one that is there: {_resume_line(folder.path)}",
        )


def _require_same(folder: Path, held: dict[str, Any], now: dict[str, Any]) -> None:
    for part, identity in held["identity"].items():
        if identity != now["identity"][part]:
            raise ArtifactError(
                expected=f"the {part} with which {folder} was begun",
                got=f"another one at {held[part]}",
                do="restore it, or begin a new study with another --out",
            )


def _difference(held: dict[str, Any], question: dict[str, Any]) -> str:
    for key in ("model", "corpus"):
        if held[key] != question[key]:
            return f"of {key} {held[key]}"
    for key, value in question["config"].items():
        if held["config"].get(key) != value:
            return f"with {key} {held['config'].get(key)}"
    return "of a model or corpus that has changed since"


def _carry_on(folder: StudyFolder, question: dict[str, Any], subject: LanguageModel, display: Display) -> Study:
    with folder.locked():
        begins = folder.question() is None
        folder.ask(question)
        journal = Journal(folder.log, display)
        work = Work(folder, subject, tuple(question["corpus"]), StudyConfig(**question["config"]))
        try:
            with _deterministic():
                _do_stages(work, journal)
        except (TymbalError, KeyboardInterrupt) as error:
            if begins and isinstance(error, CorpusError):
                folder.discard()
            else:
                error.add_note(_resume_line(folder.path))
                journal.write(stopped=f"{type(error).__name__}: {error}")
            raise
    return open_study(folder.path)


def _do_stages(work: Work, journal: Journal) -> None:
    folder = work.folder
    folder.clear_unfinished()
    intact = {stage for stage, complete in folder.status().items() if complete and _intact(folder, stage, journal)}
    for stage in STAGES:
        # A stage that was complete may have been dropped by one before it.
        if stage.name not in intact or not folder.status()[stage.name]:
            with journal.stage(stage.name) as progress:
                stage.do(work, progress)
            folder.record(stage.name)
        remember(folder.path)


def _intact(folder: StudyFolder, stage: str, journal: Journal) -> bool:
    """Whether all that a complete stage made is as it was; what is not is named and removed."""
    damages = list(folder.damaged(stage))
    for damage in damages:
        journal.say(f"{damage.path}: {damage.reason}; it is made again")
        damage.path.unlink(missing_ok=True)
    if damages:
        # Without its manifest the package takes its folder as unfinished, and makes what is missing.
        (folder.output(stage) / artifact.MANIFEST).unlink(missing_ok=True)
    return not damages


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic algorithms while the block lasts; memory is not filled, as none is read before it is written."""
    memory: Any = torch.utils.deterministic  # sets its attributes through a class that type checkers do not see
    before, filled = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        memory.fill_uninitialized_memory = filled


def _resume_line(folder: Path) -> str:
    return f"resume with: tymbal study --resume {folder}"
