"""The tokens of the passages of one use, and what can be said of each: columns of values, made when first asked for.

A column is an inverted index: for each value, such as a token's text, the rows that have it. All that an explanation
can speak of is a value of some column, so that the same code finds explanations on one text and tries them on another.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Int, Int32, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.atlas import CodeStore
from tymbal.atlas.build import Annotations
from tymbal.atlas.concepts import annotated_rows
from tymbal.atlas.labels import has_pieces
from tymbal.corpora import Role
from tymbal.explain.reading import chosen_rows
from tymbal.explain.words import Words, segmented

Made = TypeVar("Made")


@dataclass(frozen=True)
class Column:
    """Rows by value; a row may have several values, or none."""

    values: list[str]
    starts: Int64[ndarray, " value_and_end"]
    rows: Int32[ndarray, " pair"]
    """rising within a value"""

    @classmethod
    def of_pairs(cls, rows: Int[ndarray, " pair"], numbers: Int[ndarray, " pair"], values: Sequence[str]) -> "Column":
        """A column of pairs of a row and the number of its value, in any order, each pair once."""
        order = np.lexsort((rows, numbers))
        starts = np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=len(values)))])
        return cls(list(values), starts.astype(np.int64), rows[order].astype(np.int32))

    @classmethod
    def of_rows(cls, by_value: dict[str, Int[ndarray, " row"]]) -> "Column":
        """A column of rows already sorted, value by value."""
        parts = list(by_value.values())
        starts = np.concatenate([[0], np.cumsum([len(rows) for rows in parts])])
        return cls(list(by_value), starts.astype(np.int64), np.concatenate([np.zeros(0), *parts]).astype(np.int32))

    @classmethod
    def of_texts(cls, texts: Iterable[str | None]) -> "Column":
        """A column of one text a row; None and the empty text are no value."""
        numbers: dict[str, int] = {}
        number = np.fromiter((numbers.setdefault(text, len(numbers)) if text else -1 for text in texts), np.int64)
        rows = np.flatnonzero(number >= 0)
        return cls.of_pairs(rows, number[rows], list(numbers))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {value: number for number, value in enumerate(self.values)}

    def rows_of(self, value: str) -> Int32[ndarray, " row"]:
        """The rows that have a value; none where the text does not know it."""
        number = self._numbers.get(value)
        if number is None:
            return self.rows[:0]
        return self.rows[self.starts[number] : self.starts[number + 1]]


@dataclass(frozen=True, kw_only=True)
class Text:
    """Tokens in passage order, without special ones."""

    vocabulary: list[str]
    """the different texts that tokens have; a token that begins a word has a space before it"""
    token: Int32[ndarray, " row"]
    """index into `vocabulary`"""
    passage: Int32[ndarray, " row"]
    """counted from 0; rows of one passage are adjacent"""
    passage_ids: Int64[ndarray, " passage"]
    """in the corpus"""
    position: Int32[ndarray, " row"]
    """in the passage, special tokens counted"""
    concepts: list[str] = field(default_factory=list)
    concept_pairs: tuple[Int[ndarray, " pair"], Int[ndarray, " pair"]] | None = None
    """rows, and the index of the concept that each carries; None where the text is not annotated"""
    _made: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        codes: CodeStore,
        role: Role,
        spell: Callable[[Sequence[int]], list[str]],
        annotations: Annotations | None,
        tokens: int,
    ) -> "Text":
        """The passages of this role in a store of codes, at most about `tokens` tokens of them."""
        ids, position, passage_ids, passage, pairs = [], [], [], [], []
        before = passages = 0
        for shard, rows in zip(codes.shards(), chosen_rows(codes, role, tokens), strict=True):
            own, local = np.unique(shard.row_passages()[rows], return_inverse=True)
            ids.append(shard.tokens[rows])
            position.append(shard.positions[rows])
            passage_ids.append(shard.passage_ids[own])
            passage.append(local.astype(np.int32) + passages)
            if annotations is not None:
                there = annotated_rows(shard, annotations.annotate, len(annotations.names))[rows].tocoo()
                pairs.append((there.row.astype(np.int64) + before, there.col.astype(np.int64)))
            before, passages = before + len(rows), passages + len(own)
        token, vocabulary = _spelled(np.concatenate(ids), spell)
        return cls(
            vocabulary=vocabulary,
            token=token,
            passage=np.concatenate(passage),
            passage_ids=np.concatenate(passage_ids),
            position=np.concatenate(position),
            concepts=list(annotations.names) if annotations else [],
            concept_pairs=(np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs]))
            if annotations
            else None,
        )

    def __len__(self) -> int:
        return len(self.token)

    @cached_property
    def goes_on(self) -> Bool[ndarray, " row"]:
        """Whether the row before is the token before, in the same passage."""
        same = np.diff(self.passage, prepend=-1) == 0
        return same & (np.diff(self.position, prepend=-2) == 1)

    @cached_property
    def words(self) -> Words:
        """Which tokens make up which words."""
        return segmented(self.vocabulary, self.token, self.goes_on)

    @cached_property
    def rank(self) -> Int64[ndarray, " row"]:
        """How many rows of its passage stand before each row."""
        first = np.flatnonzero(np.diff(self.passage, prepend=-1))
        return np.arange(len(self)) - np.repeat(first, np.diff(np.append(first, len(self))))

    def made(self, name: str, make: Callable[["Text"], Made]) -> Made:
        """What `make` makes of this text, such as a column; made once."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]

    def concept_matrix(self) -> sparse.csc_array:
        """Which row carries which concept."""
        rows, concepts = self.concept_pairs or (np.zeros(0, dtype=np.int64),) * 2
        ones = np.ones(len(rows), dtype=np.int8)
        return sparse.csc_array((ones, (rows, concepts)), shape=(len(self), len(self.concepts)))


def _spelled(ids: ndarray, spell: Callable[[Sequence[int]], list[str]]) -> tuple[ndarray, list[str]]:
    """Each row's number among the different texts; tokens that read alike are one."""
    known, inverse = np.unique(ids, return_inverse=True)
    texts = spell(known.tolist())
    if has_pieces(texts):
        texts = [text[2:] if text.startswith("##") else f" {text}" for text in texts]
    numbers: dict[str, int] = {}
    number = np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int32)
    return number[inverse], list(numbers)
