"""Run passages through a model and yield what its sites hold, token by token.

1. Passages are taken in windows of eight batches. Within a window they are sorted by length, so that little is padded,
   and cut into batches of at most `batch_tokens` (padding counted).
2. Each batch is read once for all sites; padding is left out; rows return to the order of the passages.
3. A window whose activations are not all finite is refused, with the site and the passage named.

What a window and its batches hold depends only on the passages and on `batch_tokens`. So the same passages, streamed
again, give the same bits ("Bit-equal" in the sense of the design: same processor, threads and library versions).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int32
from torch import Tensor

from tymbal.corpora import Passage
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, Tokens

_WINDOW_BATCHES = 8
STORED = {"bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True, kw_only=True)
class HarvestConfig:
    """What to read from a model, and how."""

    sites: tuple[str, ...]
    """Places in the model to read, such as resid_post.3; all are read in one pass."""
    batch_tokens: int = 8192
    """Tokens in one forward pass, padding included."""
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    """Number format in which activations are kept."""
    autocast: bool = False
    """Compute in bfloat16 where the model allows it; about twice as fast on processors that have it."""
    shard_tokens: int = 1 << 17
    """Tokens in one stored shard, the unit of work that is made again if a harvest is stopped."""

    def __post_init__(self) -> None:
        if not self.sites:
            raise ValueError("sites must name at least one place in the model")
        if len(set(self.sites)) != len(self.sites):
            raise ValueError(f"sites must differ from one another, not {self.sites}")
        if self.batch_tokens < 1 or self.shard_tokens < 1:
            raise ValueError("batch_tokens and shard_tokens must be at least 1")
        if self.dtype not in STORED:
            raise ValueError(f"dtype must be one of {', '.join(STORED)}, not {self.dtype}")


class Batch(NamedTuple):
    """Activations of whole passages: one row a token, passages in order, padding left out."""

    activations: dict[str, Float[Tensor, "row width"]]
    tokens: Int32[Tensor, " row"]
    passages: Int32[Tensor, " row"]
    positions: Int32[Tensor, " row"]
    special: Bool[Tensor, " row"]


def stream(model: LanguageModel, passages: Iterable[Passage], config: HarvestConfig) -> Iterator[Batch]:
    """Read all of the config's sites of each passage, a window of passages at a time, in the order of the passages.

    Activations are on the CPU, in the config's dtype; sites have their canonical names. Memory is that of one window:
    eight times `batch_tokens` rows a site. Raises `ModelError` for an unknown site and for activations that are not
    finite.
    """
    sites = canonical_sites(model, config)
    for window in _windows(passages, _WINDOW_BATCHES * config.batch_tokens):
        yield _read_window(model, window, sites, config)


def canonical_sites(model: LanguageModel, config: HarvestConfig) -> tuple[str, ...]:
    """The config's sites under the model's own names; raises `ModelError` when one is unknown or named twice."""
    sites = tuple(model.site(name) for name in config.sites)
    if len(set(sites)) != len(sites):
        raise ModelError(expected="each site once", got=", ".join(config.sites), do="leave out the second name")
    return sites


def _windows(passages: Iterable[Passage], most_tokens: int) -> Iterator[list[Passage]]:
    window: list[Passage] = []
    tokens = 0
    for passage in passages:
        if window and tokens + len(passage.tokens) > most_tokens:
            yield window
            window, tokens = [], 0
        window.append(passage)
        tokens += len(passage.tokens)
    if window:
        yield window


def batches(lengths: np.ndarray, batch_tokens: int) -> Iterator[np.ndarray]:
    """Which passages go through the model together: places in the window, longest first, equal lengths in order."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, batch_tokens // max(1, int(lengths[order[start]])))
        yield order[start : start + size]
        start += size


def _read_window(model: LanguageModel, window: list[Passage], sites: tuple[str, ...], config: HarvestConfig) -> Batch:
    lengths = np.array([len(passage.tokens) for passage in window])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    dtype = STORED[config.dtype]
    activations = {site: torch.empty(int(starts[-1]), model.width, dtype=dtype) for site in sites}
    # One region for the whole window: autocast then converts each weight once and not once a batch.
    with torch.inference_mode(), _precision(model, config):
        for members in batches(lengths, config.batch_tokens):
            read = model.read(_padded([window[member] for member in members]), sites)
            for site, kept in activations.items():
                _scatter(read[site], kept, starts, members)
    for site, kept in activations.items():
        _require_finite(kept, site, window, starts)
    return Batch(
        activations,
        tokens=torch.from_numpy(np.concatenate([passage.tokens for passage in window]).astype(np.int32)),
        passages=torch.from_numpy(np.repeat([passage.id for passage in window], lengths).astype(np.int32)),
        positions=torch.from_numpy(np.concatenate([np.arange(length) for length in lengths]).astype(np.int32)),
        special=torch.from_numpy(np.concatenate([passage.special for passage in window]).astype(bool)),
    )


def _precision(model: LanguageModel, config: HarvestConfig) -> torch.autocast:
    return torch.autocast(torch.device(model.device).type, dtype=torch.bfloat16, enabled=config.autocast)


def _padded(passages: list[Passage]) -> Tokens:
    longest = max(len(passage.tokens) for passage in passages)
    ids = torch.zeros(len(passages), longest, dtype=torch.long)
    mask = torch.zeros(len(passages), longest, dtype=torch.bool)
    for row, passage in enumerate(passages):
        ids[row, : len(passage.tokens)] = torch.from_numpy(passage.tokens.astype(np.int64))
        mask[row, : len(passage.tokens)] = True
    return Tokens(ids, mask)


def _scatter(read: Tensor, kept: Tensor, starts: np.ndarray, members: np.ndarray) -> None:
    """Copy a batch's rows to the places of their passages, leaving padding out."""
    if read.device.type != "cpu":
        read = read.to(kept.dtype).cpu()
    for row, member in enumerate(members):
        start, stop = starts[member], starts[member + 1]
        kept[start:stop] = read[row, : stop - start]


def _require_finite(kept: Tensor, site: str, window: list[Passage], starts: np.ndarray) -> None:
    # A sum is finite unless a term is not (or the sum overflows, which the second look tells apart); it costs one read.
    if torch.isfinite(kept.sum(dtype=torch.float32)):
        return
    broken = torch.nonzero(~torch.isfinite(kept).all(dim=1)).flatten()
    if len(broken):
        row = int(broken[0])
        member = int(np.searchsorted(starts, row, side="right")) - 1
        raise ModelError(
            expected=f"finite activations at {site}",
            got=f"NaN or infinity in passage {window[member].id}, token {row - int(starts[member])}",
            do="check the model's weights, or read it as float32 without autocast",
        )
