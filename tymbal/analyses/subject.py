"""A complete study, opened for analysis."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

from tymbal.analyses.across import Annotated
from tymbal.analyses.coded import MOST_TOKENS, Coded, labels_of, read_coded
from tymbal.analyses.geometry import true_places
from tymbal.atlas import Atlas, CodeStore, open_atlas
from tymbal.atlas.build import CODES
from tymbal.corpora import PassageStore
from tymbal.dictionaries import Dictionary, load_dictionary
from tymbal.errors import TymbalError
from tymbal.models import LanguageModel
from tymbal.study.folder import StudyFolder
from tymbal.study.plan import BUNDLED
from tymbal.study.sources import open_subject
from tymbal.study.study import open_study


class Subject:
    """What analyses need of a study; each part is read when it is first asked for.

    Raises `ArtifactError` for a folder that holds no complete study.
    """

    def __init__(self, folder: Path, *, tokens: int = MOST_TOKENS) -> None:
        self.folder, self.tokens = folder, tokens
        self.study = open_study(folder)

    @cached_property
    def atlas(self) -> Atlas:
        """The index of its features."""
        return open_atlas(self.study.atlas)

    @cached_property
    def coded(self) -> Coded:
        """Codes of held-out text."""
        return read_coded(CodeStore(self.study.atlas / CODES), self.tokens)

    @cached_property
    def passages(self) -> PassageStore:
        """Its text."""
        return PassageStore.open(StudyFolder(self.folder).output("cut"))

    @cached_property
    def dictionary(self) -> Dictionary:
        """Its dictionary."""
        return load_dictionary(StudyFolder(self.folder).output("train"))

    @cached_property
    def model(self) -> LanguageModel:
        """Its model, opened anew."""
        question = self.study.question
        return open_subject(question["model"], question["config"]["device"], question["identity"]["model"]["revision"])

    @cached_property
    def _labels(self) -> list[str]:
        return [row.label for row in self.atlas.features(limit=len(self.atlas))]

    def name(self, feature: int) -> str:
        """What the atlas calls a feature."""
        return self._labels[feature]

    def token_name(self, token: int) -> str:
        """The text of a token."""
        return self.model.token_text([token])[0]

    def annotated(self) -> Annotated:
        """Its held-out text with concepts; raises `TymbalError` where the corpus has none."""
        if not self.passages.concepts:
            raise TymbalError(
                expected="a study of annotated text",
                got=f"no annotation in {self.folder}",
                do="study the bundled world, or a corpus whose documents carry spans",
            )
        return Annotated(self.coded, lambda part: labels_of(part, self.passages), self.passages.concepts)

    def promoted(self, count: int = 10) -> Int64[ndarray, "feature token"]:
        """The tokens whose logits each feature raises most; raises `ModelError` for an encoder."""
        decoder = self.dictionary.decoder.detach()
        parts = [self.model.output_directions(block).topk(count, dim=1).indices for block in decoder.split(1024)]
        return np.concatenate([part.cpu().numpy() for part in parts])

    def true_places(self, family: str, names: Sequence[str]) -> Float64[ndarray, "concept axis"] | None:
        """Where a family's concepts truly lie: also towns on the map, if the text is of the bundled world."""
        if family == "town" and self.study.question["corpus"] == [BUNDLED]:
            from tymbal.corpora.world import generate_world

            towns = {town.id: town for town in generate_world(0).facts.towns}
            placed = [towns[int(name.split()[0])] for name in names]
            return np.array([[town.x, town.y] for town in placed], dtype=np.float64)
        return true_places(family, names)

    def about(self) -> dict[str, Any]:
        """What identifies it in the record of an analysis."""
        question = self.study.question
        return {"study": str(self.folder), "model": question["model"], "site": question["config"]["site"]}
