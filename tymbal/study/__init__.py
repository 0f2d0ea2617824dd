"""A study: one model, one corpus, one site, from text to an atlas of features, in a folder that can be resumed.

The names below are imported on first use, so that the command line can answer `--help` without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tymbal.study.plan import BUNDLED, StudyConfig

if TYPE_CHECKING:
    from tymbal.study.folder import StudyFolder
    from tymbal.study.intervened import intervened
    from tymbal.study.study import Study, conduct_study, explained_subject, open_study, resume_study
    from tymbal.study.untrained import finished_twin, untrained_twin

_OWNERS = {
    "Study": "tymbal.study.study",
    "StudyFolder": "tymbal.study.folder",
    "conduct_study": "tymbal.study.study",
    "explained_subject": "tymbal.study.study",
    "finished_twin": "tymbal.study.untrained",
    "intervened": "tymbal.study.intervened",
    "open_study": "tymbal.study.study",
    "resume_study": "tymbal.study.study",
    "untrained_twin": "tymbal.study.untrained",
}
__all__ = [
    "BUNDLED",
    "Study",
    "StudyConfig",
    "StudyFolder",
    "conduct_study",
    "explained_subject",
    "finished_twin",
    "intervened",
    "open_study",
    "resume_study",
    "untrained_twin",
]


def __getattr__(name: str) -> Any:
    if name not in _OWNERS:
        raise AttributeError(f"module 'tymbal.study' has no attribute {name!r}")
    return getattr(import_module(_OWNERS[name]), name)
