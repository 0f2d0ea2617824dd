"""What a folder has to show: its atlas, and the study around it where there is one.

What the app itself keeps (notes, the search index) lies in `serve/` of a study, beside the folder of a bare atlas, and
so outside all that has a checksum.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tymbal import artifact
from tymbal.atlas import Atlas, Example, FeatureFilter, FeaturePage, FeatureRow, MapPoint, open_atlas
from tymbal.errors import ArtifactError
from tymbal.safety import BOARD_FOLDER, open_board
from tymbal.serve import palette
from tymbal.serve.analysed import analyses, passages
from tymbal.serve.comparison import Comparison, compared, from_analysis
from tymbal.serve.explained import Explained, explanations
from tymbal.serve.influencing import Influencing
from tymbal.serve.judge import Judge
from tymbal.serve.judged import Judged, judged_scores
from tymbal.serve.notes import Notes
from tymbal.serve.prompting import Prompting
from tymbal.serve.subject import Subject
from tymbal.serve.text import Joiner, told_concept
from tymbal.serve.text_search import TextSearch

ATLAS = "atlas"
EVALUATION = "evaluation.json"
STUDY = "study.json"
KEEPING = "serve"
ROLE = "show"
"""the role of the passages that pages show"""
_FEATURES_SAMPLED = 24


class OnShow(NamedTuple):
    """What the page of a feature shows."""

    page: FeaturePage
    examples: list[Example]
    """from passages set aside for showing"""


@dataclass
class Exhibit:
    """An open atlas with what is known about where it comes from.

    Read only but for the notes; threads may share it, but for one that reads ahead.
    """

    atlas: Atlas
    evaluation: dict[str, Any] = field(default_factory=dict)
    """the dictionary's health (`evaluation.json`), empty for a bare atlas"""
    study: dict[str, Any] = field(default_factory=dict)
    """what the study asked (`study.json`), empty for a bare atlas"""
    explained: dict[int, Explained] = field(default_factory=dict)
    """features in words, empty where none was explained"""
    folder: Path | None = None
    """the study's; None for a bare atlas"""
    compare: Path | None = None
    """a study to compare with"""
    read_ahead: int = 1
    """features read from the atlas at once, by one who draws them all in order"""
    _read: dict[int, OnShow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bare = self.atlas.folder
        self.keeping = bare.with_name(f"{bare.name}-{KEEPING}") if self.folder is None else self.folder / KEEPING
        self.notes = Notes(self.keeping / "notes.sqlite")
        self.search = TextSearch(self.keeping / "search.sqlite", self.atlas, self.explained)
        self.subject = Subject(self.folder or bare, self.study)
        self.prompting = Prompting(self.subject)
        self.influencing = Influencing(self.subject, self.atlas, self.keeping)
        identity = self.study.get("identity")
        self.judge = Judge(identity.get("model") if isinstance(identity, dict) else None)

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

    @cached_property
    def judged(self) -> dict[int, list[Judged]]:
        """What judges said of explanations, by feature; empty where none was asked."""
        return judged_scores(self.folder) if self.folder else {}

    @cached_property
    def analyses(self) -> dict[str, dict[str, Any]]:
        """Finished analyses by name; none for a bare atlas."""
        return analyses(self.folder) if self.folder else {}

    @cached_property
    def passages(self) -> list[dict[str, Any]]:
        """Passages in several languages, by concept; none for a bare atlas."""
        return passages(self.folder) if self.folder else []

    @cached_property
    def comparison(self) -> Comparison | None:
        """How this dictionary stands to another; None where there is none to compare with."""
        if self.folder is not None and self.compare is not None:
            return compared(self.folder, self.compare, self.keeping)
        found = from_analysis(self.analyses)
        return found[0] if found else None

    @cached_property
    def other(self) -> "Exhibit | None":
        """The study compared with, where it can be opened."""
        found = from_analysis(self.analyses) if self.compare is None else None
        place = self.compare or (found[1] if found else None)
        return open_exhibit(place) if place else None

    @cached_property
    def board(self) -> dict[str, Any]:
        """The safety board; empty where none was made."""
        place = (self.folder or self.atlas.folder) / BOARD_FOLDER
        return open_board(place) if artifact.is_sealed(place) else {}

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
    return told_concept(row.concept, row.concept_f1)


def short_name(model: str) -> str:
    """A model's name without the folders around it; a hub id `owner/name` is kept whole."""
    parts = [part for part in model.replace("\\", "/").split("/") if part]
    if len(parts) <= 2 and not model.startswith(("/", ".")):
        return model
    if parts[-1] == "model" and len(parts) > 1:
        return parts[-2]
    return parts[-1] if parts else model


def open_exhibit(folder: Path | str, compare: Path | None = None) -> Exhibit:
    """Open a study folder or a bare atlas folder; raises `ArtifactError` where no finished atlas is.

    `compare` is a study to compare a study with; how they compare is measured when it is first asked for.
    """
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
        if compare is not None:
            raise ArtifactError(
                expected="a study, to be compared with another", got="a bare atlas", do="open the study's folder"
            )
        return Exhibit(open_atlas(folder))
    atlas, explained = open_atlas(folder / ATLAS), explanations(folder)
    atlas.explain(
        (feature, one.text, one.scores.get("auroc"), one.scores.get("correlation"))
        for feature, one in explained.items()
    )
    return Exhibit(atlas, _optional(folder / EVALUATION), _optional(folder / STUDY), explained, folder, compare)


def _optional(file: Path) -> dict[str, Any]:
    value = artifact.read_json(file) if file.exists() else {}
    return value if isinstance(value, dict) else {}
