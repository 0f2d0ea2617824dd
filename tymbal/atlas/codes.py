"""Sparse codes of held-out tokens, kept on disk by feature.

A shard holds whole passages. Within it, the active entries are sorted by feature and then by row (compressed sparse
columns), so that a feature's activations are one contiguous slice and the windows around its peaks are found by binary
search. Special tokens (BOS, CLS, SEP) have no rows. Shards are safetensors files, mapped into memory when read; each is
one unit of work, listed with its checksum in `shards.json` as soon as it is on disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int, Int32, Int64
from numpy import ndarray
from scipy import sparse

from tymbal import artifact
from tymbal.errors import ArtifactError

KIND = "codes"
SHARDS = "shards.json"


class Rows(NamedTuple):
    """Tokens in passage order, and the uses of their passages."""

    tokens: Int[ndarray, " row"]
    passages: Int[ndarray, " row"]
    """ids; rows of one passage are adjacent"""
    positions: Int[ndarray, " row"]
    """in the passage, special tokens counted"""
    roles: Int[ndarray, " row"]
    """1 explain, 2 score, 3 show"""


@dataclass(frozen=True)
class CodeShard:
    """Codes of some whole passages, by feature."""

    starts: Int64[ndarray, " feature_and_end"]
    """where each feature's entries begin; one more at the end"""
    rows: Int32[ndarray, " entry"]
    """rising within a feature"""
    values: Float32[ndarray, " entry"]
    tokens: Int32[ndarray, " row"]
    positions: Int32[ndarray, " row"]
    passage_ids: Int64[ndarray, " passage"]
    passage_starts: Int32[ndarray, " passage_and_end"]
    passage_roles: Int32[ndarray, " passage"]

    @classmethod
    def from_rows(
        cls, indices: Int[ndarray, "row slot"], values: Float32[ndarray, "row slot"], rows: Rows, features: int
    ) -> "CodeShard":
        """Transpose codes row by row (value 0 is an empty slot) into entries by feature; linear in the entries."""
        active = values > 0
        ends = np.concatenate([[0], np.cumsum(active.sum(axis=1))])
        shape = (len(values), features)
        columns = sparse.csr_array((values[active], indices[active], ends), shape=shape).tocsc()
        first = np.flatnonzero(np.diff(rows.passages, prepend=-1))
        return cls(
            starts=columns.indptr.astype(np.int64),
            rows=columns.indices.astype(np.int32),
            values=columns.data.astype(np.float32),
            tokens=rows.tokens.astype(np.int32),
            positions=rows.positions.astype(np.int32),
            passage_ids=rows.passages[first].astype(np.int64),
            passage_starts=np.append(first, len(values)).astype(np.int32),
            passage_roles=rows.roles[first].astype(np.int32),
        )

    @property
    def features(self) -> int:
        """Features of the dictionary, active or not."""
        return len(self.starts) - 1

    def entry_features(self) -> Int32[ndarray, " entry"]:
        """The feature of each entry."""
        return np.repeat(np.arange(self.features, dtype=np.int32), np.diff(self.starts))

    def row_passages(self) -> Int32[ndarray, " row"]:
        """For each row, its passage's index in this shard (not its id)."""
        return np.repeat(np.arange(len(self.passage_ids), dtype=np.int32), np.diff(self.passage_starts))


class CodeStore:
    """The shards of codes in a folder; memory is taken only for what is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listing = artifact.read_json(folder / SHARDS)
        self.identity: dict[str, Any] = listing["identity"]
        self._names: list[str] = sorted(listing["shards"])

    @classmethod
    def begin(cls, folder: Path, identity: dict[str, Any]) -> "CodeStore":
        """Begin a store, or take up one that was begun for the same `identity`; damaged shards are forgotten.

        Raises `ArtifactError` when the folder holds codes of something else.
        """
        path = folder / SHARDS
        listing: dict[str, Any] = {"identity": identity, "shards": {}}
        if path.exists():
            found = artifact.read_json(path)
            if found["identity"] != identity:
                raise ArtifactError(
                    expected=f"codes of this dictionary on this text in {folder}",
                    got="codes of another model, dictionary, text or configuration",
                    do="choose another folder",
                )
            whole = {name: sha for name, sha in found["shards"].items() if _checksum(folder / name) == sha}
            listing["shards"] = whole
        artifact.write_json(path, listing)
        return cls(folder)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, number: int) -> bool:
        return _name(number) in self._names

    def write(self, number: int, shard: CodeShard) -> None:
        """Put a shard on disk and list it."""
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in vars(shard).items()}
        checksum = artifact.write_tensors(self.folder / _name(number), tensors)
        listing = artifact.read_json(self.folder / SHARDS)
        listing["shards"][_name(number)] = checksum
        artifact.write_json(self.folder / SHARDS, listing)
        self._names = sorted(listing["shards"])

    def shard(self, number: int) -> CodeShard:
        """One shard, mapped into memory."""
        tensors = artifact.read_tensors(self.folder / self._names[number])
        return CodeShard(**{name: tensor.numpy() for name, tensor in tensors.items()})

    def shards(self) -> Iterator[CodeShard]:
        """All shards, in passage order."""
        return (self.shard(number) for number in range(len(self)))

    def files(self) -> list[str]:
        """Names of the store's files, relative to its folder."""
        return [SHARDS, *self._names]


def _name(number: int) -> str:
    return f"codes-{number:05d}.safetensors"


def _checksum(path: Path) -> str | None:
    return artifact.file_checksum(path) if path.exists() else None
