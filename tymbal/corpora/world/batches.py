"""Batches of the world's documents, written shard by shard in a process of their own, one shard ahead.

Documents of like length stand together, one a row between BOS and EOS. Widths are rounded up and a width has always
the same number of rows, so a run sees few shapes: kernels made for a shape are made once, and memory does not grow.
"""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from tymbal import artifact
from tymbal.corpora.pretraining import PADDING, Batch
from tymbal.corpora.world.generated import generate_world
from tymbal.corpora.world.recipe import WorldTraining

CONTEXT = 256


class _Shard(NamedTuple):
    """Tokenised documents, end to end; `starts` has one entry more than there are documents."""

    tokens: np.ndarray
    starts: np.ndarray


def rounded_width(width: int) -> int:
    """The width of the rows that hold documents of this many tokens: a multiple of 8, above 128 of 16."""
    step = 8 if width <= 128 else 16
    return -(-width // step) * step


class DocumentBatches:
    """Batches of whole documents; a function of configuration and position alone."""

    def __init__(self, folder: Path, config: WorldTraining) -> None:
        self.folder = folder
        self.config = config

    def __call__(self, shard: int, skip: int) -> Generator[Batch, None, None]:
        """Batches from number `skip` of this shard on, for ever."""
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            coming = self._ask(pool, shard)
            while True:
                ready, coming = coming, None
                path = ready.result()
                coming = self._ask(pool, shard + 1)
                for number, tokens in enumerate(self._cut(_read_shard(path), shard)):
                    if number >= skip:
                        yield Batch(shard, number, tokens)
                path.unlink()
                shard, skip = shard + 1, 0

    def _ask(self, pool: ProcessPoolExecutor, shard: int) -> "Future[Path]":
        config = self.config
        return pool.submit(_write_shard, self.folder, config.seed, shard, config.shard_documents)

    def _cut(self, shard: _Shard, ordinal: int) -> Iterator[Tensor]:
        """Batches in random order; the last of a shard may end with empty rows."""
        generator = np.random.default_rng([self.config.seed, ordinal])
        lengths = np.diff(shard.starts).tolist()
        longest_first = np.lexsort((generator.random(len(lengths)), lengths))[::-1]
        groups, place = [], 0
        while place < len(longest_first):
            # The last token of a document is read by nothing, so a row is as wide as the others.
            width = rounded_width(lengths[longest_first[place]] - 1)
            rows = self.config.batch_tokens // width
            groups.append((rows, width, longest_first[place : place + rows]))
            place += rows
        for index in generator.permutation(len(groups)):
            rows, width, documents = groups[index]
            tokens = np.full((rows, width + 1), PADDING, dtype=np.int64)
            for row, document in enumerate(documents):
                tokens[row, : lengths[document]] = shard.tokens[shard.starts[document] : shard.starts[document + 1]]
            yield torch.from_numpy(tokens)


def _write_shard(folder: Path, seed: int, shard: int, documents: int) -> Path:
    path = folder / f"documents-{shard:05d}.npz"
    if path.exists():
        return path
    world = generate_world(seed)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = [world.document(index).text for index in range(shard * documents, (shard + 1) * documents)]
    rows = [[*encoding.ids, 1][:CONTEXT] for encoding in tokenizer.encode_batch(texts)]
    starts = np.cumsum([0, *map(len, rows)])

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, tokens=np.concatenate(rows).astype(np.int16), starts=starts)

    artifact.write_atomically(path, write)
    return path


def _read_shard(path: Path) -> _Shard:
    with np.load(path, allow_pickle=False) as file:
        return _Shard(file["tokens"], file["starts"])
