"""Train a dictionary with many processes: rows and features are cut along two axes, and the result is the same.

    torchrun --nproc-per-node 8 --no-python tymbal train-dictionary STORE --feature-parts 4 ...

is two parts of rows, each shared by four processes with a quarter of the features. What one process would compute is
computed exactly, but for the order of sums: the highest scores of a row or a batch are found among all ranks, dead
features, norms and thresholds are those of the whole.

The source must be a sequence: rows n to m of it are the same however it is cut into batches, as of a store. Each rank
reads its own rows alone, but for the first 16,384, which units and first values are taken from on every rank.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.distributed as dist

from tymbal import artifact
from tymbal.activations import Progress, RowSource
from tymbal.dictionaries.checkpoints import remove
from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.loggers import Logger
from tymbal.dictionaries.sharded.checkpoints import SharedKeeper
from tymbal.dictionaries.sharded.mesh import MeshRanks, Sharding
from tymbal.dictionaries.training import Run, Work, require_rows, same_run
from tymbal.errors import TrainingError


def train_sharded(
    source: RowSource,
    config: TrainingConfig,
    folder: Path | str,
    sharding: Sharding,
    progress: Progress | None = None,
    *,
    site: str | None = None,
    model: Mapping[str, Any] | None = None,
    ends: Ends = AUTOENCODER,
    logger: Logger | None = None,
    device: str = "cpu",
) -> None:
    """Train a dictionary into `folder` with all processes of `torch.distributed`, or finish a run broken off there.

    Every process calls this with the same arguments; `device` is "cpu" or "cuda" (the current one). The folder then
    holds an ordinary dictionary; `progress` and `logger` are rank 0's. Raises `TrainingError` where `train` does, and
    where the run cannot be cut as `sharding` says.
    """
    if not dist.is_initialized():
        raise TrainingError(
            expected="processes that know of one another", got="a single one", do="start it with torchrun"
        )
    sharding.require(config, dist.get_world_size())
    first = dist.get_rank() == 0
    run = Run(
        source=source,
        config=config,
        folder=Path(folder),
        site=site,
        model=model or {},
        ends=ends,
        logger=logger if first else None,
        device=device,
    )
    require_rows(run)
    if artifact.is_sealed(run.folder):
        same_run(artifact.read_json(run.folder / artifact.CONFIG), run.record(), run.folder)
        if first:
            remove(run.folder)
        return
    ranks = MeshRanks.spread(sharding, device)
    work = Work(run, SharedKeeper(run, ranks), ranks)
    own = config.batch // ranks.row_parts
    while work.left:
        work.advance(source.batch(work.trainer.done * ranks.row_parts + ranks.row_part, own))
        if progress is not None and first:
            progress(work.trainer.done * config.batch, work.trainer.steps * config.batch, "tokens")
    work.finish()
