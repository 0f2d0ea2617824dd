"""The study's model and dictionary, opened when a page first asks for them, used by one reader at a time.

Edits and readings hang on the model itself, so that two readers at once would see each other's. What can go wrong
(the folder has moved, other weights lie there now) is told in one line each time it is asked for, and tried anew.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tymbal.dictionaries import Dictionary, load_dictionary
from tymbal.edits.requirements import require_same_model, site_of
from tymbal.errors import ArtifactError, ModelError
from tymbal.models import LanguageModel
from tymbal.study import StudyFolder
from tymbal.study.sources import open_subject

PATIENCE = 60
"""seconds that a reader waits for another"""


class Opened(NamedTuple):
    """What pages read prompts and steer with."""

    model: LanguageModel
    dictionary: Dictionary
    site: str


class Subject:
    """Opens a study's model and dictionary once, and lends them to one reader at a time."""

    def __init__(self, study: Path, question: dict[str, Any]) -> None:
        self._folder = StudyFolder(study)
        self._question = question
        self._lock = threading.Lock()
        self._opened: Opened | None = None

    @property
    def known(self) -> bool:
        """Whether there is a study that names a model; a bare atlas does not."""
        return bool(self._question.get("model")) and self._folder.output("train").is_dir()

    @contextmanager
    def at_work(self) -> Iterator[Opened]:
        """Model and dictionary, for the reader alone while the block lasts.

        Raises `ArtifactError` for a bare atlas, and the `TymbalError` of whatever cannot be opened.
        """
        if not self.known:
            raise ArtifactError(
                expected="a study, which names its model",
                got="a bare atlas",
                do="open the study's folder: tymbal serve STUDY",
            )
        if not self._lock.acquire(timeout=PATIENCE):
            raise ModelError(
                expected=f"the model to be free within {PATIENCE} seconds",
                got="another reader at work with it",
                do="ask again in a while",
            )
        try:
            if self._opened is None:
                self._opened = self._open()
            yield self._opened
        finally:
            self._lock.release()

    def _open(self) -> Opened:
        device = self._question.get("config", {}).get("device", "cpu")
        identity = self._question.get("identity", {}).get("model", {})
        model = open_subject(self._question["model"], device, identity.get("revision"))
        dictionary = load_dictionary(self._folder.output("train")).to(model.device)
        require_same_model(model, dictionary.model, "a dictionary")
        return Opened(model, dictionary, model.site(site_of(dictionary, None)))
