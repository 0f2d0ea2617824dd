"""Rows for training straight from the model, mixed in a buffer of fixed size, with nothing stored.

1. Each epoch puts the passages in a new order (a seeded permutation) and cuts that order into chunks of rows, each at
   most half of the buffer.
2. A seeded permutation halves each chunk: the first half of its rows leaves in the chunk's own phase, the other half in
   the next. Phase p so mixes half of chunk p with half of chunk p-1, in a seeded order. Each row leaves once an epoch.
3. The buffer is a ring of two chunks, allocated once. A phase needs chunks p and p-1 and nothing else, so that the
   buffer is rebuilt for any step by reading at most two chunks, and is never saved.

How well it mixes: with a buffer of B rows, two rows of one passage meet in a batch of b rows about B/n as rarely as
would be ideal; see docs/activations.md. The plain form, a half-emptied and refilled buffer, is that of Bricken et al.
2023, "Towards Monosemanticity"; there a row's place depends on everything that went before.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from tymbal.activations.permutation import Permutation
from tymbal.activations.rows import pieces
from tymbal.activations.stream import STORED, HarvestConfig, stream
from tymbal.corpora import PassageStore, Role
from tymbal.errors import CorpusError
from tymbal.models import LanguageModel

_PASSAGE_ORDER, _CHUNK_ORDER, _PHASE_ORDER = range(3)  # keeps the three uses of the seed apart


class _Plan(NamedTuple):
    """One epoch: which passages make up each chunk, and where each phase begins."""

    epoch: int
    order: np.ndarray  # places of passages
    bounds: np.ndarray  # chunk c holds order[bounds[c]:bounds[c + 1]]
    rows: np.ndarray  # rows of chunk c
    starts: np.ndarray  # phase p gives rows starts[p]:starts[p + 1] of the epoch


class _Phase(NamedTuple):
    """The places in the ring that leave in one phase, in order."""

    epoch: int
    number: int
    places: np.ndarray


class StreamedRows:
    """Rows of a site for endless epochs over a corpus, mixed in `buffer_rows` rows of memory.

    The values are those a store with the same `config` would hold. Special tokens and the first `sink` positions of
    each passage are left out if asked. Consecutive steps cost one reading of the corpus an epoch; a jump costs two
    chunks. Raises `CorpusError` when no row is left, `ValueError` for a buffer of less than four passages.
    """

    def __init__(
        self,
        model: LanguageModel,
        passages: PassageStore,
        site: str,
        *,
        seed: int,
        buffer_rows: int,
        config: HarvestConfig | None = None,
        roles: Sequence[Role] = (Role.TRAIN,),
        skip_special: bool = True,
        sink: int = 0,
    ) -> None:
        self._model, self._passages, self._site, self._seed = model, passages, model.site(site), seed
        self._config = replace(config or HarvestConfig(sites=(site,)), sites=(self._site,))
        self._skip_special, self._sink = skip_special, sink
        self._ids = passages.ids(roles)
        self._counts = np.array([self._usable(self._special(int(id_))).sum() for id_ in self._ids], dtype=np.int64)
        self._total = int(self._counts.sum())
        if not self._total:
            raise CorpusError(
                expected="at least one row to train on", got="none in this corpus", do="cut a larger corpus"
            )
        self._half = buffer_rows // 2
        if buffer_rows < 4 * self._counts.max():
            raise ValueError(f"buffer_rows must hold four passages of {self._counts.max()} rows, not {buffer_rows}")
        self._ring = torch.empty(2 * self._half, model.width, dtype=STORED[self._config.dtype])
        self._held: list[tuple[int, int] | None] = [None, None]  # (epoch, chunk) in each half of the ring
        self._plan_now: _Plan | None = None
        self._phase_now: _Phase | None = None

    @property
    def width(self) -> int:
        """Numbers in one row."""
        return self._model.width

    @property
    def rows_per_epoch(self) -> int:
        """Rows of the corpus that are left after filtering."""
        return self._total

    def batch(self, step: int, size: int) -> Float32[Tensor, "row width"]:
        """Rows step*size to (step+1)*size of the endless sequence of mixed epochs; fp32, on the CPU."""
        parts = []
        for epoch, start, stop in pieces(step, size, self._total):
            plan = self._plan(epoch)
            while start < stop:
                number = int(np.searchsorted(plan.starts, start, side="right")) - 1
                end = min(stop, int(plan.starts[number + 1]))
                places = self._phase(plan, number).places[start - plan.starts[number] : end - plan.starts[number]]
                parts.append(self._ring[torch.from_numpy(places)].float())
                start = end
        return torch.cat(parts)

    def _special(self, id_: int) -> np.ndarray:
        return self._passages[id_].special

    def _usable(self, special: np.ndarray) -> np.ndarray:
        usable = np.arange(len(special)) >= self._sink
        return usable & ~special if self._skip_special else usable

    def _plan(self, epoch: int) -> _Plan:
        if self._plan_now is None or self._plan_now.epoch != epoch:
            order = Permutation(len(self._ids), self._seed, _PASSAGE_ORDER, epoch).everything()
            ends = np.cumsum(self._counts[order])
            # A passage belongs to the chunk in which it starts, so a chunk exceeds its share by less than a passage.
            share = self._half - int(self._counts.max())
            chunks = -(-self._total // share)
            bounds = np.searchsorted(ends - self._counts[order], np.arange(chunks + 1) * share)
            bounds[-1] = len(order)
            rows = np.diff(np.concatenate([[0], ends])[bounds])
            leaving = np.append(rows // 2, 0) + np.concatenate([[0], rows - rows // 2])
            self._plan_now = _Plan(epoch, order, bounds, rows, np.concatenate([[0], np.cumsum(leaving)]))
        return self._plan_now

    def _phase(self, plan: _Plan, number: int) -> _Phase:
        """Bring the phase's two chunks into the ring and say in which order their rows leave."""
        now = self._phase_now
        if now is None or (now.epoch, now.number) != (plan.epoch, number):
            self._phase_now = None  # the ring changes below; a failure there must not leave an old phase behind
            leaving = []
            for chunk, first_half in ((number - 1, False), (number, True)):
                if 0 <= chunk < len(plan.rows) and plan.rows[chunk]:
                    self._load(plan, chunk)
                    rows = int(plan.rows[chunk])
                    order = Permutation(rows, self._seed, _CHUNK_ORDER, plan.epoch, chunk).everything()
                    half = order[: rows // 2] if first_half else order[rows // 2 :]
                    leaving.append(half + chunk % 2 * self._half)
            places = np.concatenate(leaving)
            mixed = Permutation(len(places), self._seed, _PHASE_ORDER, plan.epoch, number).everything()
            self._phase_now = _Phase(plan.epoch, number, places[mixed])
        assert self._phase_now is not None
        return self._phase_now

    def _load(self, plan: _Plan, chunk: int) -> None:
        """Read a chunk's passages into its half of the ring, unless they are there."""
        slot = chunk % 2
        if self._held[slot] == (plan.epoch, chunk):
            return
        self._held[slot] = None
        filled = slot * self._half
        # In the corpus's order, so that each of its files is visited once; the chunk's rows are shuffled anyway.
        members = np.sort(self._ids[plan.order[plan.bounds[chunk] : plan.bounds[chunk + 1]]])
        for batch in stream(self._model, (self._passages[int(id_)] for id_ in members), self._config):
            usable = batch.positions >= self._sink
            if self._skip_special:
                usable &= ~batch.special
            kept = batch.activations[self._site][usable]
            self._ring[filled : filled + len(kept)] = kept
            filled += len(kept)
        assert filled - slot * self._half == plan.rows[chunk], (filled, plan.rows[chunk])
        self._held[slot] = (plan.epoch, chunk)
