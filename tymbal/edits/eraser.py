"""The linear eraser: after it, no linear probe reads the concept better than a constant, and no smaller edit does that.

eraser(x) = x - left · right · (x - mean), an affine map that is its own square and has rank width - (classes - 1).

Source: Belrose et al. 2023, "LEACE: Perfect linear concept erasure in closed form".
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, final

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import linear

from tymbal import artifact
from tymbal.edits.certificate import Certificate, CertificateConfig, certify
from tymbal.edits.record import FitRecord
from tymbal.errors import ArtifactError

ARTIFACT_KIND = "eraser"
TENSORS = "eraser.safetensors"


class _Working(NamedTuple):
    mean: Tensor
    left: Tensor
    right: Tensor


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Eraser:
    """Made by `EraserFitter.fit`."""

    mean: Float64[Tensor, " width"]
    left: Float64[Tensor, "width rank"]
    right: Float64[Tensor, "rank width"]
    record: FitRecord

    @property
    def width(self) -> int:
        """Units of one activation."""
        return len(self.mean)

    @property
    def rank(self) -> int:
        """Directions removed."""
        return self.left.shape[1]

    def __call__(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """The rows without the concept, in their own type; computed in fp32, for fp64 rows in fp64."""
        mean, left, right = self._exact if x.dtype == torch.float64 else self._single
        if x.device != mean.device:
            mean, left, right = mean.to(x.device), left.to(x.device), right.to(x.device)
        working = x.to(mean.dtype)
        return (working - linear(linear(working - mean, right), left)).to(x.dtype)

    def certify(
        self,
        x_heldout: Float[Tensor, "row width"],
        labels_heldout: Tensor,
        config: CertificateConfig | None = None,
        *,
        groups: Tensor | None = None,
        loss_change: float | None = None,
    ) -> Certificate:
        """Prove on other rows that the concept is gone; raises `CertificateError` where this cannot be claimed.

        `groups` numbers what rows belong together (documents, entities), which probe folds and intervals keep whole.
        `loss_change` (nats a token, on unrelated text) comes from `side_effects` and is only passed on.
        """
        return certify(
            self,
            self.record,
            x_heldout,
            labels_heldout,
            config or CertificateConfig(),
            groups=groups,
            loss_change=loss_change,
        )

    @cached_property
    def _exact(self) -> _Working:
        return _Working(self.mean, self.left, self.right)

    @cached_property
    def _single(self) -> _Working:
        # Kept for good: made in a reading, they could not be used where gradients are wanted.
        with torch.inference_mode(mode=False):
            return _Working(self.mean.float(), self.left.float(), self.right.float())

    def save(self, folder: Path | str) -> None:
        """Write the eraser and what it was fitted on."""
        folder = Path(folder)
        tensors = {"mean": self.mean, "left": self.left, "right": self.right}
        artifact.write_tensors(folder / TENSORS, {**tensors, "fingerprints": self.record.fingerprints})
        config: dict[str, Any] = {key: value for key, value in vars(self.record).items() if key != "fingerprints"}
        config["model"] = dict(self.record.model)
        artifact.seal(folder, ARTIFACT_KIND, {"format": 2, **config}, [TENSORS])


def load_eraser(folder: Path | str) -> Eraser:
    """The eraser in a folder; raises `ArtifactError` where it is missing, damaged or of another kind."""
    folder = Path(folder)
    artifact.require_kind(folder, ARTIFACT_KIND)
    for damaged in artifact.damage(folder):
        raise ArtifactError(expected=f"{damaged.path} as it was written", got=damaged.reason, do="restore the file")
    config, tensors = artifact.read_json(folder / artifact.CONFIG), artifact.read_tensors(folder / TENSORS)
    class_rows = config["class_rows"]
    record = FitRecord(
        rows=config["rows"],
        width=config["width"],
        classes=config["classes"],
        class_rows=None if class_rows is None else tuple(class_rows),
        shrinkage=config["shrinkage"],
        fingerprints=tensors["fingerprints"],
        # Erasers of format 1 say nothing of where their rows came from.
        site=config.get("site"),
        model=config.get("model", {}),
    )
    return Eraser(mean=tensors["mean"], left=tensors["left"], right=tensors["right"], record=record)
