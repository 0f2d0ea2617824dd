"""The folder `studies/`, where studies lie by default, and its pointer to the last one.

`studies/last` holds the name of the folder that was worked on last, for `make serve` and `tymbal serve` without a name.
"""

from itertools import count
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.errors import ArtifactError
from tymbal.study.folder import StudyFolder

STUDIES = Path("studies")
POINTER = "last"
UNTELLING = ("model", "final", "checkpoint")
"""Folder names that say nothing about the model in them."""


def free_folder(question: dict[str, Any]) -> Path:
    """`studies/MODEL-SITE`, with a number behind where another study lies there; the one of this study if there is one.

    `question` is what `study.json` would hold.
    """
    name = study_name(question["model"], question["config"]["site"])
    for number in count(1):
        folder = StudyFolder(STUDIES / (name if number == 1 else f"{name}-{number}"))
        held = folder.question()
        if held == question or (held is None and not folder.foreign()):
            return folder.path
    raise AssertionError("count never ends")


def study_name(model: str, site: str) -> str:
    """A folder name such as `stories260K-resid_post.2`, from a model's path or hub id and a site."""
    parts = [part for part in Path(model).parts if part not in ("/", ".", "..")] or ["model"]
    name = "-".join(parts[-2:]) if parts[-1] in UNTELLING and len(parts) > 1 else parts[-1]
    return f"{name}-{site}"


def remember(folder: Path) -> None:
    """Make this the last study, where it lies in `studies/`."""
    if folder.resolve().parent == STUDIES.resolve():
        artifact.write_text(STUDIES / POINTER, folder.name + "\n")


def last_study() -> Path:
    """The folder of the last study in `studies/`; raises `ArtifactError` where there is none."""
    pointer = STUDIES / POINTER
    if not pointer.exists():
        raise ArtifactError(
            expected="a study's folder", got=f"none named, and no {pointer}", do="name one, or make one: tymbal study"
        )
    return STUDIES / pointer.read_text(encoding="utf-8").strip()
