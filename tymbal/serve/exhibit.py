"""What a folder has to show: its atlas, and the study around it where there is one."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tymbal import artifact
from tymbal.atlas import Atlas, Example, FeatureFilter, FeaturePage, FeatureRow, MapPoint, open_atlas
from tymbal.errors import ArtifactError
from tymbal.serve import palette
from tymbal.serve.explained import Explained, explanations
from tymbal.serve.text import Joiner

ATLAS = "atlas"
EVALUATION = "evaluation.json"
STUDY = "study.json"
ROLE = "show"
"""the role of the passages that pages show"""
_FEATURES_SAMPLED = 24
LEAST_F1 = 0.2
"""a feature is not said to tell a concept below this F1: the best of many concepts is always some concept"""


class OnShow(NamedTuple):
    """What the page of a feature shows."""

    page: FeaturePage
    examples: list[Example]
    """from passages set aside for showing"""


@dataclass
class Exhibit:
    """An open atlas with what is known about where it comes from.

    Read only; threads may share it, but for one that reads ahead.
    """

    atlas: Atlas
    evaluation: dict[str, Any] = field(default_factory=dict)
    """the dictionary's health (`evaluation.json`), empty for a bare atlas"""
    study: dict[str, Any] = field(default_factory=dict)
    """what the study asked (`study.json`), empty for a bare atlas"""
    explained: dict[int, Explained] = field(default_factory=dict)
    """features in words, empty where none was explained"""
    read_ahead: int = 1
    """features read from the atlas at once, by one who draws them all in order"""
    _read: dict[int, OnShow] = field(default_factory=dict)

    @cached_property
    def joiner(self) -> Joiner:
        """How this model's tokens become running text, told from a sample of examples."""
        alive = self.atlas.features(FeatureFilter(dead=False), limit=_FEATURES_SAMPLED)
        examples = (example for row in alive for example in self.atlas.examples(row.feature))
        return Joiner.told_from(token for example in examples for token in example.tokens)

    def shown(self, feature: int) -> OnShow:
        """What the page of a feature shows; raises `ValueError` when there is no such feature."""
        if self.read_ahead > 1 and feature in self._read:
            return self._read[feature]
        end = max(feature + 1, min(feature + self.read_ahead, len(self.atlas)))
        pages, examples = self.atlas.feature_pages(feature, end), self.atlas.examples_of(feature, end, ROLE)
        read = {page.feature: OnShow(page, some) for page, some in zip(pages, examples, strict=True)}
        if self.read_ahead > 1:
            self._read = read
        return read[feature]

    @cached_property
    def points(self) -> list[MapPoint]:
        """The places of all living features."""
        return self.atlas.map()

    @cached_property
    def centres(self) -> dict[int, tuple[float, float]]:
        """The middle of each cluster on the map, largest cluster first."""
        return palette.centres(self.points)

    @cached_property
    def colours(self) -> dict[int, int]:
        """The colour of each cluster, 0 to 9."""
        return palette.coloured(self.centres)

    @cached_property
    def concepts(self) -> list[str]:
        """The annotated concepts that are some feature's best; empty where the corpus is not annotated."""
        return self.atlas.concepts()

    @property
    def model(self) -> str:
        """The model's name or path."""
        model = self.atlas.overview().get("model", "")
        return str(model.get("name", "")) if isinstance(model, dict) else str(model)

    @property
    def title(self) -> str:
        """Model and site, in a few words."""
        names = (short_name(self.model), str(self.atlas.overview().get("site", "")))
        return " · ".join(name for name in names if name) or self.atlas.folder.name


def told(row: FeatureRow) -> str:
    """The annotated concept that a feature tells; empty where it tells none."""
    return row.concept if row.concept and (row.concept_f1 or 0) >= LEAST_F1 else ""


def short_name(model: str) -> str:
    """A model's name without the folders around it; a hub id `owner/name` is kept whole."""
    parts = [part for part in model.replace("\\", "/").split("/") if part]
    if len(parts) <= 2 and not model.startswith(("/", ".")):
        return model
    if parts[-1] == "model" and len(parts) > 1:
        return parts[-2]
    return parts[-1] if parts else model


def open_exhibit(folder: Path | str) -> Exhibit:
    """Open a study folder or a bare atlas folder; raises `ArtifactError` where no finished atlas is."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ArtifactError(
            expected="the folder of a study or an atlas", got=f"{folder}, which is none", do="check its name"
        )
    if not (folder / ATLAS).is_dir():
        if not artifact.is_sealed(folder):
            raise ArtifactError(
                expected=f"a finished atlas in {folder}", got="none", do="run or resume the study up to its stage index"
            )
        return Exhibit(open_atlas(folder))
    atlas, explained = open_atlas(folder / ATLAS), explanations(folder)
    atlas.explain((feature, one.text, one.scores.get("auroc")) for feature, one in explained.items())
    return Exhibit(atlas, _optional(folder / EVALUATION), _optional(folder / STUDY), explained)


def _optional(file: Path) -> dict[str, Any]:
    value = artifact.read_json(file) if file.exists() else {}
    return value if isinstance(value, dict) else {}
