"""Options that several commands share: the texts with labels that show a concept, or a concept of the world."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, arg

from tymbal.probes.labelled import LabelConfig

if TYPE_CHECKING:
    from tymbal.probes import LabelledTexts

OF_THE_WORLD = 4000


@dataclass(frozen=True, kw_only=True)
class ConceptOptions:
    """Where labels come from."""

    labels: Annotated[Path | None, arg(metavar="FILE")] = None
    """a CSV or JSONL file with texts, optional spans and labels"""
    concept: str | None = None
    """a concept of the world: tone, language, town.position, person.gender, statement.true, ..."""
    examples: int | None = None
    """take only so many examples, drawn by the seed; None: all of a file, about 4,000 of the world"""
    columns: Annotated[LabelConfig, OmitArgPrefixes] = field(default_factory=LabelConfig)
    """how the labels lie in the file"""

    def require_one(self, program: str) -> None:
        """Exit with 2 unless either a file or a concept is given."""
        if (self.labels is None) == (self.concept is None):
            print(f"{program}: give either --labels FILE or --concept NAME", file=sys.stderr)
            raise SystemExit(2)

    def texts(self, seed: int) -> "LabelledTexts":
        """The labelled texts; which ones, the seed says."""
        from tymbal.corpora.world import generate_world
        from tymbal.probes import concept_texts, read_labels

        if self.labels is not None:
            return read_labels(self.labels, self.columns).sampled(self.examples, seed)
        return concept_texts(generate_world(0), self.concept or "", examples=self.examples or OF_THE_WORLD)
