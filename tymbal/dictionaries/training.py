"""Train a dictionary on a source of activations, with checkpoints.

1. Take the run up at its last whole checkpoint, or initialise from the source's first rows.
2. Step through the source; batch i is a pure function of i, so nothing about the data is saved.
3. Fold the scale into the parameters, write the dictionary and its loss curve (`training.json`), drop the checkpoints.

A run that was killed and continued ends with the same bytes as one that was not.
"""

from collections.abc import Mapping
from math import ceil, isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tymbal import artifact
from tymbal.activations import Progress, RowSource
from tymbal.dictionaries import checkpoints
from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.files import load_dictionary
from tymbal.dictionaries.trainer import Progressed, Trainer
from tymbal.dictionaries.units import FIRST_ROWS, units
from tymbal.errors import TrainingError, listed

CURVE = "training.json"
CURVE_POINTS = 500
"""The loss curve has about this many points."""


def train(
    source: RowSource,
    config: TrainingConfig,
    folder: Path | str,
    progress: Progress | None = None,
    *,
    site: str | None = None,
    model: Mapping[str, Any] | None = None,
    ends: Ends = AUTOENCODER,
) -> Dictionary:
    """Train a dictionary into `folder`, or finish a run that was broken off there; the result is in the model's units.

    `site` and `model` (`LanguageModel.identity`) say where the activations come from and are recorded. `ends` makes it
    a transcoder or a crosscoder; the source's rows then hold all sites side by side (`SideBySide`). Raises
    `TrainingError` where the loss is not finite, the source too small, or `folder` holds another run, `ValueError`
    where `ends` does not fit the source's width.
    """
    folder = Path(folder)
    if config.batch > source.rows_per_epoch:
        raise TrainingError(
            expected=f"at least one batch of {config.batch} rows",
            got=f"{source.rows_per_epoch} rows in the source",
            do="lower the batch or harvest more text",
        )
    run = {
        "training": config.to_json(),
        "rows_per_epoch": source.rows_per_epoch,
        "width": source.width,
        "site": site,
        "model": dict(model or {}),
        **ends.to_json(),
    }
    if artifact.is_sealed(folder):
        return _finished(folder, run)
    trainer, curve = _taken_up(source, config, folder, run, ends)
    _run(trainer, curve, source, folder, run, progress)
    dictionary = trainer.finished()
    dictionary.site, dictionary.model = site, run["model"]
    artifact.write_json(folder / CURVE, _columns(curve))
    notes = {
        "training": run["training"],
        "rows_per_epoch": source.rows_per_epoch,
        # A screened run selects the same features, but sums their scores in another order.
        "screened": trainer.room is not None,
    }
    dictionary.save(folder, notes=notes, tables=(CURVE,))
    checkpoints.remove(folder)
    return dictionary


def _finished(folder: Path, run: dict[str, Any]) -> Dictionary:
    """The dictionary of this very run, already complete; refuses another."""
    dictionary = load_dictionary(folder)
    _same_run(artifact.read_json(folder / artifact.CONFIG), run, folder)
    checkpoints.remove(folder)
    return dictionary


def _taken_up(
    source: RowSource, config: TrainingConfig, folder: Path, run: dict[str, Any], ends: Ends
) -> tuple[Trainer, list[Progressed]]:
    steps = config.steps(source.rows_per_epoch)
    place = checkpoints.last(folder)
    if place is not None:
        checkpoint = checkpoints.read(place)
        _same_run(checkpoint.config, run, place)
        curve = [_point(*row) for row in checkpoint.state["curve"].tolist()]
        return Trainer.restored(config, source.width, steps, checkpoint.state, ends), curve
    count = min(steps, ceil(FIRST_ROWS / config.batch))
    rows = torch.cat([source.batch(step, config.batch) for step in range(count)])
    trainer = Trainer(config, source.width, steps, units(rows, ends), ends)
    trainer.begin(rows)
    return trainer, []


def _point(step: float, loss: float, fvu: float, l0: float, dead: float, *others: float) -> Progressed:
    return Progressed(int(step), loss, fvu, l0, int(dead), *others)


def _same_run(found: Mapping[str, Any], run: Mapping[str, Any], place: Path) -> None:
    asked = {**run, **run["training"]}
    held = {**found, **found.get("training", {})}
    differing = sorted(name for name in asked if name != "training" and held.get(name) != asked[name])
    if differing:
        raise TrainingError(
            expected=f"the run that {place} holds ({listed(f'{name} {held.get(name)}' for name in differing)})",
            got=listed(f"{name} {asked[name]}" for name in differing),
            do="ask for the same run or choose another folder",
        )


def _run(
    trainer: Trainer,
    curve: list[Progressed],
    source: RowSource,
    folder: Path,
    run: dict[str, Any],
    progress: Progress | None,
) -> None:
    config, steps = trainer.config, trainer.steps
    every = max(1, steps // CURVE_POINTS)
    while trainer.done < steps:
        step = trainer.done
        rows = source.batch(step, config.batch)
        measured = trainer.step(rows)
        if not isfinite(measured.loss):
            raise _diverged(step, rows, folder)
        if step % every == 0 or trainer.done == steps:
            curve.append(measured)
        if trainer.done % config.checkpoint_every == 0 and trainer.done < steps:
            points = torch.tensor(curve, dtype=torch.float64).reshape(-1, len(Progressed._fields))
            checkpoints.write(folder, trainer.done, run, trainer.state() | {"curve": points})
        if progress is not None:
            progress(trainer.done * config.batch, steps * config.batch, "tokens")


def _diverged(step: int, rows: Tensor, folder: Path) -> TrainingError:
    place = checkpoints.last(folder)
    kept = f"the last good checkpoint is {place}" if place else "there is no checkpoint yet"
    if not bool(torch.isfinite(rows).all()):
        cause, remedy = "activations that hold NaN or infinity", "harvest them again"
    else:
        cause, remedy = "a loss or gradient that is NaN or infinite", "lower the learning rate"
    return TrainingError(expected="a finite loss", got=f"{cause} at step {step}", do=f"{remedy}; {kept}")


def _columns(curve: list[Progressed]) -> dict[str, list[float | int]]:
    return {name: [getattr(point, name) for point in curve] for name in Progressed._fields}
