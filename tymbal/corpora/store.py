"""A folder of passages: shards mapped into memory, read in order or by id."""

import bisect
import hashlib
import operator
from collections import OrderedDict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Int32, Int64

from tymbal.artifact import CONFIG, read_json, require_kind
from tymbal.corpora.passages import CutConfig, Passage
from tymbal.corpora.roles import Role
from tymbal.corpora.shard import ShardContent, ShardEntry, read_shard, read_sources
from tymbal.corpora.table import KIND, read_entries

_OPEN = 8
"""Shards mapped at the same time."""


class PassageStore:
    """The passages of a corpus. Ids count from 0 in reading order; `len` is the number of passages.

    Opened by `PassageStore.open`; made by `tymbal.corpora.cut`.
    """

    folder: Path
    config: CutConfig
    concepts: list[str]
    """Names of the annotated concepts, sorted; empty when the corpus is not annotated."""
    documents: int
    """Documents that the passages come from."""
    before: tuple[int, ...]
    """Ids of the tokens in front of every passage (BOS, CLS)."""
    after: tuple[int, ...]
    """Ids of the tokens behind every passage (SEP, EOS)."""
    tokenizer_sha256: str
    revision: str
    """Checksum over the checksums of all shards: the same for the same passages."""

    def __init__(self, folder: Path, description: dict[str, Any], shards: list[ShardEntry]) -> None:
        settings = dict(description["settings"])
        self.before = tuple(settings.pop("before"))
        self.after = tuple(settings.pop("after"))
        self.tokenizer_sha256 = settings.pop("tokenizer_sha256")
        self.config = CutConfig(**settings)
        self.folder = folder
        self.concepts = list(description["concepts"])
        self.documents = int(description["documents"])
        self.revision = hashlib.sha256("".join(shard.sha256 for shard in shards).encode()).hexdigest()
        self._shards = shards
        self._ends = [shard.passages[1] for shard in shards]
        self._contents: OrderedDict[int, ShardContent] = OrderedDict()
        numbers = {name: number for number, name in enumerate(self.concepts)}
        self._numbers = [np.array([numbers[name] for name in shard.concepts], dtype=np.int32) for shard in shards]

    @classmethod
    def open(cls, folder: Path) -> "PassageStore":
        """Open a complete store; raises `ArtifactError` when it is unfinished or something else."""
        require_kind(folder, KIND)
        return cls(folder, read_json(folder / CONFIG), read_entries(folder))

    def __len__(self) -> int:
        return self._ends[-1]

    def tokens(self, role: Role | None = None) -> int:
        """Tokens in the passages of one role, or in all; those around each passage included."""
        return sum(sum(shard.tokens) if role is None else shard.tokens[role] for shard in self._shards)

    def ids(self, roles: Collection[Role] | None = None) -> Int64[np.ndarray, " passage"]:
        """Ids of the passages of these roles (all where None), ascending."""
        if roles is None:
            return np.arange(len(self), dtype=np.int64)
        wanted = np.array(sorted({int(role) for role in roles}), dtype=np.uint8)
        found = [
            np.flatnonzero(np.isin(self._content(number).roles, wanted)) + shard.passages[0]
            for number, shard in enumerate(self._shards)
        ]
        return np.concatenate(found).astype(np.int64)

    def passages(
        self, roles: Collection[Role] | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[Passage]:
        """Passages of these roles (all where None) in order of their ids, of which from `start` up to `stop`."""
        stop = len(self) if stop is None else min(stop, len(self))
        for number, shard in enumerate(self._shards):
            low, high = max(start, shard.passages[0]), min(stop, shard.passages[1])
            if low >= high:
                continue
            content = self._content(number)
            for passage in range(low, high):
                role = Role(int(content.roles[passage - shard.passages[0]]))
                if roles is None or role in roles:
                    yield _passage(content, passage, passage - shard.passages[0])

    def __getitem__(self, passage: SupportsIndex) -> Passage:
        number, place = self._place(passage)
        return _passage(self._content(number), operator.index(passage), place)

    def concept_tokens(self, passage: SupportsIndex) -> tuple[Int32[np.ndarray, " pair"], Int32[np.ndarray, " pair"]]:
        """Which tokens of a passage carry which concepts: places in the passage, and indices into `concepts`.

        A token that carries several concepts stands there several times; pairs are in order of token, then concept.
        """
        number, place = self._place(passage)
        content = self._content(number)
        low, high = content.concept_starts[place], content.concept_starts[place + 1]
        return content.concept_tokens[low:high], self._numbers[number][content.concept_numbers[low:high]]

    def source(self, document: SupportsIndex) -> str:
        """Where a document was read from: a file, or a dataset's name."""
        document = operator.index(document)
        number = bisect.bisect_right([shard.documents for shard in self._shards], document)
        if not 0 <= document < self.documents:
            raise IndexError(f"document {document} of {self.documents}")
        runs = read_sources(self.folder / self._shards[number].file)
        return runs[bisect.bisect_right([first for first, _ in runs], document) - 1][1]

    def _place(self, passage: SupportsIndex) -> tuple[int, int]:
        passage = operator.index(passage)
        if not 0 <= passage < len(self):
            raise IndexError(f"passage {passage} of {len(self)}")
        number = bisect.bisect_right(self._ends, passage)
        return number, passage - self._shards[number].passages[0]

    def _content(self, number: int) -> ShardContent:
        if number in self._contents:
            self._contents.move_to_end(number)
        else:
            self._contents[number] = read_shard(self.folder / self._shards[number].file)
            if len(self._contents) > _OPEN:
                self._contents.popitem(last=False)
        return self._contents[number]


def _passage(content: ShardContent, passage: int, place: int) -> Passage:
    begin, end = int(content.starts[place]), int(content.starts[place + 1])
    return Passage(
        id=passage,
        document=int(content.documents[place]),
        role=Role(int(content.roles[place])),
        tokens=content.tokens[begin:end],
        special=content.special_of(begin, end),
    )
