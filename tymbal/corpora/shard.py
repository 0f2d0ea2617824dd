"""One file of a passage store: the passages of a run of documents, as safetensors.

tensors   tokens int32 [token], starts int64 [passage + 1], documents int64 [passage], roles uint8 [passage],
          special uint8 [one bit a token], concept_starts int64 [passage + 1], concept_tokens int32 [pair],
          concept_numbers int32 [pair]
metadata  one entry, JSON: names of the concepts and, for each run of documents with one source, its first document
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int32, Int64, UInt8

from tymbal.artifact import read_tensors, write_tensors
from tymbal.corpora.passages import Cut
from tymbal.corpora.roles import Role

# One entry only: safetensors writes several in no fixed order, and the same input must give the same bytes.
METADATA = "tymbal"


class ShardEntry(NamedTuple):
    """What the store's table says of a shard; ranges are [first, behind last)."""

    file: str
    sha256: str
    parts: tuple[int, int]
    """Parts of documents, counted from the start of the corpus."""
    passages: tuple[int, int]
    documents: int
    """Documents begun up to the end of this shard, counted from the start of the corpus."""
    tokens: tuple[int, ...]
    """Tokens of each role."""
    concepts: tuple[str, ...]
    """Names of the concepts in it, in the order of their numbers there."""


class ShardContent(NamedTuple):
    """The tensors of a shard, mapped into memory."""

    tokens: Int32[np.ndarray, " token"]
    starts: Int64[np.ndarray, " edge"]
    documents: Int64[np.ndarray, " passage"]
    roles: UInt8[np.ndarray, " passage"]
    special: UInt8[np.ndarray, " byte"]
    concept_starts: Int64[np.ndarray, " edge"]
    concept_tokens: Int32[np.ndarray, " pair"]
    concept_numbers: Int32[np.ndarray, " pair"]

    def special_of(self, begin: int, end: int) -> Bool[np.ndarray, " token"]:
        """Which of the tokens `begin` to `end` are special."""
        bits = np.unpackbits(self.special[begin // 8 : (end + 7) // 8])
        return bits[begin % 8 : begin % 8 + end - begin].astype(bool)


class ShardBuilder:
    """Gathers the passages of one shard."""

    def __init__(self) -> None:
        self.concepts: dict[str, int] = {}
        self.tokens = 0
        self._cuts: list[Cut] = []
        self._documents: list[int] = []
        self._sources: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._cuts)

    def add(self, cut: Cut, document: int, source: str) -> None:
        """Append one passage."""
        self._cuts.append(cut)
        self._documents.append(document)
        self.tokens += len(cut.tokens)
        if not self._sources or self._sources[-1][1] != source:
            self._sources.append((document, source))

    def documents(self) -> Int64[np.ndarray, " passage"]:
        """The document of each passage."""
        return np.array(self._documents, dtype=np.int64)

    def write(self, path: Path, roles: UInt8[np.ndarray, " passage"]) -> str:
        """Write the shard; its SHA-256."""
        # Concepts are numbered by name, not by first sight, so that the numbers do not depend on where a shard begins.
        order = {name: number for number, name in enumerate(sorted(self.concepts))}
        renumbered = np.array([order[name] for name in self.concepts], dtype=np.int32)
        lengths = [len(cut.pairs) for cut in self._cuts]
        pairs = np.concatenate([np.zeros((0, 2), np.int32), *(cut.pairs for cut in self._cuts)])
        numbers = renumbered[pairs[:, 1]] if len(pairs) else pairs[:, 1]
        sorting = np.lexsort((numbers, pairs[:, 0], np.repeat(np.arange(len(lengths)), lengths)))
        content = ShardContent(
            tokens=np.concatenate([cut.tokens for cut in self._cuts]),
            starts=_edges([len(cut.tokens) for cut in self._cuts]),
            documents=self.documents(),
            roles=roles,
            special=np.packbits(np.concatenate([cut.special for cut in self._cuts])),
            concept_starts=_edges(lengths),
            concept_tokens=pairs[sorting, 0],
            concept_numbers=numbers[sorting],
        )
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in content._asdict().items()}
        words = {"concepts": sorted(self.concepts), "sources": self._sources}
        return write_tensors(path, tensors, {METADATA: json.dumps(words, ensure_ascii=False)})

    def tokens_by_role(self, roles: UInt8[np.ndarray, " passage"]) -> tuple[int, ...]:
        """Tokens of the passages of each role."""
        lengths = np.array([len(cut.tokens) for cut in self._cuts])
        return tuple(int(lengths[roles == role].sum()) for role in Role)


def _edges(lengths: list[int]) -> Int64[np.ndarray, " edge"]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(lengths, dtype=np.int64))])


def read_shard(path: Path) -> ShardContent:
    """The content of a shard; raises `ArtifactError` when the file is missing or cut short."""
    arrays = {name: tensor.numpy() for name, tensor in read_tensors(path).items()}
    for array in arrays.values():
        array.flags.writeable = False
    return ShardContent(**arrays)


def read_sources(path: Path) -> list[tuple[int, str]]:
    """(first document, source) for each run of documents from one source in a shard."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return [(int(first), str(name)) for first, name in json.loads(file.metadata()[METADATA])["sources"]]
