"""Train dictionaries on a source of activations, with checkpoints.

1. Take each run up at its last whole checkpoint, or initialise from the source's first rows.
2. Step through the source; batch i is a pure function of i, so nothing about the data is saved. Runs that share a
   source share its batches: a sweep over kinds, k or numbers of features reads the activations once.
3. Fold the units into the parameters, write the dictionary and its loss curve (`training.json`), drop the checkpoints.

A run that was killed and continued ends with the same bytes as one that was not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tymbal import artifact
from tymbal.activations import Progress, RowSource
from tymbal.dictionaries.checkpoints import Keeper, OwnKeeper, remove
from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.curve import POINTS
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import AUTOENCODER, Ends
from tymbal.dictionaries.files import load_dictionary
from tymbal.dictionaries.loggers import Logger
from tymbal.dictionaries.ranks import ALONE, Ranks
from tymbal.dictionaries.trainer import Progressed, Trainer
from tymbal.dictionaries.units import FIRST_ROWS, units
from tymbal.errors import TrainingError, listed


@dataclass(frozen=True, kw_only=True)
class Run:
    """One dictionary to be trained."""

    source: RowSource
    """Its activations; a transcoder's or crosscoder's rows hold all sites side by side (`SideBySide`)."""
    config: TrainingConfig
    folder: Path
    """Where the dictionary goes."""
    site: str | None = None
    """Where the activations come from; recorded."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """Identity of the model they come from (`LanguageModel.identity`); recorded."""
    ends: Ends = AUTOENCODER
    """What makes it a transcoder or a crosscoder."""
    logger: Logger | None = None
    """Where the points of the loss curve go besides `training.json`."""
    device: str = "cpu"
    """Where the dictionary lies while it is trained: cpu, or cuda."""

    def record(self) -> dict[str, Any]:
        """What makes this run the one it is."""
        return {
            "training": self.config.to_json(),
            "rows_per_epoch": self.source.rows_per_epoch,
            "width": self.source.width - (self.ends.target.width if self.ends.target else 0),
            "site": self.site,
            "model": dict(self.model),
            **self.ends.to_json(),
        }


def train(
    source: RowSource,
    config: TrainingConfig,
    folder: Path | str,
    progress: Progress | None = None,
    *,
    site: str | None = None,
    model: Mapping[str, Any] | None = None,
    ends: Ends = AUTOENCODER,
    logger: Logger | None = None,
    device: str = "cpu",
) -> Dictionary:
    """Train a dictionary into `folder`, or finish a run that was broken off there; the result is in the model's units.

    The other arguments are those of `Run`. Raises `TrainingError` where the loss is not finite, the source too small,
    or `folder` holds another run, `ValueError` where `ends` does not fit the source's width.
    """
    run = Run(
        source=source,
        config=config,
        folder=Path(folder),
        site=site,
        model=model or {},
        ends=ends,
        logger=logger,
        device=device,
    )
    return train_many([run], progress)[0]


def train_many(runs: Sequence[Run], progress: Progress | None = None) -> list[Dictionary]:
    """Train several dictionaries at once, each as `train` would, with one pass over each source that they share."""
    if len({run.folder for run in runs}) < len(runs):
        raise ValueError("expected a folder for each run; got the same folder twice; name others")
    for run in runs:
        require_rows(run)
    finished = {run.folder: _finished(run) for run in runs if artifact.is_sealed(run.folder)}
    working = [Work(run) for run in runs if run.folder not in finished]
    total = sum(work.trainer.steps * work.run.config.batch for work in working)
    while ahead := [work for work in working if work.left]:
        step = min(work.trainer.done for work in ahead)
        batches: dict[tuple[int, int], Tensor] = {}
        for work in ahead:
            if work.trainer.done == step:
                shared = id(work.run.source), work.run.config.batch
                if shared not in batches:
                    batches[shared] = work.run.source.batch(step, work.run.config.batch)
                work.advance(batches[shared])
        if progress is not None:
            progress(sum(work.trainer.done * work.run.config.batch for work in working), total, "tokens")
    finished |= {work.run.folder: work.finish() for work in working}
    return [finished[run.folder] for run in runs]


def require_rows(run: Run) -> None:
    """Raise `TrainingError` where the source has less than a batch."""
    if run.config.batch > run.source.rows_per_epoch:
        raise TrainingError(
            expected=f"at least one batch of {run.config.batch} rows",
            got=f"{run.source.rows_per_epoch} rows in the source",
            do="lower the batch or harvest more text",
        )


def _finished(run: Run) -> Dictionary:
    """The dictionary of this very run, already complete; refuses another."""
    dictionary = load_dictionary(run.folder)
    same_run(artifact.read_json(run.folder / artifact.CONFIG), run.record(), run.folder)
    remove(run.folder)
    return dictionary


class Work:
    """A run at work: its trainer and the loss curve so far."""

    def __init__(self, run: Run, keeper: Keeper | None = None, ranks: Ranks = ALONE) -> None:
        self.run, self.record = run, run.record()
        self.keeper = OwnKeeper(run.folder) if keeper is None else keeper
        config, source = run.config, run.source
        steps = config.steps(source.rows_per_epoch)
        self._every = max(1, steps // POINTS)
        place = self.keeper.last()
        if place is not None:
            checkpoint = self.keeper.read(place)
            same_run(checkpoint.config, self.record, place)
            self.curve = [_point(*row) for row in checkpoint.state["curve"].tolist()]
            self.trainer = Trainer.restored(
                config, source.width, steps, checkpoint.state, run.ends, ranks=ranks, device=run.device
            )
            return
        count = min(steps, ceil(FIRST_ROWS / config.batch))
        rows = torch.cat([source.batch(step, config.batch) for step in range(count)])
        self.curve = []
        scale = units(rows, run.ends)
        self.trainer = Trainer(config, source.width, steps, scale, run.ends, ranks=ranks, device=run.device)
        self.trainer.begin(rows)

    @property
    def left(self) -> int:
        """Steps that are still to be taken."""
        return self.trainer.steps - self.trainer.done

    def advance(self, rows: Tensor) -> None:
        """Take one step, note and keep what must be."""
        config, trainer, step = self.run.config, self.trainer, self.trainer.done
        measured = trainer.step(rows)
        if not isfinite(measured.loss):
            raise _diverged(step, rows, self.keeper.last())
        if step % self._every == 0 or trainer.done == trainer.steps:
            self.curve.append(measured)
            if self.run.logger is not None:
                self.run.logger.log(step, measured._asdict())
        if trainer.done % config.checkpoint_every == 0 and trainer.done < trainer.steps:
            points = torch.tensor(self.curve, dtype=torch.float64).reshape(-1, len(Progressed._fields))
            self.keeper.write(trainer.done, self.record, trainer.state() | {"curve": points})

    def finish(self) -> Dictionary:
        """Write the dictionary."""
        dictionary = self.trainer.finished()
        dictionary.site, dictionary.model = self.run.site, self.record["model"]
        # A screened run selects the same features, but sums their scores in another order.
        screened = {"screened": self.trainer.room is not None}
        notes = {name: self.record[name] for name in ("training", "rows_per_epoch")} | screened
        self.keeper.finish(dictionary, self.curve, notes)
        if self.run.logger is not None:
            self.run.logger.close()
        return dictionary


def _point(step: float, loss: float, fvu: float, l0: float, dead: float, *others: float) -> Progressed:
    return Progressed(int(step), loss, fvu, l0, int(dead), *others)


def same_run(found: Mapping[str, Any], run: Mapping[str, Any], place: Path) -> None:
    """Raise `TrainingError` where what `place` holds is another run than the one asked for."""
    asked = {**run, **run["training"]}
    held = {**found, **found.get("training", {})}
    differing = sorted(name for name in asked if name != "training" and held.get(name) != asked[name])
    if differing:
        raise TrainingError(
            expected=f"the run that {place} holds ({listed(f'{name} {held.get(name)}' for name in differing)})",
            got=listed(f"{name} {asked[name]}" for name in differing),
            do="ask for the same run or choose another folder",
        )


def _diverged(step: int, rows: Tensor, place: Path | None) -> TrainingError:
    kept = f"the last good checkpoint is {place}" if place else "there is no checkpoint yet"
    if not bool(torch.isfinite(rows).all()):
        cause, remedy = "activations that hold NaN or infinity", "harvest them again"
    else:
        cause, remedy = "a loss or gradient that is NaN or infinite", "lower the learning rate"
    return TrainingError(expected="a finite loss", got=f"{cause} at step {step}", do=f"{remedy}; {kept}")
