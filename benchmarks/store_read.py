"""CPU time of reading 4,096 random rows of width 384 from a store whose pages are in memory, to fp32 in a tensor.

Beside it: the same rows from one safetensors file, mapped, by `index_select`, which knows no shards.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from harvest import random_documents, random_llama
from report import Line, arguments, cpu_seconds, show
from safetensors import safe_open
from safetensors.torch import save_file

from tymbal.activations import ActivationStore, HarvestConfig, StoredRows, harvest
from tymbal.corpora import CutConfig, cut
from tymbal.models import open_model

ROWS, ASKED, WIDTH, ROUNDS = 1 << 19, 4096, 384, 100


def measure(store: ActivationStore, folder: Path) -> Iterator[Line]:
    """The lines of one store."""
    dtype = store.config.dtype
    everything = np.arange(store.rows)
    path = folder / f"{dtype}.safetensors"
    whole = torch.cat([store.rows_at("embed", part) for part in np.array_split(everything, 64)])
    save_file({"rows": whole.to(getattr(torch, dtype))}, path)
    del whole
    with safe_open(path, "pt") as file:
        mapped = file.get_tensor("rows")
    mapped.float().sum()  # brings its pages into memory, as reading the store above did for the store's
    draw = np.random.default_rng(0)
    source = StoredRows(store, "embed", seed=0)
    steps = iter(range(10**9))
    seconds = cpu_seconds(
        {
            "rows_at": lambda: store.rows_at("embed", draw.integers(0, store.rows, ASKED)),
            "batch": lambda: source.batch(next(steps), ASKED),
            "safetensors": lambda: mapped.index_select(
                0, torch.from_numpy(draw.integers(0, store.rows, ASKED))
            ).float(),
        },
        ROUNDS,
    )
    milliseconds = {name: statistics.median(values) * 1e3 for name, values in seconds.items()}
    name, unit = f"read {ASKED} random rows of width {WIDTH}, {dtype}", "ms CPU"
    yield Line(name=name, system="tymbal", value=milliseconds["rows_at"], unit=unit, goal=2.0)
    yield Line(name=name, system="safetensors, one file", value=milliseconds["safetensors"], unit=unit)
    yield Line(
        name=f"batch of {ASKED}, order computed, {dtype}", system="tymbal", value=milliseconds["batch"], unit=unit
    )


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = open_model(random_llama(folder / "model", width=WIDTH, layers=1))
        cutting = CutConfig(length=128, heldout=0.0)
        passages = cut(random_documents(ROWS), model.tokenizer, cutting, folder / "passages")
        for dtype in ("bfloat16", "float32"):
            config = HarvestConfig(sites=("embed",), dtype=dtype)
            store = harvest(model, passages, config, folder / dtype)
            show(list(measure(store, folder)), as_json=options.json)


if __name__ == "__main__":
    main()
