"""Where the numbers of a training run may also go while it runs.

A `Logger` gets the same points as `training.json`. The two here need libraries that Tymbal does not: an absent one is
answered with `MissingExtraError`.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, final, runtime_checkable

from tymbal.errors import MissingExtraError

EXTRA = "loggers"


@runtime_checkable
class Logger(Protocol):
    """Takes numbers by name, step by step."""

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Take the numbers of one step."""
        ...

    def close(self) -> None:
        """Write out what is still held."""
        ...


@final
class TensorBoard:
    """Writes events for TensorBoard into a folder."""

    def __init__(self, folder: Path | str) -> None:
        _required("tensorboard")
        self._writer: Any = import_module("torch.utils.tensorboard").SummaryWriter(str(folder))

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Take the numbers of one step."""
        for name, number in numbers.items():
            self._writer.add_scalar(name, number, step)

    def close(self) -> None:
        """Write out what is still held."""
        self._writer.close()


@final
class WeightsAndBiases:
    """Sends numbers to Weights & Biases; `settings` go to `wandb.init` as they are."""

    def __init__(self, **settings: Any) -> None:
        self._run: Any = _required("wandb").init(**settings)

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Take the numbers of one step."""
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


def _required(library: str) -> Any:
    try:
        return import_module(library)
    except ImportError as error:
        raise MissingExtraError(library, EXTRA) from error
