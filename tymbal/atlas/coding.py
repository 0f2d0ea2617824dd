"""The one pass through the model: held-out passages to sparse codes on disk.

Passages are taken in order, as many whole ones as make up a shard; each shard is streamed through the model by itself,
so that what it holds does not depend on where an earlier attempt was stopped. A batch's activations are encoded at once
and let go.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tymbal.activations import Batch, HarvestConfig, stream
from tymbal.atlas.codes import CodeShard, CodeStore, Rows
from tymbal.atlas.config import AtlasConfig, Progress
from tymbal.corpora import HELD_OUT, Passage, PassageStore
from tymbal.dictionaries import Codes, Dictionary
from tymbal.models import LanguageModel

_CODING = ("shard_tokens", "batch_tokens", "autocast", "sink")
"""the settings on which codes depend"""


def write_codes(
    dictionary: Dictionary,
    model: LanguageModel,
    site: str,
    store: PassageStore,
    folder: Path,
    config: AtlasConfig,
    progress: Progress | None = None,
) -> CodeStore:
    """Encode all held-out passages; what an earlier attempt left whole in `folder` is kept.

    Raises `ArtifactError` when `folder` holds codes of something else, `ModelError` for an unknown site.
    """
    settings = {name: asdict(config)[name] for name in _CODING}
    codes = CodeStore.begin(folder, {**identity(dictionary, model, site, store), "config": settings})
    total = sum(store.tokens(role) for role in HELD_OUT)
    done = 0
    for number, passages in enumerate(_shards(store, config.shard_tokens)):
        if number not in codes:
            codes.write(number, _encode(dictionary, model, site, passages, config))
        done += sum(len(passage.tokens) for passage in passages)
        if progress is not None:
            progress(done, total, "tokens")
    return codes


def identity(dictionary: Dictionary, model: LanguageModel, site: str, store: PassageStore) -> dict[str, Any]:
    """What codes are made from: the model, the dictionary's weights, the site and the text."""
    digest = hashlib.sha256()
    for name, tensor in sorted(dictionary.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return {
        "model": model.identity,
        "dictionary": {"kind": dictionary.kind, "features": dictionary.features, "sha256": digest.hexdigest()},
        "site": model.site(site),
        "corpus": store.revision,
    }


def _shards(store: PassageStore, tokens: int) -> Iterator[list[Passage]]:
    """Held-out passages in order, in lists of about so many tokens."""
    shard: list[Passage] = []
    held = 0
    for passage in store.passages(HELD_OUT):
        if shard and held + len(passage.tokens) > tokens:
            yield shard
            shard, held = [], 0
        shard.append(passage)
        held += len(passage.tokens)
    if shard:
        yield shard


def _encode(
    dictionary: Dictionary, model: LanguageModel, site: str, passages: list[Passage], config: AtlasConfig
) -> CodeShard:
    site = model.site(site)
    reading = HarvestConfig(sites=(site,), batch_tokens=config.batch_tokens, dtype="float32", autocast=config.autocast)
    roles = {passage.id: int(passage.role) for passage in passages}
    indices, values, rows = [], [], []
    with torch.inference_mode():
        for batch in stream(model, passages, reading):
            kept = ~batch.special & (batch.positions >= config.sink)
            codes: Codes = dictionary.encode(batch.activations[site][kept].to(dictionary.encoder.device))
            indices.append(codes.indices.cpu().numpy())
            values.append(codes.values.float().cpu().numpy())
            rows.append(_rows(batch, kept, roles))
    slots = max(part.shape[1] for part in indices)
    return CodeShard.from_rows(
        np.concatenate([_widened(part, slots) for part in indices]),
        np.concatenate([_widened(part, slots) for part in values]),
        Rows(*(np.concatenate(columns) for columns in zip(*rows, strict=True))),
        dictionary.features,
    )


def _rows(batch: Batch, kept: torch.Tensor, roles: dict[int, int]) -> Rows:
    passages = batch.passages[kept].numpy()
    ids, place = np.unique(passages, return_inverse=True)
    role = np.array([roles[passage] for passage in ids.tolist()], dtype=np.int32)[place]
    return Rows(batch.tokens[kept].numpy(), passages, batch.positions[kept].numpy(), role)


def _widened(part: np.ndarray, slots: int) -> np.ndarray:
    """The same codes with more empty slots."""
    return np.pad(part, ((0, 0), (0, slots - part.shape[1])))
