"""Harvest with many machines: the shards of a store are handed out over a Ray cluster.

A shard's bytes depend on its passages alone, so that it does not matter who makes it: the store is the one that
`harvest` makes, on processors of the same kind, with the same thread count and library versions. Workers open the
model and the corpus themselves, by the paths that they have here, and write into the store's folder; all machines
must see all three. A worker that dies loses one shard, which Ray hands out anew; a harvest that dies goes on as
`harvest` would.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tymbal.activations.harvest import Count, Job, Progress, Unit, fill, make_shard
from tymbal.activations.store import ActivationStore
from tymbal.activations.stream import HarvestConfig
from tymbal.corpora import PassageStore, Role
from tymbal.errors import MissingExtraError
from tymbal.models import LanguageModel, open_model

EXTRA = "cluster"


def harvest_on_cluster(
    model: LanguageModel,
    passages: PassageStore,
    config: HarvestConfig,
    folder: str | Path,
    roles: Sequence[Role] = (Role.TRAIN,),
    progress: Progress | None = None,
    *,
    workers: int,
) -> ActivationStore:
    """Store activations as `harvest` does, with `workers` processes of the Ray cluster, each with a model of its own.

    A cluster is found as Ray finds it; where there is none, one is started on this machine. A model on a CUDA device
    takes a GPU a worker. Raises `MissingExtraError` where Ray is absent, and whatever `harvest` raises.
    """
    data = _ray_data()

    def hand_out(units: Sequence[Unit], job: Job, count: Count) -> Iterator[dict[str, Any]]:
        items = [unit._asdict() | {"passages": unit.passages.tolist()} for unit in units]
        made = data.from_items(items, override_num_blocks=max(1, len(items))).map(
            _Worker,
            fn_constructor_args=[_order(job)],
            concurrency=max(1, min(workers, len(items))),
            num_cpus=1,
            num_gpus=1 if job.model.device.type == "cuda" else 0,
        )
        for entry in made.iter_rows():
            count(entry["tokens"])
            yield {name: entry[name] for name in ("file", "bytes", "sha256", "tokens")}

    return fill(model, passages, config, folder, roles, progress, hand_out)


def _ray_data() -> Any:
    try:
        return import_module("ray.data")
    except ImportError as error:
        raise MissingExtraError("ray", EXTRA) from error


def _order(job: Job) -> dict[str, Any]:
    """What a worker needs to know, in plain values."""
    return {
        "model": str(Path(job.model.name).resolve()) if Path(job.model.name).is_dir() else job.model.name,
        "device": job.model.device.type,
        "dtype": str(job.model.dtype).removeprefix("torch."),
        "revision": job.model.revision,
        "attention": job.model.attention,
        "passages": str(job.passages.folder.resolve()),
        "config": job.config,
        "folder": str(job.folder.resolve()),
        "header": job.header,
        "threads": torch.get_num_threads(),
    }


class _Worker:
    """Makes one shard after the other."""

    def __init__(self, order: dict[str, Any]) -> None:
        torch.set_num_threads(order["threads"])
        opened = {name: order[name] for name in ("device", "dtype", "revision", "attention")}
        self._job = Job(
            open_model(order["model"], **opened),
            PassageStore.open(Path(order["passages"])),
            order["config"],
            Path(order["folder"]),
            order["header"],
        )

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        unit = Unit(item["file"], np.asarray(item["passages"]), int(item["first_token"]), int(item["tokens"]))
        return make_shard(unit, self._job, lambda _: None)
