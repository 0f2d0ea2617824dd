"""A feature's influence on what the model says: measured when first asked for, and kept beside the notes."""

from functools import cached_property
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.atlas import Atlas, Example
from tymbal.edits import influence
from tymbal.errors import ArtifactError
from tymbal.serve.subject import Subject
from tymbal.serve.text import Joiner

KEPT = "influence"
OWN, OTHERS = 8, 8
"""texts on which the feature fires, and texts of other features"""
LONGEST = 600
"""characters of a text"""
BEGINNING = 80


class Influencing:
    """Measures features of one study; what it found once is read from disk."""

    def __init__(self, subject: Subject, atlas: Atlas, keeping: Path) -> None:
        self._subject, self._atlas, self._keeping = subject, atlas, keeping

    @property
    def possible(self) -> bool:
        """Whether there is a model to clamp features in."""
        return self._subject.known

    def kept(self, feature: int) -> dict[str, Any]:
        """What was found before, of this very atlas; empty where nothing was, or it cannot be read."""
        path = self._path(feature)
        if not path.exists():
            return {}
        try:
            found = artifact.read_json(path)
        except ArtifactError:
            return {}
        return found if isinstance(found, dict) and found.get("atlas") == self._identity else {}

    def measured(self, feature: int, joiner: Joiner) -> dict[str, Any]:
        """What was found before, or is found now; raises `TymbalError` for what cannot be measured."""
        if found := self.kept(feature):
            return found
        row = self._atlas.rows([feature])[feature]
        own = _texts(self._atlas.examples(feature)[:OWN], joiner)
        living = [other.feature for other in self._atlas.features(order="maximum", descending=True, limit=4 * OTHERS)]
        others = [self._atlas.examples(other)[:1] for other in living if other != feature][:OTHERS]
        texts = [*own, *(text for some in others for text in _texts(some, joiner))]
        if row.maximum <= 0 or len(texts) < 2:
            raise ArtifactError(
                expected="a feature that fires on text", got="one that is silent", do="look at another feature"
            )
        with self._subject.at_work() as opened:
            told = influence(
                opened.model,
                opened.dictionary,
                feature,
                texts,
                maximum=row.maximum,
                beginning=_beginning(texts[0]),
            )
        found = told.as_json() | {"atlas": self._identity, "provenance": artifact.provenance()}
        artifact.write_json(self._path(feature), found)
        return artifact.read_json(self._path(feature))

    def _path(self, feature: int) -> Path:
        return self._keeping / KEPT / f"{feature}.json"

    @cached_property
    def _identity(self) -> str:
        return artifact.file_checksum(self._atlas.folder / artifact.MANIFEST)


def _beginning(text: str) -> str:
    """The first words, none of them cut."""
    if len(text) <= BEGINNING:
        return text
    return text[:BEGINNING].rpartition(" ")[0].rstrip() or text[:BEGINNING]


def _texts(examples: list[Example], joiner: Joiner) -> list[str]:
    texts = ("".join(joiner.joined(example.tokens)).strip()[:LONGEST] for example in examples)
    return [text.encode("utf-8", "replace").decode() for text in texts if text]
