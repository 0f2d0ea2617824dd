"""Passages: what a model reads at once, and the unit of every split.

The tokens of a document (or of one part of a very long one) are cut into consecutive runs that fill a passage; the
last run is as short as it comes out, and is kept. So the passages of a document, without what the tokenizer puts
around them, are its tokens again. A cut may fall inside a word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Int32

from tymbal.corpora.annotations import concept_pairs
from tymbal.corpora.documents import Document
from tymbal.corpora.roles import Role
from tymbal.corpora.tokens import Pieces, TextTokenizer


@dataclass(frozen=True, kw_only=True)
class CutConfig:
    """How documents are cut into passages."""

    length: int
    """Longest passage, in tokens, with those the tokenizer puts around it."""
    tokens: int | None = None
    """Stop with the passage that reaches this many tokens; an error if the corpus has fewer. None takes all."""
    at_most: bool = False
    """With `tokens`: take all of a corpus that has fewer, instead of refusing it."""
    heldout: float = 0.1
    """Fraction of passages held out from training; a third each is for explaining, scoring and showing features."""
    split_by: Literal["passage", "document"] = "passage"
    """Whether roles are drawn for each passage or for each whole document."""
    seed: int = 0
    """Seed of the draw of roles."""
    shard_tokens: int = 1 << 20
    """Tokens in one file of the store; memory grows with it."""

    def __post_init__(self) -> None:
        for name in ("length", "shard_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.tokens is not None and self.tokens < 1:
            raise ValueError(f"tokens must be at least 1, got {self.tokens}")
        if not 0 <= self.heldout <= 1:
            raise ValueError(f"heldout must be a fraction between 0 and 1, got {self.heldout}")
        if self.split_by not in ("passage", "document"):
            raise ValueError(f"split_by must be passage or document, got {self.split_by!r}")


class Passage(NamedTuple):
    """A run of tokens from one document, with those the tokenizer puts around it."""

    id: int
    document: int
    role: Role
    tokens: Int32[np.ndarray, " token"]
    special: Bool[np.ndarray, " token"]
    """Tokens that are not text: BOS, CLS, SEP, and control tokens that the text spelled out."""


class Cut(NamedTuple):
    """One passage before it has an id; `pairs` are (place in the passage, concept's number in its shard)."""

    tokens: Int32[np.ndarray, " token"]
    special: Bool[np.ndarray, " token"]
    pairs: Int32[np.ndarray, "pair 2"]


def cut_piece(
    document: Document, pieces: Pieces, tokenizer: TextTokenizer, length: int, concepts: dict[str, int]
) -> Iterator[Cut]:
    """The passages of one part of a document. `concepts` gains a number for each name it does not have yet."""
    before, after = (np.array(ids, dtype=np.int32) for ids in (tokenizer.before, tokenizer.after))
    body = length - len(before) - len(after)
    control = tokenizer.control(pieces.ids)
    pairs = np.zeros((0, 2), dtype=np.int32)
    if document.spans and pieces.starts is not None and pieces.ends is not None:
        for span in document.spans:
            concepts.setdefault(span.concept, len(concepts))
        pairs = concept_pairs(document.text, document.spans, pieces.starts, pieces.ends, concepts)
    for begin in range(0, len(pieces.ids), body):
        end = min(begin + body, len(pieces.ids))
        low, high = np.searchsorted(pairs[:, 0], [begin, end])
        shift = np.array([len(before) - begin, 0], dtype=np.int32)
        yield Cut(
            np.concatenate([before, pieces.ids[begin:end], after]),
            np.concatenate([np.ones(len(before), bool), control[begin:end], np.ones(len(after), bool)]),
            pairs[low:high] + shift,
        )
