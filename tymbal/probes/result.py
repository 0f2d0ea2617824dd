"""What a probe found at one site, beside the controls that say what the number is worth.

None of the fields has a default: a result without its controls cannot be made.
"""

from dataclasses import asdict, dataclass
from typing import Any

from tymbal.dictionaries import Finding, Number
from tymbal.probes.description import DescriptionLength


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How many rows and groups were fitted to and judged by."""

    train_rows: int
    held_out_rows: int
    train_groups: int
    held_out_groups: int
    left_out: int
    """Examples whose span held no token."""


@dataclass(frozen=True, kw_only=True)
class TransferMatrix:
    """The score of a probe fitted to one data set's training rows on each data set's held-out rows."""

    names: tuple[str, ...]
    scores: tuple[tuple[Number, ...], ...]
    """[fitted to][judged by]; not a number where a side lacks a class."""


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What the score must be held against, each measured on the same held-out rows and draws."""

    chance: float
    """Of a reader that knows nothing of the rows."""
    control_task: Number
    """The same reader on labels drawn for tokens at random (Hewitt & Liang 2019)."""
    selectivity: Number
    """Score less that of the control task."""
    untrained: Number
    """The same reader at the same site of an untrained copy of the model."""
    bag_of_tokens: Number
    """The same reader on the counts of the tokens that the activation could see."""
    position: Number
    """The same reader on the row's position and the text's length."""
    description: DescriptionLength
    """Bits a label on the training rows (Voita & Titov 2020)."""
    control_description: DescriptionLength
    """The same for the control task."""
    p_value: float
    """Share of permutations of the held-out labels that score at least as well."""
    permutations: int
    transfer: TransferMatrix


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """One reader at one site."""

    site: str
    reader: str
    pooling: str
    score: Finding
    """On groups that were held out; the interval draws groups."""
    validated: float
    """The score across three folds of the training rows, by which one site is chosen among several."""
    controls: Controls
    sample: Sample

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return asdict(self)
