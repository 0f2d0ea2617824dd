"""Two dictionaries compared: which features of each have a partner in the other, told by their activations.

Both studies are of the same text, cut alike, as `tymbal analyse universality` asks. With `tymbal serve A --compare B`
both directions are measured once and kept beside the notes; without, a finished analysis of A against another study is
shown, as far as it goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tymbal import artifact
from tymbal.analyses import Analysis, Subject, universality
from tymbal.errors import ArtifactError

PARTNER = 0.5
"""correlation on the passages that score, from which on a counterpart is called a partner"""
UNIVERSALITY = "universality"
KEPT = "compare"


@dataclass(frozen=True)
class Partner:
    """A feature's counterpart in the other dictionary."""

    feature: int
    other: int
    correlation: float

    @property
    def close(self) -> bool:
        """Whether it is a partner."""
        return self.correlation >= PARTNER


@dataclass(frozen=True)
class Comparison:
    """The analyses of both directions; the second is missing where only one was made."""

    here: Mapping[str, Any]
    there: Mapping[str, Any] | None

    @cached_property
    def partners(self) -> dict[int, Partner]:
        """The counterpart of each judged feature of this study."""
        return _partners(self.here)

    @cached_property
    def backward(self) -> dict[int, Partner]:
        """The same of the other study's features; empty where that was not measured."""
        return _partners(self.there) if self.there else {}


def _partners(analysis: Mapping[str, Any]) -> dict[int, Partner]:
    return {int(row[0]): Partner(int(row[0]), int(row[2]), float(row[4])) for row in analysis["rows"]}


def compared(study: Path, other: Path, keeping: Path) -> Comparison:
    """Both directions, measured now or read from where they were kept.

    Raises `TymbalError` for studies of other text.
    """
    identity = {"here": _identity(study), "there": _identity(other)}
    folder = keeping / KEPT / artifact.text_checksum(str(identity))[:16]
    if not (folder / "analysis.json").exists():
        subjects = Subject(study), Subject(other)
        found = {
            side: _between(*pair).as_json()
            for side, pair in (("here", subjects), ("there", (subjects[1], subjects[0])))
        }
        artifact.write_json(folder / "analysis.json", found | {"identity": identity})
    read = artifact.read_json(folder / "analysis.json", repair="remove it")
    return Comparison(read["here"], read["there"])


def _between(one: Subject, other: Subject) -> Analysis:
    return universality(one.coded, other.coded, one.name, other.name)


def _identity(study: Path) -> str:
    """What a study's codes depend on."""
    atlas = study / "atlas" / artifact.MANIFEST
    if not atlas.exists():
        raise ArtifactError(expected=f"a finished study in {study}", got="none", do="resume it, or name another")
    return artifact.file_checksum(atlas)


def from_analysis(analyses: Mapping[str, Mapping[str, Any]]) -> tuple[Comparison, Path | None] | None:
    """What a finished analysis says, and the other study where it still lies; None where there is no analysis."""
    found = analyses.get(UNIVERSALITY)
    if found is None:
        return None
    about = found.get("about", {})
    place = about.get("other", {}).get("study") if isinstance(about, Mapping) else None
    other = Path(place) if isinstance(place, str) and (Path(place) / "atlas").is_dir() else None
    return Comparison(found, None), other
