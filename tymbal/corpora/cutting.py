"""Cutting documents into a store of passages.

1. Documents come in parts of bounded size, numbered from the start of the corpus; parts are tokenised in batches.
2. Each part is cut into passages on its own, so that any run of parts can be cut again without those before it.
3. Whole parts go into a shard until it holds `shard_tokens`; each complete shard is written and listed.
4. At the end the store is sealed.

On resume, parts of complete shards are read past and not tokenised; a shard whose checksum is wrong is made again
alone. The same documents, tokenizer and settings give the same bytes, however often the work was interrupted.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from tymbal.artifact import seal
from tymbal.corpora.documents import Document, in_parts
from tymbal.corpora.passages import Cut, CutConfig, cut_piece
from tymbal.corpora.roles import roles_of
from tymbal.corpora.shard import ShardBuilder, ShardEntry
from tymbal.corpora.store import PassageStore
from tymbal.corpora.table import KIND, TABLE, Table, corpus_changed, open_table
from tymbal.corpora.tokens import Pieces, TextTokenizer
from tymbal.errors import CorpusError

Progress = Callable[[int, int, str], None]
BATCH = 1 << 18
"""Characters tokenised at once."""
_REPORT = 1 << 15
"""Tokens between two reports of progress."""


class _Part(NamedTuple):
    place: int
    document: int
    text: Document
    pieces: Pieces


def cut(
    documents: Iterable[Document],
    tokenizer: PreTrainedTokenizerBase | Tokenizer,
    config: CutConfig,
    folder: Path,
    progress: Progress | None = None,
) -> PassageStore:
    """Cut documents into passages and keep them in `folder`; go on where an earlier, interrupted cut stopped.

    A complete store is opened without reading any document. `progress` hears (tokens done, tokens in all or 0 where
    that is not known, "tokens"). Memory grows with `config.shard_tokens`, not with the corpus.

    Raises `CorpusError`, leaving nothing behind, when the corpus is empty, cannot be read or has fewer than
    `config.tokens` tokens; `ArtifactError` when the folder holds something else.
    """
    text_tokenizer = TextTokenizer(tokenizer)
    around = len(text_tokenizer.before) + len(text_tokenizer.after)
    if config.length <= around:
        raise CorpusError(
            expected=f"passages longer than the {around} tokens put around each",
            got=f"a length of {config.length}",
            do="ask for longer ones by --passage-tokens",
        )
    settings = {
        **asdict(config),
        "tokenizer_sha256": text_tokenizer.sha256,
        "before": list(text_tokenizer.before),
        "after": list(text_tokenizer.after),
    }
    table = open_table(folder, settings)
    cutter = _Cutter(text_tokenizer, config, table, progress)
    try:
        cutter.finish(documents)
    except CorpusError:
        if not table.sealed:
            table.discard()
        raise
    return PassageStore.open(folder)


class _Cutter:
    def __init__(self, tokenizer: TextTokenizer, config: CutConfig, table: Table, progress: Progress | None) -> None:
        self._tokenizer = tokenizer
        self._config = config
        self._table = table
        self._progress = progress or (lambda *_: None)
        self._reported = 0

    def finish(self, documents: Iterable[Document]) -> None:
        """Make what is missing, then seal the store."""
        lost = list(self._table.damaged())
        self._report(self._table.tokens, force=True)
        grows = not self._table.sealed and not self._enough(self._table.tokens)
        if lost or grows:
            self._make(documents, lost, grows)
        tokens, wanted = self._table.tokens, self._config.tokens
        if not tokens:
            raise CorpusError(expected="text in the corpus", got="no token", do="name another corpus by --corpus")
        if wanted is not None and tokens < wanted and not self._config.at_most:
            raise CorpusError(
                expected=f"{wanted:,} tokens in the corpus",
                got=f"{tokens:,}",
                do=f"ask for fewer by --tokens {tokens}, or name more text",
            )
        self._report(tokens, force=True)
        if lost or not self._table.sealed or not self._table.described:
            self._seal()

    def _make(self, documents: Iterable[Document], lost: list[ShardEntry], grows: bool) -> None:
        kept = self._table.parts
        ends = [shard.parts for shard in lost]

        def job(index: int) -> int | None:
            """Which lost shard a part belongs to; -1 for parts that no shard holds yet; None for kept ones."""
            if index >= kept:
                return -1
            return next((number for number, (first, end) in enumerate(ends) if first <= index < end), None)

        last = None if grows else ends[-1][1]
        made = set()
        for number, parts in groupby(self._encoded(documents, job, last), key=lambda part: job(part.place)):
            assert number is not None
            made.add(number)
            if number < 0:
                self._append(parts)
                break  # or groupby would read the rest of the corpus, looking for another job
            self._remake(lost[number], parts)
        for number, shard in enumerate(lost):
            if number not in made:
                raise corpus_changed(self._table.folder, shard)

    def _encoded(
        self, documents: Iterable[Document], job: Callable[[int], int | None], last: int | None
    ) -> Iterator[_Part]:
        """The parts that have a job, tokenised; reading stops behind part `last`."""
        batch: list[tuple[int, int, Document]] = []
        characters = 0
        for index, (document, part) in enumerate(_numbered(documents)):
            if last is not None and index >= last:
                break
            if job(index) is None:
                continue
            batch.append((index, document, part))
            characters += len(part.text)
            if characters >= BATCH:
                yield from self._encode(batch)
                batch, characters = [], 0
        yield from self._encode(batch)

    def _encode(self, batch: list[tuple[int, int, Document]]) -> Iterator[_Part]:
        annotated = any(part.spans for _, _, part in batch)
        pieces = self._tokenizer.encode([part.text for _, _, part in batch], offsets=annotated)
        for (index, document, part), tokens in zip(batch, pieces, strict=True):
            yield _Part(index, document, part, tokens)

    def _cuts(self, part: _Part, builder: ShardBuilder) -> Iterator[Cut]:
        return cut_piece(part.text, part.pieces, self._tokenizer, self._config.length, builder.concepts)

    def _append(self, parts: Iterable[_Part]) -> None:
        """Write parts into new shards until they end or there are tokens enough."""
        builder, first, part = ShardBuilder(), self._table.parts, None
        for part in parts:
            for passage in self._cuts(part, builder):
                builder.add(passage, part.document, part.text.source)
                if self._enough(self._table.tokens + builder.tokens):
                    self._write_next(builder, (first, part.place + 1), part.document + 1)
                    return
            self._report(self._table.tokens + builder.tokens)
            if builder.tokens >= self._config.shard_tokens:
                self._write_next(builder, (first, part.place + 1), part.document + 1)
                builder, first = ShardBuilder(), part.place + 1
        if part is not None and len(builder):
            self._write_next(builder, (first, part.place + 1), part.document + 1)

    def _write_next(self, builder: ShardBuilder, parts: tuple[int, int], documents: int) -> None:
        if not self._table.shards:
            self._table.save()
        number, first = len(self._table.shards), self._table.passages
        file = f"shard-{number:05d}.safetensors"
        roles = self._roles(builder, first)
        self._table.record(
            ShardEntry(
                file=file,
                sha256=builder.write(self._table.folder / file, roles),
                parts=parts,
                passages=(first, first + len(builder)),
                documents=documents,
                tokens=builder.tokens_by_role(roles),
                concepts=tuple(sorted(builder.concepts)),
            )
        )

    def _remake(self, shard: ShardEntry, parts: Iterable[_Part]) -> None:
        builder = ShardBuilder()
        first, behind = shard.passages
        for part in parts:
            for passage in self._cuts(part, builder):
                if len(builder) < behind - first:
                    builder.add(passage, part.document, part.text.source)
        if len(builder) != behind - first or (
            builder.write(self._table.folder / shard.file, self._roles(builder, first)) != shard.sha256
        ):
            raise corpus_changed(self._table.folder, shard)

    def _roles(self, builder: ShardBuilder, first: int) -> np.ndarray:
        ids = np.arange(first, first + len(builder), dtype=np.int64)
        keys = builder.documents() if self._config.split_by == "document" else ids
        return roles_of(keys, heldout=self._config.heldout, seed=self._config.seed)

    def _enough(self, tokens: int) -> bool:
        return self._config.tokens is not None and tokens >= self._config.tokens

    def _report(self, tokens: int, force: bool = False) -> None:
        if force or tokens >= self._reported + _REPORT:
            self._progress(tokens, self._config.tokens or 0, "tokens")
            self._reported = tokens

    def _seal(self) -> None:
        folder, shards = self._table.folder, self._table.shards
        config = {
            "settings": self._table.settings,
            "passages": self._table.passages,
            "documents": shards[-1].documents,
            "tokens": self._table.tokens,
            "concepts": sorted({name for shard in shards for name in shard.concepts}),
        }
        seal(folder, KIND, config, [TABLE, *(shard.file for shard in shards)])


def _numbered(documents: Iterable[Document]) -> Iterator[tuple[int, Document]]:
    """Each part with the number of its document."""
    number = -1
    for document in documents:
        number += not document.continues or number < 0
        for part in in_parts(document):
            yield number, part
