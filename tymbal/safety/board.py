"""The safety board: for each concept an evidence ladder, every step of it computed.

1. A concept's texts are read (`contrast`), and split: one half chooses the feature, the other judges it.
2. found -> specific -> causal -> beats a probe (`steps`, `cause`). A concept stands on the highest step of those that
   hold from the bottom on; without the first it is not found, and nothing more is asked.
3. The board is an artifact in the study: `board.json` with all numbers, `concepts.jsonl` with the texts they rest on.

Source of the ladder's order: Templeton et al. 2024, "Scaling monosemanticity", on safety-relevant features, whose
examples it turns into tests; Wu et al. 2025, "AxBench", for supervised rivals of features.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tymbal import artifact
from tymbal.activations import Progress
from tymbal.analyses import Subject
from tymbal.analyses.coded import Coded
from tymbal.safety.cause import Cause
from tymbal.safety.concepts import ContrastConcept
from tymbal.safety.contrast import Contrast, read_contrast
from tymbal.safety.steps import CAUSAL, PROBED, SPECIFIC, STEPS, Step, against_probe, find, specificity

KIND = "safety board"
BOARD_FOLDER = "safety"
"""where a study's board lies, below the study"""
BOARD, CONCEPTS = "board.json", "concepts.jsonl"
SHOWN = 4
"""texts of each side that a board shows"""
NOT_FOUND = "the concept was not found"


@dataclass(frozen=True, kw_only=True)
class BoardConfig:
    """How much is asked of each concept."""

    shuffles: int = 200
    """choices of a feature by shuffled labels"""
    randoms: int = 10
    """random directions, and as many other features, that are clamped as controls"""
    texts: int = 24
    """texts of each side whose likelihood is measured under clamping"""
    passages: int = 500
    """held-out passages of the study's own corpus on which a feature should be silent"""
    seed: int = 0
    """of splits, shuffles, draws and random directions"""

    def __post_init__(self) -> None:
        if self.shuffles < 20 or self.randoms < 10 or self.texts < 4 or self.passages < 1:
            raise ValueError("expected at least 20 shuffles, 10 randoms, 4 texts and 1 passage")


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """What is known of one concept."""

    concept: str
    sentence: str
    feature: int
    label: str
    steps: tuple[Step, ...]
    shown: dict[str, list[str]]
    """a few texts with the concept, and a few without"""

    @property
    def level(self) -> int:
        """How many steps hold, from the bottom on; 0 for a concept that was not found."""
        return next((place for place, step in enumerate(self.steps) if not step.holds), len(self.steps))

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        named = {"level": self.level, "stands": STEPS[self.level - 1] if self.level else "not found"}
        return {**asdict(self), "steps": [step.as_json() for step in self.steps], **named}


def safety_board(
    subject: Subject,
    concepts: Sequence[ContrastConcept],
    config: BoardConfig = BoardConfig(),
    progress: Progress | None = None,
) -> list[Ladder]:
    """Climb the ladder for each concept.

    Raises `ProbeError` for texts that cannot be split, `ModelError` for a model that cannot be read.
    """
    site = subject.study.question["config"]["site"]
    contrasts = [read_contrast(subject.model, subject.dictionary, site, one, config.seed) for one in concepts]
    corpus = _passage_peaks(subject.coded, config.passages)
    cause = Cause(subject.model, subject.dictionary, subject.atlas, randoms=config.randoms, seed=config.seed)
    ladders = []
    for place, contrast in enumerate(contrasts):
        others = [other.peaks for number, other in enumerate(contrasts) if number != place]
        elsewhere = _elsewhere(contrast, others, corpus)
        ladders.append(_ladder(subject, contrast, elsewhere, cause, config))
        if progress:
            progress(place + 1, len(contrasts), "concepts")
    return ladders


def _ladder(
    subject: Subject, contrast: Contrast, elsewhere: dict[str, Tensor], cause: Cause, config: BoardConfig
) -> Ladder:
    found = find(contrast, shuffles=config.shuffles, seed=config.seed)
    if found.step.holds:
        later = [
            specificity(contrast, found, elsewhere, config.seed),
            cause.step(contrast, found.feature, texts=config.texts),
            against_probe(contrast, found, config.seed),
        ]
    else:
        later = [Step(name=name, holds=None, why=NOT_FOUND) for name in (SPECIFIC, CAUSAL, PROBED)]
    concept = contrast.concept
    return Ladder(
        concept=concept.name,
        sentence=concept.sentence,
        feature=found.feature,
        label=subject.name(found.feature),
        steps=(replace(found.step, details={"threshold": found.threshold}), *later),
        shown={
            side: [one.text for one in examples[:SHOWN]]
            for side, examples in (("with", concept.having), ("without", concept.lacking))
        },
    )


def _elsewhere(
    contrast: Contrast, others: list[Tensor], corpus: Float[Tensor, "passage feature"]
) -> dict[str, Float[Tensor, "text feature"]]:
    """Where a feature of the concept should be silent, by where the texts are from."""
    judging = contrast.split.held_out
    without = contrast.peaks[judging][contrast.target.ids[judging] == 0]
    found = {"without it": without, "the study's own text": corpus}
    return found | ({"texts of the other concepts": torch.cat(others)} if others else {})


def _passage_peaks(coded: Coded, passages: int) -> Float[Tensor, "passage feature"]:
    """Each feature's strongest activation in each of the first held-out passages."""
    every, first = np.unique(coded.passage, return_index=True)
    ids = np.sort(every[np.argsort(first)][:passages])
    kept = coded.where(np.isin(coded.passage, ids))
    entries = kept.entries()
    number = torch.from_numpy(np.searchsorted(ids, kept.passage))
    peaks = torch.zeros(len(ids) * coded.features)
    cell = number[entries.token.long()] * coded.features + entries.feature.long()
    return peaks.scatter_reduce_(0, cell, entries.value.float(), reduce="amax").view(len(ids), coded.features)


def save_board(
    ladders: Sequence[Ladder],
    concepts: Sequence[ContrastConcept],
    folder: Path,
    *,
    config: BoardConfig,
    about: dict[str, Any],
) -> None:
    """Write the board and the texts it rests on; `about` says which study it is of."""
    told = {"ladders": [ladder.as_json() for ladder in ladders], "about": about, "provenance": artifact.provenance()}
    artifact.write_json(folder / BOARD, told)
    lines = [json.dumps(concept.as_json(), ensure_ascii=False) + "\n" for concept in concepts]
    artifact.write_text(folder / CONCEPTS, "".join(lines))
    artifact.seal(folder, KIND, asdict(config), [BOARD, CONCEPTS])


def open_board(folder: Path) -> dict[str, Any]:
    """What a board says; raises `ArtifactError` where the folder holds none."""
    artifact.require_kind(folder, KIND)
    return artifact.read_json(folder / BOARD)
