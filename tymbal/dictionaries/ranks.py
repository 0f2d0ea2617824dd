"""The processes (ranks) that share a training step, and what they must tell one another.

A step may be shared in two ways at once. Ranks along the rows' axis hold different rows of a batch; ranks along the
features' axis hold different features of the same rows. The loss is written once, in these terms:

    over_features   a sum over features is partial on each rank until it is summed along the features' axis
    shared          a parameter that all features use collects its gradient from all of them
    over_rows       a sum over rows is partial until it is summed along the rows' axis

`Alone` is the only rank, to whom its own part is the whole; the ranks of several processes are `sharded/mesh.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tymbal.dictionaries.scores import Scores


class Ranks(ABC):
    """What one rank asks of all; every rank must ask the same, in the same order."""

    row_parts: int
    """Ranks along the rows' axis: into so many equal parts a batch is cut."""
    feature_parts: int
    """Ranks along the features' axis: into so many equal parts the features are cut."""
    row_part: int
    """Which rows this rank holds."""
    feature_part: int
    """Which features this rank holds."""

    def rows(self, own: int) -> int:
        """Rows of the whole batch, from those of one part."""
        return own * self.row_parts

    @abstractmethod
    def with_same_rows(self) -> "Ranks":
        """The ranks that hold the same rows as this one: a whole to themselves."""

    @abstractmethod
    def scores(self, own: Scores) -> Scores:
        """Scores of one's own rows and features that compete with those of all ranks."""

    @abstractmethod
    def over_features(self, part: Tensor) -> Tensor:
        """The sum along the features' axis; every rank goes on with the same sum, and so has the same gradient."""

    @abstractmethod
    def shared(self, parameter: Tensor) -> Tensor:
        """A parameter that features use, as it is; its gradient is summed along the features' axis."""

    @abstractmethod
    def over_rows(self, part: Tensor) -> Tensor:
        """The sum along the rows' axis, without gradient."""

    @abstractmethod
    def lowest(self, values: Float[Tensor, " entry"]) -> Float[Tensor, ""]:
        """The lowest of all ranks' values; infinite where there is none."""

    @abstractmethod
    def lowest_in_rows(self, values: Float[Tensor, " row"]) -> Float[Tensor, " row"]:
        """For each row the lowest of the values that ranks along the features' axis give for it."""

    @abstractmethod
    def anywhere(self, mask: Bool[Tensor, " feature"]) -> Bool[Tensor, " feature"]:
        """Which of one's own features are marked on any rank along the rows' axis."""

    @abstractmethod
    def clip(self, parameters: Mapping[str, nn.Parameter], features: int, most: float) -> Float[Tensor, ""]:
        """Sum gradients along the rows' axis, and scale them so that the norm of the whole is at most `most`.

        `features` is the number of one's own features, by which parameters with a line for each are told. Returns the
        norm before it is scaled.
        """


@final
class Alone(Ranks):
    """The only rank."""

    row_parts = feature_parts = 1
    row_part = feature_part = 0

    def with_same_rows(self) -> Ranks:
        """Itself."""
        return self

    def scores(self, own: Scores) -> Scores:
        """The same scores."""
        return own

    def over_features(self, part: Tensor) -> Tensor:
        """The same."""
        return part

    def shared(self, parameter: Tensor) -> Tensor:
        """The same."""
        return parameter

    def over_rows(self, part: Tensor) -> Tensor:
        """The same."""
        return part

    def lowest(self, values: Float[Tensor, " entry"]) -> Float[Tensor, ""]:
        """The lowest value; infinite where there is none."""
        return values.min() if values.numel() else values.new_full((), torch.inf)

    def lowest_in_rows(self, values: Float[Tensor, " row"]) -> Float[Tensor, " row"]:
        """The same."""
        return values

    def anywhere(self, mask: Bool[Tensor, " feature"]) -> Bool[Tensor, " feature"]:
        """The same."""
        return mask

    def clip(self, parameters: Mapping[str, nn.Parameter], features: int, most: float) -> Float[Tensor, ""]:  # noqa: ARG002
        """Scale the gradients so that their norm is at most `most`; returns the norm before."""
        given = [parameter for parameter in parameters.values() if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in given if parameter.grad is not None])
        # Nearly every gradient is short: to scale it by 1 would cost a pass over all of it.
        if bool(norm > most):
            torch.nn.utils.clip_grads_with_norm_(given, most, norm)
        return norm


ALONE = Alone()


def has_line_a_feature(name: str, tensor: Tensor, features: int) -> bool:
    """Whether a parameter has one line for each feature, which is cut where features are; the others are whole."""
    return tensor.ndim > 0 and len(tensor) == features and name not in ("decoder_bias", "skip")
