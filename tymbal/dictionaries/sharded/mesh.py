"""Processes on a grid: ranks in one line hold the same rows and different features, ranks in one column the reverse.

PyTorch's `DeviceMesh` has the axes "rows" and "features". What a step sends, with b rows and f features a rank, R ranks
along the rows' axis, F along the features' axis, width w:

    over the features' axis   b · k · F candidate scores gathered, b · w partial reconstructions summed
    over the rows' axis       2 · f · w gradients summed

so that few features a rank make the first axis cheap, and few rows the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
import torch.distributed as dist
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard

from tymbal.dictionaries.config import TrainingConfig
from tymbal.dictionaries.ranks import ALONE, Ranks, has_line_a_feature
from tymbal.dictionaries.scores import Scores
from tymbal.dictionaries.sharded.collectives import reduced, shared_sum, summed_gradient
from tymbal.dictionaries.sharded.scores import Competitors, SharedScores
from tymbal.errors import TrainingError

ROWS, FEATURES = "rows", "features"
TRAINED = ("topk", "batch_topk", "jumprelu", "gated", "relu")
"""Kinds whose features can be spread; a matryoshka's first features would all fall to one rank."""


@dataclass(frozen=True, kw_only=True)
class Sharding:
    """How many processes share the rows of a batch, and how many the features."""

    row_parts: int = 1
    """Parts into which the rows of a batch are cut."""
    feature_parts: int = 1
    """Parts into which the features are cut; each of as many processes holds one."""

    def __post_init__(self) -> None:
        if self.row_parts < 1 or self.feature_parts < 1:
            raise ValueError(
                f"expected at least one part of rows and of features; got {self.row_parts} and {self.feature_parts}; "
                "raise them"
            )

    @classmethod
    def of(cls, processes: int, feature_parts: int) -> "Sharding":
        """All processes, of which `feature_parts` share each row; raises `TrainingError` where that leaves some over."""
        if feature_parts < 1 or processes % feature_parts:
            raise TrainingError(
                expected=f"parts of features that divide the {processes} processes",
                got=str(feature_parts),
                do="change the parts or the processes",
            )
        return cls(row_parts=processes // feature_parts, feature_parts=feature_parts)

    def require(self, config: TrainingConfig, processes: int) -> None:
        """Raise `TrainingError` where a run cannot be spread like this over so many processes."""
        if self.row_parts * self.feature_parts != processes:
            raise TrainingError(
                expected=f"{self.row_parts} · {self.feature_parts} processes",
                got=str(processes),
                do="start as many with torchrun, or change the parts",
            )
        if config.kind not in TRAINED or config.revival.resample_every:
            raise TrainingError(
                expected=f"a kind of {', '.join(TRAINED)} without resampling, spread over processes",
                got=config.kind + (" with resampling" if config.revival.resample_every else ""),
                do="train that in one process",
            )
        if config.batch < self.row_parts:
            raise TrainingError(
                expected=f"at least one row of a batch for each of {self.row_parts} processes",
                got=f"a batch of {config.batch}",
                do="raise the batch or start fewer processes",
            )
        for name, whole, parts in (("batch", config.batch, self.row_parts), ("features", config.features, self.feature_parts)):
            if whole % parts:
                raise TrainingError(
                    expected=f"{name} that can be cut into {parts} equal parts", got=str(whole), do="change one of them"
                )
        if config.k > config.features // self.feature_parts:
            raise TrainingError(
                expected=f"at least k ({config.k}) features in each part",
                got=str(config.features // self.feature_parts),
                do="cut the features into fewer parts",
            )


@final
class MeshRanks(Ranks):
    """One rank on a grid of processes, `mesh` with the axes rows and features.

    With `by_line`, each line of ranks with the same rows does the whole work for itself.
    """

    def __init__(self, mesh: DeviceMesh, *, by_line: bool = False) -> None:
        self.mesh = mesh
        self.feature_parts, self.feature_part = mesh.size(1), mesh.get_local_rank(FEATURES)
        self.row_parts, self.row_part = (1, 0) if by_line else (mesh.size(0), mesh.get_local_rank(ROWS))
        self._features, self._rows = mesh.get_group(FEATURES), mesh.get_group(ROWS)
        self._all = self._features if by_line else dist.group.WORLD

    @classmethod
    def spread(cls, sharding: Sharding, device: str) -> "MeshRanks":
        """This process's place; `torch.distributed` must have been initialised with as many processes as there are parts."""
        shape = (sharding.row_parts, sharding.feature_parts)
        return cls(init_device_mesh(device, shape, mesh_dim_names=(ROWS, FEATURES)))

    def with_same_rows(self) -> Ranks:
        """The ranks along the features' axis."""
        return MeshRanks(self.mesh, by_line=True)

    def scores(self, own: Scores) -> Scores:
        """Scores that compete with those of all ranks."""
        return SharedScores(own, Competitors(self._features, self._all, self.row_parts))

    def over_features(self, part: Tensor) -> Tensor:
        """The sum along the features' axis; its gradient is each part's."""
        return shared_sum(part, self._features) if self.feature_parts > 1 else part

    def shared(self, parameter: Tensor) -> Tensor:
        """The parameter; its gradient is summed along the features' axis."""
        return summed_gradient(parameter, self._features) if self.feature_parts > 1 else parameter

    def over_rows(self, part: Tensor) -> Tensor:
        """The sum along the rows' axis."""
        return reduced(part.detach(), self._rows) if self.row_parts > 1 else part

    def lowest(self, values: Float[Tensor, " entry"]) -> Float[Tensor, ""]:
        """The lowest of all ranks' values."""
        return reduced(ALONE.lowest(values), self._all, dist.ReduceOp.MIN)

    def lowest_in_rows(self, values: Float[Tensor, " row"]) -> Float[Tensor, " row"]:
        """The lowest along the features' axis, row by row."""
        return reduced(values, self._features, dist.ReduceOp.MIN) if self.feature_parts > 1 else values

    def anywhere(self, mask: Bool[Tensor, " feature"]) -> Bool[Tensor, " feature"]:
        """Which features are marked on any rank along the rows' axis."""
        return reduced(mask.to(torch.uint8), self._rows, dist.ReduceOp.MAX).bool() if self.row_parts > 1 else mask

    def clip(self, parameters: Mapping[str, nn.Parameter], features: int, most: float) -> Float[Tensor, ""]:
        """Sum gradients along the rows' axis, and scale them by the norm of the whole."""
        squares = {True: 0.0, False: 0.0}
        for name, parameter in parameters.items():
            assert parameter.grad is not None, name
            if self.row_parts > 1:
                dist.all_reduce(parameter.grad, group=self._rows)
            squares[has_line_a_feature(name, parameter, features)] += parameter.grad.square().sum()
        norm = torch.sqrt(self.over_features(torch.as_tensor(squares[True])) + squares[False])
        torch.nn.utils.clip_grads_with_norm_(parameters.values(), most, norm, foreach=True)
        return norm

    def whole(self, own: Tensor, *, cut: bool) -> DTensor:
        """The tensor of all ranks, of which this is one's own part; what is not cut along the features is equal on all."""
        return DTensor.from_local(own, self.mesh, [Replicate(), Shard(0) if cut else Replicate()], run_check=False)
