"""A folder of stored activations, read as a memory-mapped gather of any rows in any order.

Each shard is a safetensors file: one tensor `row width` a site (bfloat16 or float32), and for each row its `token`,
`passage`, `position` (in tokens from the passage's start) and whether it is `special` (BOS, CLS, SEP). The shards are
mapped once, when the store is opened. A gather sorts the asked rows, so that each shard is read once and forward, and
puts them back into the asked order while they become fp32.

Nothing is filtered when it is written. `select` and `keep` say which rows to leave out: special tokens, the first
positions of a passage (attention sinks: Xiao et al. 2024, "Efficient Streaming Language Models with Attention Sinks"),
and rows of outlying norm (Sun et al. 2024, "Massive Activations in Large Language Models").
"""

import json
import mmap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int32, Int64
from torch import Tensor

from tymbal.activations.selection import RowSelection
from tymbal.activations.stream import HarvestConfig
from tymbal.artifact import CONFIG, Damage, read_json, require_kind
from tymbal.errors import ArtifactError, listed

KIND = "activations"
UNITS = "units.json"
_BLOCK = 8192  # rows read at a time when norms are measured
_MEDIAN_SAMPLE = 1 << 16
_FORMATS = {"BF16": np.uint16, "F32": np.float32, "I32": np.int32, "BOOL": np.bool_}


class RowIds(NamedTuple):
    """Where rows come from."""

    tokens: Int32[np.ndarray, " row"]
    passages: Int32[np.ndarray, " row"]
    positions: Int32[np.ndarray, " row"]
    special: Bool[np.ndarray, " row"]


class Shard(NamedTuple):
    """One mapped shard. bfloat16 tensors appear as their 16 bits, which NumPy can carry but not read."""

    tensors: dict[str, np.ndarray]
    metadata: dict[str, Any]


def open_shard(path: Path) -> Shard:
    """Map a shard into memory; raises `ArtifactError` when it is missing or cut short."""
    try:
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        start = 8 + int.from_bytes(mapped[:8], "little")
        header = json.loads(mapped[8:start])
        metadata = json.loads(header.pop("__metadata__")["tymbal"])
        return Shard({name: _view(mapped, start, entry) for name, entry in header.items()}, metadata)
    except FileNotFoundError as error:
        raise ArtifactError(expected=f"a shard {path}", got="none", do="harvest again to make it") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            expected=f"a shard of activations in {path}", got="a damaged file", do="harvest again to mend it"
        ) from error


def _view(mapped: mmap.mmap, start: int, entry: dict[str, Any]) -> np.ndarray:
    first, stop = entry["data_offsets"]
    kind = np.dtype(_FORMATS[entry["dtype"]])
    values = np.frombuffer(mapped, dtype=kind, count=(stop - first) // kind.itemsize, offset=start + first)
    return values.reshape(entry["shape"])


class ActivationStore:
    """Stored activations of some sites over a corpus; made by `harvest`, opened by `ActivationStore.open`."""

    def __init__(self, folder: Path, record: dict[str, Any], shards: list[Shard], mended: tuple[Damage, ...] = ()):
        self.folder = folder
        self.config = HarvestConfig(**{**record["harvest"], "sites": tuple(record["harvest"]["sites"])})
        self.identity = record
        """Provenance: the harvest's config, the model's and the corpus's identity, the roles."""
        self.mended = mended
        """Shards that `harvest` found damaged in this folder and made again."""
        self._shards = shards
        self._starts = np.concatenate([[0], np.cumsum([len(shard.tensors["token"]) for shard in shards])])

    @classmethod
    def open(cls, folder: str | Path, mended: tuple[Damage, ...] = ()) -> "ActivationStore":
        """Open a finished store; raises `ArtifactError` when there is none, it is empty, or a shard is damaged.

        Sizes are checked here; `tymbal.artifact.damage(folder)` checks every byte.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise ArtifactError(expected=f"a folder of activations {folder}", got="none", do="harvest them first")
        files = require_kind(folder, KIND)["files"]
        names = [entry["file"] for entry in read_json(folder / UNITS)]
        for name in names:
            path = folder / name
            if path.exists() and path.stat().st_size != files[name]["bytes"]:
                raise ArtifactError(
                    expected=f"{files[name]['bytes']} bytes in {path}",
                    got=f"{path.stat().st_size}",
                    do="harvest again to mend it",
                )
        return cls(folder, read_json(folder / CONFIG), [open_shard(folder / name) for name in names], mended)

    @property
    def rows(self) -> int:
        """Stored rows (tokens), special ones included."""
        return int(self._starts[-1])

    @property
    def sites(self) -> tuple[str, ...]:
        """The stored sites."""
        return self.config.sites

    @property
    def width(self) -> int:
        """Numbers in one activation."""
        return self._shards[0].tensors[self.sites[0]].shape[1]

    def rows_at(
        self, site: str, indices: Int64[np.ndarray, " row"] | Int64[Tensor, " row"]
    ) -> Float32[Tensor, "row width"]:
        """Activations at these row numbers, in this order, repeats allowed; fp32, a copy, on the CPU.

        Raises `ArtifactError` for a site that is not stored, `IndexError` for a row that is not there. Many threads may
        gather from one store at the same time.
        """
        rows = self._gather(self.require_site(site), np.asarray(indices))
        if rows.dtype == np.uint16:
            # bfloat16 is the upper half of fp32. NumPy widens it on this thread alone; torch would wake its threads.
            rows = np.left_shift(rows, 16, dtype=np.uint32).view(np.float32)
        return torch.from_numpy(rows)

    def ids(self, indices: Int64[np.ndarray, " row"] | Int64[Tensor, " row"]) -> RowIds:
        """Token, passage, position and special bit of these rows, in this order."""
        return RowIds(
            *(self._gather(name, np.asarray(indices)) for name in ("token", "passage", "position", "special"))
        )

    def _gather(self, name: str, indices: np.ndarray) -> np.ndarray:
        """These rows of a tensor, in the asked order."""
        order = np.argsort(indices, kind="stable")
        ascending = indices[order]
        if len(ascending) and (ascending[0] < 0 or ascending[-1] >= self.rows):
            raise IndexError(f"rows must lie in 0..{self.rows - 1}, not {ascending[0]}..{ascending[-1]}")
        first = self._shards[0].tensors[name]
        gathered = np.empty((len(indices), *first.shape[1:]), first.dtype)
        cuts = np.searchsorted(ascending, self._starts)
        for number in np.flatnonzero(cuts[1:] > cuts[:-1]):
            start, stop = cuts[number], cuts[number + 1]
            inside = ascending[start:stop] - self._starts[number]
            # mode="clip" skips a second check of the bounds and a buffer; the rows were checked above.
            np.take(self._shards[number].tensors[name], inside, axis=0, out=gathered[start:stop], mode="clip")
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return gathered[back]

    def keep(
        self,
        *,
        skip_special: bool = True,
        sink: int = 0,
        norm_multiple: int | float | None = None,
        site: str | None = None,
    ) -> Int64[np.ndarray, " kept"]:
        """Row numbers that are left after filtering, ascending (8 bytes a row; `select` takes a quarter byte).

        The arguments are those of `select`.
        """
        return self.select(skip_special=skip_special, sink=sink, norm_multiple=norm_multiple, site=site).rows()

    def select(
        self,
        *,
        skip_special: bool = True,
        sink: int = 0,
        norm_multiple: int | float | None = None,
        site: str | None = None,
    ) -> RowSelection:
        """The rows that are left after filtering.

        skip_special   leave out BOS, CLS, SEP and other special tokens
        sink           leave out the first `sink` positions of each passage
        norm_multiple  leave out rows whose norm at `site` exceeds this multiple of the median norm there. The median is
                       taken over evenly spaced rows that pass the other filters, at most 65,536. 10 removes attention
                       sinks in most models.
        """
        plain = RowSelection(self._masks(skip_special, sink))
        if norm_multiple is None or not len(plain):
            return plain
        if site is None:
            raise ValueError("norm_multiple needs the site at which norms are measured")
        limit = norm_multiple * self._median_norm(site, plain)
        masks = zip(self._masks(skip_special, sink), self._norms(site), strict=True)
        return RowSelection(mask & (norms <= limit) for mask, norms in masks)

    def _masks(self, skip_special: bool, sink: int) -> Iterator[Bool[np.ndarray, " _"]]:
        """One mask a shard."""
        for shard in self._shards:
            mask = shard.tensors["position"] >= sink
            yield mask & ~shard.tensors["special"] if skip_special else mask

    def _norms(self, site: str) -> Iterator[Float32[np.ndarray, " _"]]:
        """The norms of the rows, one array a shard."""
        for start, stop in pairwise(self._starts):
            blocks = np.array_split(np.arange(start, stop), -(-(stop - start) // _BLOCK))
            yield np.concatenate([self.rows_at(site, rows).norm(dim=1).numpy() for rows in blocks])

    def _median_norm(self, site: str, plain: RowSelection) -> float:
        places = np.unique(np.linspace(0, len(plain) - 1, min(len(plain), _MEDIAN_SAMPLE)).astype(np.int64))
        blocks = np.array_split(plain[places], -(-len(places) // _BLOCK))
        return float(np.median(np.concatenate([self.rows_at(site, rows).norm(dim=1).numpy() for rows in blocks])))

    def require_site(self, site: str) -> str:
        """The site itself; raises `ArtifactError` when it is not stored."""
        if site not in self.sites:
            raise ArtifactError(
                expected=f"one of the sites stored in {self.folder}: {listed(self.sites)}",
                got=site,
                do="name one of these, or harvest again",
            )
        return site
