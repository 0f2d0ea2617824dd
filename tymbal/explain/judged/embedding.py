"""Embedding: is a text in which the feature is active nearer to the explanation than one in which it is silent?

No judge is asked: the explanation and the texts are placed by a sentence encoder (all-MiniLM-L6-v2 where it is
installed), and their cosine is the rating. It sees what a text is about, and hardly single tokens.
Source: Paulo et al. 2024 (arXiv 2410.13928), section 4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.explain.chat import Usage
from tymbal.explain.judged.detection import items
from tymbal.explain.judged.measures import Rated, contrasts
from tymbal.explain.judged.scorer import Case, ScoreConfig, Scorer, Verdict
from tymbal.models import LanguageModel

BATCH = 64
_MEASURES = ("auroc", "hard_auroc")


@dataclass(frozen=True)
class Encoder:
    """What places texts, and which one it is."""

    place: Callable[[Sequence[str]], Float[Tensor, "text width"]]
    """vectors of length 1"""
    identity: Mapping[str, Any]

    @classmethod
    def of(cls, model: LanguageModel) -> "Encoder":
        """A sentence encoder such as all-MiniLM-L6-v2."""

        @torch.no_grad()
        def place(texts: Sequence[str]) -> Float[Tensor, "text width"]:
            parts = [texts[begin : begin + BATCH] for begin in range(0, len(texts), BATCH)]
            return torch.cat([model.pooled(model.tokenize(part)).float().cpu() for part in parts])

        return cls(place, model.identity)


@final
class Embedding(Scorer):
    """Is the text near the explanation?"""

    name: ClassVar[str] = "embedding"
    measures: ClassVar = dict.fromkeys(_MEASURES, 0.5)

    def __init__(self, encoder: Encoder, config: ScoreConfig = ScoreConfig()) -> None:  # noqa: B008  (frozen)
        self.encoder, self.config = encoder, config
        self.usage = Usage()

    def identity(self) -> dict[str, Any]:
        """The encoder, with its checksums, and what it is shown."""
        return {"encoder": dict(self.encoder.identity), "config": asdict(self.config)}

    def score(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        """The texts that detection shows."""
        config = self.config
        for case in cases:
            shown = items(case, config)
            placed = self.encoder.place([case.words, *(item.text for item in shown)])
            cosines = (placed[1:] @ placed[0]).tolist()
            pairs = zip(shown, cosines, strict=True)
            rated = [Rated(cosine, item.active, item.hard, item.window.passage) for item, cosine in pairs]
            values = contrasts(rated, 0.0, draws=config.draws, seed=config.seed)
            yield Verdict(case.feature, {name: values[name] for name in _MEASURES})
