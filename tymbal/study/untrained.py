"""A study's untrained twin: the same study of a copy of its model that learned nothing.

What explanations score there is owed to the text, the architecture and the scorer; only what they score beyond it says
something of what the model learned. The twin lies in the study's folder, is made once, and goes on where it was
stopped.

    untrained/model/    the copy, initial weights drawn by the study's seed
    untrained/study/    a study like any other

Source: Heap et al. 2025, "Sparse Autoencoders Can Interpret Randomly Initialized Transformers" (arXiv 2501.17727).
"""

import shutil
from pathlib import Path

from tymbal import artifact
from tymbal.models import LanguageModel
from tymbal.probes import untrained_copy
from tymbal.study.folder import StudyFolder
from tymbal.study.journal import Display
from tymbal.study.plan import StudyConfig
from tymbal.study.shelf import remember
from tymbal.study.sources import open_subject
from tymbal.study.study import Study, conduct_study, open_study

UNTRAINED = "untrained"


def untrained_twin(study: Study, *, display: Display | None = None) -> Study:
    """Study an untrained copy of the study's model in the same way, or finish or open what was begun."""
    place, config = study.folder / UNTRAINED, StudyConfig(**study.question["config"])
    with StudyFolder(study.folder).locked():
        if not (place / "model").exists():
            revision = study.question["identity"]["model"]["revision"]
            _save(untrained_copy(open_subject(study.question["model"], "cpu", revision), seed=config.seed), place)
        twin = conduct_study(
            str(place / "model"), study.question["corpus"], config, out=place / "study", display=display
        )
    remember(study.folder)
    return twin


def finished_twin(study: Study) -> Study | None:
    """The twin where it is complete; None where it was never made, or not to its end."""
    folder = study.folder / UNTRAINED / "study"
    return open_study(folder) if all(StudyFolder(folder).status().values()) else None


def _save(model: LanguageModel, place: Path) -> None:
    """Write a model as a Hugging Face folder, whole or not at all."""
    unfinished = place / f"model{artifact.TEMPORARY_SUFFIX}"
    shutil.rmtree(unfinished, ignore_errors=True)
    model.torch_model.save_pretrained(unfinished)
    model.tokenizer.save_pretrained(unfinished)
    unfinished.rename(place / "model")
