"""Features of a study, ready to be clamped: the dictionary, the number, and how active the feature gets."""

from pathlib import Path

from tymbal.atlas import FeatureFilter, open_atlas
from tymbal.dictionaries import Dictionary, load_dictionary
from tymbal.edits import FeatureAt
from tymbal.errors import ArtifactError
from tymbal.study.folder import StudyFolder
from tymbal.study.study import open_study


def named_feature(name: str) -> FeatureAt:
    """The feature of `STUDY:NUMBER`; its scale is the largest activation that the atlas saw.

    Raises `ArtifactError` for a name of another form, a folder without a complete study, a feature that the study lacks
    or that never is active.
    """
    folder, _, number = name.rpartition(":")
    if not folder or not number.isdigit():
        raise ArtifactError(expected="a feature as STUDY:NUMBER", got=repr(name), do="write it like studies/world:76")
    study = open_study(Path(folder))
    atlas = open_atlas(study.atlas)
    if int(number) >= len(atlas):
        raise ArtifactError(
            expected=f"a feature from 0 to {len(atlas) - 1} of {folder}", got=number, do="name one that it has"
        )
    row = atlas.feature(int(number))
    if row.dead:
        raise ArtifactError(
            expected=f"a living feature of {folder}", got=f"{number}, never active", do="choose another feature"
        )
    return FeatureAt(_dictionary(study.folder), row.feature, row.maximum)


def features_of(folder: Path, concept: str, *, most: int = 3) -> list[FeatureAt]:
    """The features of a study that tell an annotated concept best (F1 on the atlas's `score` passages), best first.

    The name may be the concept's id alone (`town.7`) where the atlas has more (`town.7 Bomagor`).
    """
    study = open_study(folder)
    atlas = open_atlas(study.atlas)
    rows = atlas.features(FeatureFilter(dead=False), order="concept_f1", descending=True, limit=len(atlas))
    fitting = [row for row in rows if row.concept and row.concept.partition(" ")[0] == concept][:most]
    dictionary = _dictionary(folder) if fitting else None
    return [FeatureAt(dictionary, row.feature, row.maximum) for row in fitting if dictionary is not None]


def _dictionary(folder: Path) -> Dictionary:
    return load_dictionary(StudyFolder(folder).output("train"))
