"""`tymbal train-dictionary`: a dictionary from stored activations, with one process or many."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from tymbal.cli.display import Display, Report
from tymbal.dictionaries.config import TrainingConfig
from tymbal.errors import ArtifactError, TrainingError, listed

if TYPE_CHECKING:
    from tymbal.activations import RowSource


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train a dictionary on stored activations, with one process or, started by torchrun, with many.

    A run that was interrupted or killed goes on when the same command is given again.
    """

    store: Annotated[Positional[Path], arg(metavar="STORE")]
    """folder of stored activations, such as a study's harvest"""
    out: Annotated[Path, arg(metavar="DIR")]
    """the dictionary's folder"""
    config: Annotated[TrainingConfig, OmitArgPrefixes]
    """how it is trained"""
    site: str | None = None
    """site whose activations are read; may be left out where the store has one"""
    feature_parts: int = 1
    """under torchrun: parts into which the features are cut; the batch is cut into as many as are left"""


def main(arguments: Sequence[str]) -> None:
    """Parse, train, print where the dictionary lies."""
    options = tyro.cli(Options, args=arguments, prog="tymbal train-dictionary")
    # What cuBLAS needs to be deterministic; it is read when the first matrix is multiplied.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    processes, rank = (int(os.environ.get(name, default)) for name, default in (("WORLD_SIZE", "1"), ("RANK", "0")))
    try:
        with _display(shown=rank == 0) as progress:
            if processes == 1:
                _train_alone(options, progress)
            else:
                _train_together(options, processes, progress)
    except TrainingError:
        # It is about the whole run, so that all ranks meet it; one of them says so.
        if rank > 0:
            raise SystemExit(1) from None
        raise
    if rank == 0:
        print(options.out)


def _train_alone(options: Options, progress: Report | None) -> None:
    from tymbal.dictionaries import train

    rows, about = _rows(options)
    train(rows, options.config, options.out, progress, **about)


def _train_together(options: Options, processes: int, progress: Report | None) -> None:
    import torch
    import torch.distributed as dist

    from tymbal.dictionaries.sharded import Sharding, train_sharded

    sharding = Sharding.of(processes, options.feature_parts)
    sharding.require(options.config, processes)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        rows, about = _rows(options)
        train_sharded(rows, options.config, options.out, sharding, progress, **about)
    finally:
        dist.destroy_process_group()


def _rows(options: Options) -> tuple["RowSource", dict[str, Any]]:
    """The rows to train on, and what else is known of them."""
    import torch

    from tymbal.activations import ActivationStore, StoredRows

    store = ActivationStore.open(options.store)
    if options.site is None and len(store.sites) > 1:
        raise ArtifactError(expected="a site", got=f"a store of {listed(store.sites)}", do="choose one with --site")
    site = store.require_site(options.site or store.sites[0])
    about = {"site": site, "model": store.identity["model"]}
    return StoredRows(store, site, seed=options.config.seed), about | {
        "device": "cuda" if torch.cuda.is_available() else "cpu"
    }


@contextmanager
def _display(*, shown: bool) -> Iterator[Report | None]:
    if not shown:
        yield None
        return
    with Display().stage("train") as report:
        yield report
