"""The abstract dictionary: sparse codes for activations, and back.

An activation x of the model's width becomes a `Codes`: for each row a few features and how strongly each is active,
in the model's own units. The decoder has one direction of unit norm a feature, so that
`x ≈ decoder_bias + Σ value · decoder[feature]`.

Each kind (`topk.py`, `batch_topk.py`, …) is one final class that says which scores stay active: `select` when the
dictionary is used, `select_in_training` when it is trained. Nothing else differs between them here.

Source: Gao et al. 2024, "Scaling and evaluating sparse autoencoders", section 2.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from tymbal import artifact
from tymbal.dictionaries.active import Active, weighted_sums

TENSORS = "dictionary.safetensors"
ARTIFACT_KIND = "dictionary"
FORMAT = 1
SCORES_AT_ONCE = 1 << 25
"""At most this many scores (rows × features) are held at once while encoding: 128 MiB in fp32."""


class Codes(NamedTuple):
    """Active features of each row, in no particular order; a slot whose value is 0 is empty, whatever its index."""

    indices: Int[Tensor, "*rows slot"]
    values: Float[Tensor, "*rows slot"]

    def l0(self) -> Int[Tensor, "*rows"]:
        """How many features are active in each row."""
        return (self.values != 0).sum(-1)


class Dictionary(nn.Module, ABC):
    """Features of one site: `encode` activations to sparse codes, `decode` codes to activations."""

    kind: ClassVar[str]
    """The name in `config.json` and on the command line."""

    def __init__(self, width: int, features: int, k: int, *, site: str | None = None) -> None:
        """A dictionary of zeros, to be filled by training or from a file.

        Raises `ValueError` where k does not lie between 1 and `features`.
        """
        super().__init__()
        if not 1 <= k <= features:
            raise ValueError(f"expected k between 1 and the number of features ({features}); got k = {k}; lower k")
        self.width, self.features, self.k, self.site = width, features, k, site
        self.model: dict[str, Any] = {}
        """Identity of the model that the features belong to (`LanguageModel.identity`); empty if unknown."""
        self.encoder = nn.Parameter(torch.zeros(features, width))
        self.encoder_bias = nn.Parameter(torch.zeros(features))
        self.decoder = nn.Parameter(torch.zeros(features, width))
        self.decoder_bias = nn.Parameter(torch.zeros(width))

    @abstractmethod
    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """The features that stay active, each row by itself; values are at least 0."""

    @abstractmethod
    def select_in_training(self, scores: Float[Tensor, "row feature"]) -> Active:
        """The features that stay active in a training batch; may look at the whole batch."""

    def observe(self, active: Active) -> None:
        """Learn what inference needs, such as a threshold, from what one training batch kept."""

    def rescale(self, factor: float) -> None:
        """Make a dictionary for x into one for `factor · x`; directions stay, values grow by `factor`."""
        with torch.no_grad():
            self.encoder_bias.mul_(factor)
            self.decoder_bias.mul_(factor)

    def scores(
        self, x: Float[Tensor, "row width"], *, out: Float[Tensor, "row feature"] | None = None
    ) -> Float[Tensor, "row feature"]:
        """Each feature's pre-activation, `encoder · (x - decoder_bias) + encoder_bias`, in units of the activation."""
        return torch.addmm(self.encoder_bias, x - self.decoder_bias, self.encoder.T, out=out)

    def encode(self, x: Float[Tensor, "*rows width"]) -> Codes:
        """Sparse codes of activations; computed in the dictionary's own precision."""
        rows = x.reshape(-1, self.width).to(self.encoder.dtype)
        chunk = max(1, SCORES_AT_ONCE // self.features)
        parts = [self.select(self.scores(part)) for part in rows.split(chunk)] or [self.select(self.scores(rows))]
        slots = max(part.indices.shape[-1] for part in parts)
        indices = torch.cat([F.pad(part.indices, (0, slots - part.indices.shape[-1])) for part in parts])
        values = torch.cat([F.pad(part.values, (0, slots - part.values.shape[-1])) for part in parts])
        shape = (*x.shape[:-1], slots)
        return Codes(indices.reshape(shape), values.reshape(shape))

    def decode(self, codes: Codes) -> Float[Tensor, "*rows width"]:
        """The activations that codes stand for."""
        slots = codes.indices.shape[-1]
        if slots == 0:
            return self.decoder_bias.expand(*codes.indices.shape[:-1], self.width).clone()
        flat = F.embedding_bag(
            codes.indices.reshape(-1, slots),
            self.decoder,
            per_sample_weights=codes.values.reshape(-1, slots).to(self.decoder.dtype),
            mode="sum",
        )
        return (flat + self.decoder_bias).reshape(*codes.indices.shape[:-1], self.width)

    def decode_active(self, active: Active) -> Float[Tensor, "row width"]:
        """Σ value · direction for each row of a training batch, without the decoder bias and without gradients."""
        return weighted_sums(active.features, active.values.detach(), active.offsets, self.decoder.detach())

    def forward(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """The reconstruction of x."""
        return self.decode(self.encode(x))

    def config(self) -> dict[str, Any]:
        """What `config.json` says, besides how the dictionary was trained."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "width": self.width,
            "features": self.features,
            "k": self.k,
            "site": self.site,
            "model": self.model,
        }

    def save(self, folder: Path | str, *, notes: Mapping[str, Any] | None = None, tables: tuple[str, ...] = ()) -> None:
        """Write `config.json`, `dictionary.safetensors` and the manifest.

        `notes` joins the configuration; `tables` names files already in `folder` that belong to the dictionary.
        """
        folder = Path(folder)
        tensors = {name: tensor.detach().cpu() for name, tensor in self.state_dict().items()}
        artifact.write_tensors(folder / TENSORS, tensors)
        artifact.seal(folder, ARTIFACT_KIND, {**self.config(), **(notes or {})}, [TENSORS, *tables])
