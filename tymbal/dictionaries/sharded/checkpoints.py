"""What the processes of one run keep together, in a folder that all of them see.

`checkpoints/00000250/` holds one safetensors file a rank, written by PyTorch's distributed checkpoint (DCP), which notes
with each part its place in the whole; so a run may be continued on another grid. What is in them:

    parameters, Adam's moments, tokens since each feature last fired      cut along the features
    steps taken, position in the data, units, controller, loss curve      the same on all ranks
    the state of each rank's random generators                            under the rank's number

Each rank takes the checksum of its own file; rank 0 gathers them in the manifest, which comes last: a folder without
one was cut short, and is passed over as a damaged one is.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor
from torch.distributed.tensor import DTensor

from tymbal import artifact
from tymbal.dictionaries.checkpoints import KIND, Checkpoint, Keeper, drop_old, folders, place_of, remove
from tymbal.dictionaries.curve import CURVE, write_curve
from tymbal.dictionaries.dictionary import ARTIFACT_KIND, TENSORS, Dictionary
from tymbal.dictionaries.ranks import has_line_a_feature
from tymbal.dictionaries.sharded.file import write_together
from tymbal.dictionaries.sharded.mesh import MeshRanks
from tymbal.dictionaries.trainer import Progressed, Trainer
from tymbal.dictionaries.training import Run
from tymbal.dictionaries.units import Units

CUT = ("dictionary", "adam", "idle")
"""First words of the names of tensors that may have a line for each feature."""
GENERATOR = "generator"


@final
class SharedKeeper(Keeper):
    """Keeps a run of many processes; every rank calls the same."""

    def __init__(self, run: Run, ranks: MeshRanks) -> None:
        super().__init__(run.folder)
        self._run, self._ranks, self._device = run, ranks, run.device
        self._features = run.config.features // ranks.feature_parts

    def last(self) -> Path | None:
        """The newest checkpoint that is whole; each rank looks at some of its files."""
        return next((place for place in _agreed(list(folders(self.folder))) if _whole(place)), None)

    def write(self, step: int, config: dict[str, Any], state: dict[str, Tensor]) -> None:
        """Write the checkpoint after `step` steps, then drop all but the last two."""
        place, rank = place_of(self.folder, step), dist.get_rank()
        if rank == 0:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
        dist.barrier()
        position = torch.tensor([step * self._run.config.batch])
        everything = {**state, "position": position, **_generators(self._device)}
        writer = dcp.HuggingFaceStorageWriter(str(place), save_distributed=True)
        dcp.save(self._placed(everything), storage_writer=writer)
        own = {path.name: artifact.file_checksum(path) for path in place.glob(f"shard-{rank + 1:05d}-*")}
        checksums = {name: checksum for each in _told(own) for name, checksum in each.items()}
        if rank == 0:
            artifact.seal(place, KIND, config, list(checksums), checksums=checksums)
            drop_old(self.folder)
        dist.barrier()

    def read(self, place: Path) -> Checkpoint:
        """A checkpoint's configuration, and the tensors of this rank's part; sets this rank's generators."""
        reader = dcp.HuggingFaceStorageReader(str(place))
        shapes = {name: entry.size for name, entry in reader.read_metadata().state_dict_metadata.items()}  # pyright: ignore[reportAttributeAccessIssue]
        wanted = self._blank() | {"curve": torch.zeros(shapes["curve"], dtype=torch.float64)}
        wanted |= {"position": torch.zeros(1, dtype=torch.int64)}
        # On another grid a rank may be new; it goes on with the generators that it began with.
        wanted |= {name: state for name, state in _generators(self._device).items() if name in shapes}
        placed = self._placed(wanted)
        dcp.load(placed, storage_reader=reader)
        state = {name: _own(tensor).reshape(wanted[name].shape) for name, tensor in placed.items()}
        _restore_generators(state, self._device)
        return Checkpoint(place, artifact.read_json(place / artifact.CONFIG), state)

    def finish(self, dictionary: Dictionary, curve: Sequence[Progressed], notes: Mapping[str, Any]) -> None:
        """Write the dictionary, each rank its own features, and the loss curve; then drop the checkpoints."""
        tensors = {
            name: self._ranks.whole(tensor, cut=has_line_a_feature(name, tensor, self._features))
            for name, tensor in dictionary.state_dict().items()
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        checksum = write_together(self.folder / TENSORS, tensors)
        if dist.get_rank() == 0:
            write_curve(self.folder, curve)
            config = {**dictionary.config(), "features": self._run.config.features, **notes}
            artifact.seal(self.folder, ARTIFACT_KIND, config, [TENSORS, CURVE], checksums={TENSORS: checksum})
            remove(self.folder)
        dist.barrier()

    def _placed(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors with their place in the whole; DCP takes none without an axis."""
        placed = {}
        for name, tensor in state.items():
            first, last = name.split(".")[0], name.split(".")[-1]
            cut = first in CUT and has_line_a_feature(last, tensor, self._features)
            placed[name] = self._ranks.whole(tensor, cut=True) if cut else tensor.reshape(tensor.shape or 1)
        return placed

    def _blank(self) -> dict[str, Tensor]:
        """Tensors to be read into, of the shapes of this rank's part."""
        config, width = self._run.config, self._run.source.width
        nothing = Units(torch.zeros(width).double(), torch.zeros(width).double(), 1.0)
        trainer = Trainer(config, width, 1, nothing, self._run.ends, ranks=self._ranks, device=self._device)
        for parameter in trainer.dictionary.parameters():
            moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
            trainer.optimiser.state[parameter] = {"step": torch.zeros((), device=self._device), **moments}
        return trainer.state()


def _own(tensor: Tensor) -> Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _told(value: Any) -> list[Any]:
    """What every rank has to say, in the order of ranks."""
    said: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(said, value)
    return said


def _agreed(places: list[Path]) -> list[Path]:
    """Rank 0's list, so that no rank looks at a folder that another does not see yet."""
    said: list[Any] = [places]
    dist.broadcast_object_list(said, src=0)
    return said[0]


def _whole(place: Path) -> bool:
    """Whether all ranks find the files that they look at as they were written."""
    part, parts = dist.get_rank(), dist.get_world_size()
    sound = artifact.is_sealed(place) and next(artifact.damage(place, part=part, parts=parts), None) is None
    return all(_told(sound))


def _generators(device: str) -> dict[str, Tensor]:
    """The state of this rank's random generators."""
    states = {f"{GENERATOR}.{dist.get_rank()}": torch.get_rng_state()}
    if device == "cuda":
        states[f"{GENERATOR}.{dist.get_rank()}.cuda"] = torch.cuda.get_rng_state()
    return states


def _restore_generators(state: Mapping[str, Tensor], device: str) -> None:
    name = f"{GENERATOR}.{dist.get_rank()}"
    if name in state:
        torch.set_rng_state(state[name])
    if device == "cuda" and f"{name}.cuda" in state:
        torch.cuda.set_rng_state(state[f"{name}.cuda"])
