"""Atlases of made-up features, without a model: feature j is active on word j and on a few others.

`write_synthetic_atlas(folder, features=64)` takes about a second; the pages read like those of a real one.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tymbal.atlas import Atlas, AtlasConfig, CodeShard, CodeStore, index_codes
from tymbal.atlas.assembly import TextSource
from tymbal.atlas.build import CODES, Annotations
from tymbal.atlas.codes import Rows

SYLLABLES = ("ba", "ri", "to", "ne", "lu", "sha", "mo", "ken", "di", "vor", "el", "pa")


def word(token: int) -> str:
    """The text of a token: a pronounceable word of its own, with a space before it."""
    parts = []
    number = token + len(SYLLABLES)
    while number:
        number, rest = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[rest])
    return " " + "".join(parts)


def write_synthetic_codes(
    folder: Path, *, features: int, passages: int, length: int = 128, slots: int = 4, shards: int = 2, seed: int = 0
) -> CodeStore:
    """Codes where token j makes feature j active, and features j+1, j+2, ... less so with falling chance."""
    store = CodeStore.begin(folder, {"synthetic": [features, passages, length, slots, shards, seed]})
    generator = np.random.default_rng(seed)
    for number, ids in enumerate(np.array_split(np.arange(passages), shards)):
        rows = len(ids) * length
        # Squaring makes low tokens frequent and high ones rare, so that densities span orders of magnitude.
        tokens = (features * generator.random(rows) ** 2).astype(np.int64)
        indices = (tokens[:, None] + np.arange(slots)) % features
        values = generator.gamma(4.0, 0.5, (rows, slots)) * 2.0 ** -np.arange(slots)
        values[generator.random((rows, slots)) > 0.9 ** np.arange(slots)] = 0
        described = Rows(
            tokens, np.repeat(ids, length), np.tile(np.arange(1, length + 1), len(ids)), np.repeat(1 + ids % 3, length)
        )
        store.write(number, CodeShard.from_rows(indices, values.astype(np.float32), described, features))
    return store


def write_synthetic_atlas(
    folder: Path,
    *,
    features: int = 64,
    passages: int = 240,
    width: int = 16,
    head: bool = True,
    concepts: bool = False,
    config: AtlasConfig | None = None,
    seed: int = 0,
    shards: int = 2,
) -> Atlas:
    """A finished atlas in `folder`; `head` gives output tokens, `concepts` annotates every fifth token."""
    codes = write_synthetic_codes(folder / CODES, features=features, passages=passages, shards=shards, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    decoder = torch.nn.functional.normalize(torch.randn(features, width, generator=generator), dim=1)
    vocabulary = torch.randn(features, width, generator=generator)

    def read(ids: Sequence[int]) -> list[str]:
        return [word(token) for token in ids]

    text = TextSource(read, read, (lambda rows: rows @ vocabulary.T) if head else None)
    annotations = Annotations([f"even·{n}" for n in range(2)], _annotate) if concepts else None
    about = {"model": "synthetic", "site": "resid_post.0", "dictionary": {"kind": "synthetic", "features": features}}
    return index_codes(
        codes, decoder, folder, config or AtlasConfig(layout="pca"), text=text, annotations=annotations, about=about
    )


def _annotate(passage: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(1, 129, 5), np.full(26, passage % 2)
