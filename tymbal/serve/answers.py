"""What the API answers with, as its OpenAPI description has it."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tymbal.serve.notes import LONGEST, Kind


class Wrong(BaseModel):
    """Why something cannot be answered."""

    detail: str


class FeatureLine(BaseModel):
    """One line of the list of features."""

    feature: int
    label: str
    density: float
    maximum: float
    mean: float
    dead: bool
    concept: str | None
    concept_f1: float | None


class FeatureList(BaseModel):
    """Some of the features found."""

    found: int
    features: list[FeatureLine]


class TokenFeatures(BaseModel):
    """One token of a prompt, and the features on it, strongest first."""

    token: int
    text: str
    special: bool
    features: list[tuple[int, float]]


class Prompt(BaseModel):
    """A text as the model and the dictionary read it."""

    site: str
    cut: int
    tokens: list[TokenFeatures]


class Share(BaseModel):
    """One feature's share of a logit."""

    position: int
    feature: int
    value: float
    share: float
    removed: float | None


class AttributionAnswer(BaseModel):
    """A logit shared out among features and error; the sum stands beside the true difference."""

    position: int
    target: int
    method: Literal["integrated", "gradient"]
    logit: float
    start: float
    features: list[Share]
    errors: list[float]
    total: float
    difference: float
    left_over: float


class SearchHit(BaseModel):
    """A feature in which a text was found."""

    feature: int
    where: str
    label: str


class SearchAnswer(BaseModel):
    """Features in which a text was found, best first."""

    found: int
    hits: list[SearchHit]


class ContrastLine(BaseModel):
    """A feature on two sets of prompts."""

    feature: int
    auc: float
    toward: float
    away: float


class ContrastAnswer(BaseModel):
    """Features that tell two sets of prompts apart, and what the best of all reaches by chance."""

    toward: int
    away: int
    chance: float
    features: list[ContrastLine]


class NewNote(BaseModel):
    """Something to be written down."""

    feature: int = Field(ge=0, lt=2**31)
    kind: Kind
    value: str = Field(default="", max_length=LONGEST)


class WrittenNote(BaseModel):
    """Something that was written down."""

    id: int
    time: str
    feature: int
    kind: str
    value: str


class CompletenessLine(BaseModel):
    """Concepts of like frequency, and how many of them have a feature."""

    least: int
    most: int
    concepts: int
    with_feature: int
    random: int
    shifted: int
    low: float
    high: float


class SafetyStep(BaseModel):
    """One step of evidence; `holds` is null where it was not asked."""

    name: str
    holds: bool | None
    why: str
    finding: dict[str, Any] | None
    p_value: float | None
    sample: dict[str, int]
    details: dict[str, Any]


class SafetyLadder(BaseModel):
    """How far the evidence for one concept goes."""

    concept: str
    sentence: str
    feature: int
    label: str
    level: int
    stands: str
    steps: list[SafetyStep]
    shown: dict[str, list[str]]


class SafetyBoard(BaseModel):
    """All ladders of a study."""

    ladders: list[SafetyLadder]
