"""Labelled texts as rows: one pass over the model for all sites, and beside each row what a control may read instead.

1. Texts are tokenized; a token belongs to a span by the rule of the corpora. A text longer than the context is cut.
2. Texts of like length are read together, all sites in one pass, and pooled at once: memory holds the rows only.
3. Beside each row stand the token that was read, its position, and which tokens the activation could see.

An example whose span holds no token of the cut text is left out and counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_matrix
from torch import Tensor

from tymbal.corpora.annotations import concept_pairs
from tymbal.corpora.documents import Span
from tymbal.errors import ModelError, ProbeError
from tymbal.models import LanguageModel, Tokens
from tymbal.probes.labelled import LabelledTexts
from tymbal.probes.targets import Target

Progress = Callable[[int, int, str], None]
_BATCH_TOKENS = 8192
_FIRST_PLACES = 16


class Pooling(StrEnum):
    """Which of a span's tokens make a row."""

    LAST = "last"
    """The last one."""
    FIRST = "first"
    """The first one."""
    MEAN = "mean"
    """The mean of all."""
    EVERY = "every"
    """Each makes a row of its own."""
    ATTENTION = "attention"
    """All together, for the attention-pooled reader."""


class _Place(NamedTuple):
    """A tokenized example: all its tokens, and which of them are the span."""

    example: int
    ids: list[int]
    span: list[int]
    special: list[bool]


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Rows to fit probes to, and what the controls may know of them."""

    activations: dict[str, Float[Tensor, "row width"] | Float[Tensor, "row token width"]]
    """By site."""
    pooling: Pooling
    target: Target
    examples: Int[Tensor, " row"]
    """The number of each row's example."""
    groups: Int[Tensor, " row"]
    """The entity or document of each row."""
    datasets: Int[Tensor, " row"]
    dataset_names: tuple[str, ...]
    types: Int[Tensor, " row"]
    """The token that was read (of a span, the last one)."""
    bag: csr_matrix
    """Row by token of the vocabulary: how often the activation's text had it."""
    position: Float[Tensor, "row feature"]
    """Where in the text the row was read and how long the text is, in several forms."""
    left_out: int
    """Examples whose span held no token."""


def read(
    model: LanguageModel,
    texts: LabelledTexts,
    sites: Sequence[str],
    pooling: Pooling,
    progress: Progress | None = None,
) -> Readings:
    """All sites of all examples.

    Raises `ModelError` for a site that the model lacks and activations that are not finite.
    """
    names = [model.site(name) for name in sites]
    places, left_out = _places(model, texts)
    target = texts.target()
    activations = _activations(model, places, names, pooling, progress)
    rows = [place for place in places for _ in (place.span if pooling is Pooling.EVERY else [0])]
    read_at = [at for place in places for at in _read_at(place, pooling)]
    of = torch.tensor([place.example for place in rows])
    groups = _numbered([example.group for example in texts.examples])
    datasets = [example.dataset for example in texts.examples]
    return Readings(
        activations=activations,
        pooling=pooling,
        target=target[of],
        examples=of,
        groups=groups[of],
        datasets=_numbered(datasets)[of],
        dataset_names=tuple(dict.fromkeys(datasets)),
        types=torch.tensor([place.ids[at] for place, at in zip(rows, read_at, strict=True)]),
        bag=_bag(model, rows, read_at, pooling),
        position=_position(rows, read_at),
        left_out=left_out,
    )


def _numbered(names: Sequence[str]) -> Int[Tensor, " example"]:
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([place[name] for name in names])


def _places(model: LanguageModel, texts: LabelledTexts) -> tuple[list[_Place], int]:
    tokenizer: Any = model.tokenizer
    encoded = tokenizer(
        [example.text for example in texts.examples],
        truncation=True,
        max_length=model.context,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    places = []
    for number, example in enumerate(texts.examples):
        offsets = np.array(encoded["offset_mapping"][number], dtype=np.int32).reshape(-1, 2)
        special = np.array(encoded["special_tokens_mask"][number], dtype=bool)
        real = np.flatnonzero(~special)
        pairs = concept_pairs(
            example.text, [Span(example.start, example.end, "")], offsets[real, 0], offsets[real, 1], {"": 0}
        )
        if len(pairs):
            places.append(_Place(number, encoded["input_ids"][number], real[pairs[:, 0]].tolist(), special.tolist()))
    if not places:
        raise ProbeError(
            expected="spans that hold a token", got=f"none in {texts.name}", do="mend the spans or shorten the texts"
        )
    return places, len(texts.examples) - len(places)


def _activations(
    model: LanguageModel, places: list[_Place], sites: list[str], pooling: Pooling, progress: Progress | None
) -> dict[str, Tensor]:
    parts: dict[str, list[Tensor]] = {site: [torch.empty(0)] * len(places) for site in sites}
    order = sorted(range(len(places)), key=lambda place: len(places[place].ids))
    done = 0
    while done < len(order):
        size = max(1, _BATCH_TOKENS // len(places[order[min(done + 63, len(order) - 1)]].ids))
        batch = order[done : done + min(size, 64)]
        found = model.read(Tokens.from_rows([places[place].ids for place in batch]), sites)
        for site, values in found.items():
            for row, place in zip(values, batch, strict=True):
                parts[site][place] = _pooled(row[places[place].span].float().cpu(), pooling)
        done += len(batch)
        if progress:
            progress(done, len(order), "texts")
    joined = {site: _joined(rows, pooling) for site, rows in parts.items()}
    for site, rows in joined.items():
        # Padding of the attention-pooled rows is NaN on purpose; theirs that are not finite were made infinite.
        broken = rows.isinf() if pooling is Pooling.ATTENTION else ~rows.isfinite()
        if bool(broken.any()):
            raise ModelError(expected=f"finite activations at {site}", got="NaN or infinity", do="open it as float32")
    return joined


def _pooled(span: Float[Tensor, "token width"], pooling: Pooling) -> Tensor:
    if pooling is Pooling.LAST:
        return span[-1:]
    if pooling is Pooling.FIRST:
        return span[:1]
    if pooling is Pooling.MEAN:
        return span.mean(0, keepdim=True)
    if not bool(torch.isfinite(span).all()):
        return torch.full_like(span, float("inf"))  # told apart from padding, and refused
    return span


def _joined(rows: list[Tensor], pooling: Pooling) -> Tensor:
    if pooling is Pooling.ATTENTION:
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=float("nan"))
    return torch.cat(rows)


def _read_at(place: _Place, pooling: Pooling) -> list[int]:
    if pooling is Pooling.EVERY:
        return place.span
    return [place.span[0] if pooling is Pooling.FIRST else place.span[-1]]


def _bag(model: LanguageModel, rows: list[_Place], read_at: list[int], pooling: Pooling) -> csr_matrix:
    """Counts of the tokens that each row's activation could see; of every token's own row, the token itself."""
    row_of: list[int] = []
    token_of: list[int] = []
    for row, (place, at) in enumerate(zip(rows, read_at, strict=True)):
        last = at + 1 if model.causal else len(place.ids)
        first = at if pooling is Pooling.EVERY else 0
        seen = [
            place.ids[t] for t in range(first, at + 1 if pooling is Pooling.EVERY else last) if not place.special[t]
        ]
        row_of += [row] * len(seen)
        token_of += seen
    ones = np.ones(len(row_of), dtype=np.float32)
    return csr_matrix((ones, (row_of, token_of)), shape=(len(rows), model.vocabulary))


def _position(rows: list[_Place], read_at: list[int]) -> Float[Tensor, "row feature"]:
    at = torch.tensor(read_at, dtype=torch.float32)
    length = torch.tensor([len(place.ids) for place in rows], dtype=torch.float32)
    span = torch.tensor([len(place.span) for place in rows], dtype=torch.float32)
    smooth = torch.stack([at, at.log1p(), at / length, length, length.log1p(), span, span.log1p()], 1)
    places = torch.arange(_FIRST_PLACES)
    return torch.cat([smooth, (at[:, None] == places).float(), (span[:, None] == places).float()], 1)
