"""Store a model's activations over a corpus, in shards that can be made one by one and in any order.

1. The corpus's passages of the asked roles are cut into units of about `shard_tokens` tokens, each a contiguous range.
2. A unit is streamed through the model and becomes one safetensors shard, written under a temporary name, flushed and
   renamed. Its size and SHA-256 then enter `units.json`.
3. When all units are there, the folder is sealed with a manifest.

Resuming is the same call: units whose shard is missing or disagrees with `units.json` are made, the others are kept. A
unit's bytes depend on its passages alone, so a resumed store equals an unbroken one. A folder that was made from
another model, corpus or config is refused and left as it is.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tymbal.activations.store import KIND, UNITS, ActivationStore, open_shard
from tymbal.activations.stream import STORED, HarvestConfig, canonical_sites, stream
from tymbal.artifact import (
    CONFIG,
    MANIFEST,
    Damage,
    file_checksum,
    provenance,
    read_json,
    seal,
    write_json,
    write_tensors,
)
from tymbal.corpora import PassageStore, Role
from tymbal.errors import ArtifactError, CorpusError, listed
from tymbal.models import LanguageModel

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is in all, and the unit, such as "tokens"."""


class Unit(NamedTuple):
    """One deterministic piece of a harvest: a contiguous range of the selected passages, stored as one shard."""

    file: str
    passages: np.ndarray
    first_token: int
    tokens: int


class Job(NamedTuple):
    """What the shards of a store are made from, and where they go."""

    model: LanguageModel
    passages: PassageStore
    config: HarvestConfig
    folder: Path
    header: dict[str, Any]
    """What each shard says of itself, besides its place in the store."""


Count = Callable[[int], None]
"""Called with the tokens that have been done since the last call."""
Workforce = Callable[[Sequence[Unit], Job, Count], Iterator[dict[str, Any]]]
"""Makes the shards of units, in any order; yields each one's entry in the list of units when it is written."""


def harvest(
    model: LanguageModel,
    passages: PassageStore,
    config: HarvestConfig,
    folder: str | Path,
    roles: Sequence[Role] = (Role.TRAIN,),
    progress: Progress | None = None,
) -> ActivationStore:
    """Store the activations of all passages of these roles, or finish a store that was begun in `folder`.

    `mended` of the returned store names the shards that were found damaged and made again. Raises `ArtifactError` when
    the folder holds other activations or cannot be written, `CorpusError` when no passage has these roles, `ModelError`
    for an unknown site or activations that are not finite.
    """
    return fill(model, passages, config, folder, roles, progress, _one_by_one)


def fill(
    model: LanguageModel,
    passages: PassageStore,
    config: HarvestConfig,
    folder: str | Path,
    roles: Sequence[Role],
    progress: Progress | None,
    workforce: Workforce,
) -> ActivationStore:
    """Begin a store or finish one, whoever makes its shards."""
    folder = Path(folder)
    config = replace(config, sites=canonical_sites(model, config))
    record = _record(model, passages, config, roles)
    units = _units(passages, config, roles)
    record = _agreed(folder, record)
    complete, mended = _complete_units(folder, units)
    counter = _Counter(progress, sum(unit.tokens for unit in units))
    counter.add(sum(unit.tokens for unit in units if unit.file in complete))
    if len(complete) < len(units) or not _is_sealed(folder, record):
        (folder / MANIFEST).unlink(missing_ok=True)  # a folder without a manifest counts as unfinished
        write_json(folder / CONFIG, record)
        job = Job(model, passages, config, folder, {"record": record, "libraries": provenance()["libraries"]})
        for entry in workforce([unit for unit in units if unit.file not in complete], job, counter.add):
            complete[entry["file"]] = entry
            write_json(folder / UNITS, [complete[each.file] for each in units if each.file in complete])
        seal(folder, KIND, record, [UNITS, *complete])
    return ActivationStore.open(folder, mended)


def _one_by_one(units: Sequence[Unit], job: Job, count: Count) -> Iterator[dict[str, Any]]:
    for unit in units:
        yield make_shard(unit, job, count)


class _Counter:
    """Adds up what is done, for `progress`."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, tokens: int) -> None:
        self._done += tokens
        if self._progress:
            self._progress(self._done, self._total, "tokens")


def _record(
    model: LanguageModel, passages: PassageStore, config: HarvestConfig, roles: Sequence[Role]
) -> dict[str, Any]:
    """What makes a store what it is; two stores with the same record hold the same activations."""
    record = {
        "harvest": asdict(config),
        "model": model.identity,
        "corpus": {"revision": passages.revision, "passages": len(passages), "tokenizer": passages.tokenizer_sha256},
        "roles": sorted(Role(role).name.lower() for role in roles),
    }
    return json.loads(json.dumps(record))  # as it reads back from disk: lists for tuples


def _units(passages: PassageStore, config: HarvestConfig, roles: Sequence[Role]) -> list[Unit]:
    ids = passages.ids(roles)
    if not len(ids):
        raise CorpusError(
            expected=f"passages of the roles {listed(Role(role).name.lower() for role in roles)}",
            got="none in this corpus",
            do="cut a larger corpus",
        )
    lengths = np.fromiter((len(passages[int(id_)].tokens) for id_ in ids), dtype=np.int64, count=len(ids))
    units, first, first_token, tokens = [], 0, 0, 0
    for place, length in enumerate(lengths):
        tokens += int(length)
        if tokens >= config.shard_tokens or place == len(ids) - 1:
            units.append(Unit(f"shard-{len(units):05d}.safetensors", ids[first : place + 1], first_token, tokens))
            first, first_token, tokens = place + 1, first_token + tokens, 0
    return units


def _agreed(folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    """The record of the store in this folder, or `record` where there is none; refuses a folder with anything else.

    The name under which the model was opened may differ, for a folder can be named in many ways; its checksums may not.
    """
    found = _found_record(folder)
    if found is None or _comparable(found) == _comparable(record):
        return found or record
    differing = [key for key in record if _comparable(found).get(key) != _comparable(record)[key]]
    raise ArtifactError(
        expected=f"an empty folder or the same activations in {folder}",
        got=f"activations with another {' and '.join(differing)}"
        if found.keys() == record.keys()
        else "something else",
        do="name another folder",
    )


def _comparable(record: dict[str, Any]) -> dict[str, Any]:
    model = record.get("model")
    return {**record, "model": {**model, "name": None} if isinstance(model, dict) else model}


def _found_record(folder: Path) -> dict[str, Any] | None:
    """The record of the store in this folder, from its config or else from any shard that can be read."""
    if (folder / CONFIG).exists():
        try:
            found = read_json(folder / CONFIG)
            return found if isinstance(found, dict) else {}
        except ArtifactError:
            pass  # a damaged file; the shards carry the same record
    for path in sorted(folder.glob("shard-*.safetensors")):
        try:
            return open_shard(path).metadata["record"]
        except (ArtifactError, KeyError):
            continue
    return None


def _complete_units(folder: Path, units: Sequence[Unit]) -> tuple[dict[str, dict[str, Any]], tuple[Damage, ...]]:
    """The entries of units whose shards are as they were written, and the damage found on the others."""
    complete, damaged = {}, []
    for entry in _entries(folder):
        path = folder / entry["file"]
        if not path.exists():
            damaged.append(Damage(path, "missing"))
        elif path.stat().st_size != entry["bytes"]:
            damaged.append(Damage(path, f"{path.stat().st_size} bytes instead of {entry['bytes']}"))
        elif file_checksum(path) != entry["sha256"]:
            damaged.append(Damage(path, "changed on disk"))
        else:
            complete[entry["file"]] = entry
    known = {unit.file for unit in units}
    return {file: entry for file, entry in complete.items() if file in known}, tuple(damaged)


def _entries(folder: Path) -> list[dict[str, Any]]:
    try:
        return read_json(folder / UNITS) if (folder / UNITS).exists() else []
    except ArtifactError:
        return []  # the list itself is damaged, so no shard can be trusted and all are made again


def _is_sealed(folder: Path, record: dict[str, Any]) -> bool:
    try:
        return read_json(folder / MANIFEST)["kind"] == KIND and read_json(folder / CONFIG) == record
    except (ArtifactError, KeyError, TypeError):
        return False


def make_shard(unit: Unit, job: Job, count: Count) -> dict[str, Any]:
    """Harvest one unit into its shard; returns its entry in the list of units."""
    model, passages, config, folder, header = job
    tensors = _empty(unit.tokens, model.width, config)
    filled = 0
    for batch in stream(model, (passages[int(id_)] for id_ in unit.passages), config):
        rows = slice(filled, filled + len(batch.tokens))
        columns = {
            "token": batch.tokens,
            "passage": batch.passages,
            "position": batch.positions,
            "special": batch.special,
        }
        for name, values in {**batch.activations, **columns}.items():
            tensors[name][rows] = values
        filled = rows.stop
        count(len(batch.tokens))
    metadata = {
        **header,
        "tokens": [unit.first_token, unit.first_token + unit.tokens],
        "passages": [int(unit.passages[0]), int(unit.passages[-1])],
    }
    # One entry only: the file format keeps several in no fixed order, and the bytes must not vary.
    checksum = write_tensors(folder / unit.file, tensors, {"tymbal": json.dumps(metadata, sort_keys=True)})
    return {"file": unit.file, "bytes": (folder / unit.file).stat().st_size, "sha256": checksum, "tokens": unit.tokens}


def _empty(rows: int, width: int, config: HarvestConfig) -> dict[str, Tensor]:
    columns = {name: torch.empty(rows, dtype=torch.int32) for name in ("token", "passage", "position")}
    activations = {site: torch.empty(rows, width, dtype=STORED[config.dtype]) for site in config.sites}
    return {**activations, **columns, "special": torch.empty(rows, dtype=torch.bool)}
