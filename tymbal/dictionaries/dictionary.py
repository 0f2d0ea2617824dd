"""The abstract dictionary: sparse codes for activations, and back.

An activation x of the model's width becomes a `Codes`: for each row a few features and how strongly each is active,
in the model's own units. The decoder has one direction of unit norm a feature, so that
`x ≈ decoder_bias + Σ value · decoder[feature]`.

Each kind (`topk.py`, `jumprelu.py`, …) is one final class that says which scores stay active: `select` when the
dictionary is used, `select_in_training` when it is trained. What it reads and writes is not a matter of kind: any of
them may be a transcoder or a crosscoder (`ends.py`).

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
from tymbal.dictionaries.ends import AUTOENCODER, Ends, RowUnits
from tymbal.dictionaries.ranks import ALONE, Ranks
from tymbal.dictionaries.scores import Scores

TENSORS = "dictionary.safetensors"
ARTIFACT_KIND = "dictionary"
FORMAT = 2
SCORES_AT_ONCE = 1 << 25
"""At most this many scores (rows × features) are held at once while encoding: 128 MiB in fp32."""


class Codes(NamedTuple):
    """Active features of each row, in no particular order; a slot whose value is 0 is empty, whatever its index."""

    indices: Int[Tensor, "*rows slot"]
    values: Float[Tensor, "*rows slot"]
    base: Float[Tensor, "*rows width"] | None = None
    """What the features are added to, where it depends on the row; None: the decoder bias."""

    def l0(self) -> Int[Tensor, "*rows"]:
        """How many features are active in each row."""
        return (self.values != 0).sum(-1)


class Dictionary(nn.Module, ABC):
    """Features of activations: `encode` activations to sparse codes, `decode` codes to activations."""

    kind: ClassVar[str]
    """The name in `config.json` and on the command line."""
    competitive: ClassVar[bool]
    """Whether features compete for k places a row (TopK and its kin), or each is judged by itself."""
    unit_norm: ClassVar[bool] = True
    """Whether directions keep norm 1 while training; when saved they always have it."""
    ranks: Ranks = ALONE
    """Who else holds features of the same rows, or other rows, in training; then `features` are only one's own."""
    valued: ClassVar[tuple[str, ...]] = ()
    """Tensors besides the biases that are in units of values, such as thresholds: they grow as values do."""

    def __init__(
        self, width: int, features: int, k: int | None = None, *, site: str | None = None, ends: Ends = AUTOENCODER
    ) -> None:
        """A dictionary of zeros, to be filled by training or from a file.

        `k` is how many features are meant to be active in a row: the number itself for TopK, the mean for every other
        kind, None where nobody knows. Raises `ValueError` where k does not lie between 1 and `features` or is missing
        though features compete for it, or where the parts of a crosscoder do not make up its width.
        """
        super().__init__()
        if k is None and self.competitive:
            raise ValueError(f"expected k of a {self.kind} dictionary; got none; name it")
        if k is not None and not 1 <= k <= features:
            raise ValueError(f"expected k between 1 and the number of features ({features}); got k = {k}; lower k")
        ends.require_width(width)
        self.width, self.features, self.k, self.site, self.ends = width, features, k, site, ends
        self.target_width = ends.target.width if ends.target else width
        """Width of what is written; `width` is that of what is read."""
        self.model: dict[str, Any] = {}
        """Identity of the model that the features belong to (`LanguageModel.identity`); empty if unknown."""
        self.encoder = nn.Parameter(torch.zeros(features, width))
        self.encoder_bias = nn.Parameter(torch.zeros(features))
        self.decoder = nn.Parameter(torch.zeros(features, self.target_width))
        self.decoder_bias = nn.Parameter(torch.zeros(self.target_width))
        skip = nn.Parameter(torch.zeros(self.target_width, width)) if ends.target and ends.target.skip else None
        self.register_parameter("skip", skip)

    skip: Float[Tensor, "target width"] | None
    """The linear map of a skip transcoder."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Dictionary":
        """A dictionary of zeros as `config` describes it."""
        ends = Ends.from_json(config)
        dictionary = cls(config["width"], config["features"], config["k"], site=config["site"], ends=ends)
        dictionary.model = config["model"]
        return dictionary

    @property
    def places(self) -> int:
        """How many places features compete for, in each row or on average; k, where it must be known."""
        assert self.k is not None
        return self.k

    @abstractmethod
    def select(self, scores: Float[Tensor, "row feature"]) -> Codes:
        """The features that stay active, each row by itself; values are at least 0."""

    @abstractmethod
    def select_in_training(self, scores: Scores) -> Active:
        """The features that stay active in a training batch; may look at the whole batch."""

    def start(self, scores: Float[Tensor, "row feature"], share: float) -> None:
        """Make each feature active in about `share` of these rows; nothing is done where features compete."""

    def project(self) -> None:
        """Bring parameters that a step led out of their bounds back there."""

    def observe(self, active: Active) -> None:
        """Learn what inference needs, such as a threshold, from what one training batch kept."""

    @torch.no_grad()
    def rescale(self, factor: float) -> None:
        """Make a dictionary for x into one for `factor · x`; directions stay, values grow by `factor`."""
        for name in ("encoder_bias", "decoder_bias", *self.valued):
            getattr(self, name).mul_(factor)

    @torch.no_grad()
    def move_origin(self, shift: Float[Tensor, " width"]) -> None:
        """Make a transcoder that reads x into one that reads x + shift."""
        self.encoder_bias.sub_(self.encoder @ shift)

    @torch.no_grad()
    def scale_values(self, factors: Float[Tensor, " feature"]) -> None:
        """Make each feature's values so many times as large; which features are active stays as it is.

        Raises `ValueError` for different factors in a kind with one threshold for the values of all features.
        """
        if self.competitive and not torch.allclose(factors, factors[0], rtol=1e-5, atol=0):
            raise ValueError(
                f"expected a kind that judges each feature by itself; got {self.kind}, which compares their values; "
                "give every direction the same norm"
            )
        self.encoder.mul_(factors.unsqueeze(1))
        for name in ("encoder_bias", *self.valued):
            tensor = getattr(self, name)
            tensor.mul_(factors if tensor.ndim else factors[0])

    @torch.no_grad()
    def fold_norms(self) -> None:
        """Give each direction norm 1, and its feature's values the norm that it had; the reconstruction is the same.

        A direction of zero stays one. Raises `ValueError` as `scale_values` does.
        """
        norms = self.decoder.norm(dim=1)
        norms[norms == 0] = 1
        if not torch.allclose(norms, torch.ones_like(norms), rtol=0, atol=1e-5):
            self.scale_values(norms)
            self.decoder.div_(norms.unsqueeze(1))

    def scores(
        self, x: Float[Tensor, "row width"], *, out: Float[Tensor, "row feature"] | None = None
    ) -> Float[Tensor, "row feature"]:
        """Each feature's pre-activation, `encoder · centred(x) + encoder_bias`, in units of the activation."""
        return torch.addmm(self.encoder_bias, self.centred(x), self.encoder.T, out=out)

    def centre(self) -> Float[Tensor, " width"]:
        """What is taken from each row before it is encoded: the decoder bias, but 0 where that is of another site."""
        return self.decoder_bias.new_zeros(self.width) if self.ends.target else self.ranks.shared(self.decoder_bias)

    def centred(self, x: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        """Rows as the encoder takes them."""
        return x if self.ends.target else x - self.decoder_bias

    def direction_norms(self) -> Float[Tensor, " feature"]:
        """The norm of each feature's direction; of a crosscoder's the sum of the norms at its sites."""
        widths = [part.width for part in self.ends.parts] or [self.target_width]
        return torch.stack([part.norm(dim=1) for part in self.decoder.split(widths, dim=1)]).sum(0)

    def encode(self, x: Float[Tensor, "*rows width"]) -> Codes:
        """Sparse codes of activations; computed in the dictionary's own precision."""
        rows = x.reshape(-1, self.width).to(self.encoder.dtype)
        units = self.ends.row_units(rows)
        normal = rows if units is None else (rows - units.shift) / (units.scale + units.epsilon)
        chunk = max(1, SCORES_AT_ONCE // self.features)
        parts = [self.select(self.scores(part)) for part in normal.split(chunk)] or [self.select(self.scores(normal))]
        slots = max(part.indices.shape[-1] for part in parts)
        indices = torch.cat([F.pad(part.indices, (0, slots - part.indices.shape[-1])) for part in parts])
        values = torch.cat([F.pad(part.values, (0, slots - part.values.shape[-1])) for part in parts])
        if units is not None:
            values = values * units.scale
        base = self._base(rows, units)
        return Codes(
            indices.reshape(*x.shape[:-1], slots),
            values.reshape(*x.shape[:-1], slots),
            None if base is None else base.reshape(*x.shape[:-1], self.target_width),
        )

    def _base(self, rows: Tensor, units: RowUnits | None) -> Float[Tensor, "row target"] | None:
        if units is not None:
            return torch.addcmul(units.shift, units.scale, self.decoder_bias)
        return None if self.skip is None else torch.addmm(self.decoder_bias, rows, self.skip.T)

    def decode(self, codes: Codes) -> Float[Tensor, "*rows target"]:
        """The activations that codes stand for."""
        shape, slots = codes.indices.shape[:-1], codes.indices.shape[-1]
        base = self.decoder_bias if codes.base is None else codes.base
        if slots == 0:
            return base.expand(*shape, self.target_width).clone()
        flat = F.embedding_bag(
            codes.indices.reshape(-1, slots),
            self.decoder,
            per_sample_weights=codes.values.reshape(-1, slots).to(self.decoder.dtype),
            mode="sum",
        )
        return flat.reshape(*shape, self.target_width) + base

    def decode_active(self, active: Active) -> Float[Tensor, "row target"]:
        """Σ value · direction for each row of a training batch, without the decoder bias and without gradients."""
        return weighted_sums(active.features, active.values.detach(), active.offsets, self.decoder.detach())

    def forward(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows target"]:
        """The reconstruction of x; a transcoder's prediction of the target."""
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
            **self.ends.to_json(),
        }

    def save(self, folder: Path | str, *, notes: Mapping[str, Any] | None = None, tables: tuple[str, ...] = ()) -> None:
        """Write `config.json`, `dictionary.safetensors` and the manifest.

        `notes` joins the configuration; `tables` names files already in `folder` that belong to the dictionary.
        """
        folder = Path(folder)
        tensors = {name: tensor.detach().cpu() for name, tensor in self.state_dict().items()}
        artifact.write_tensors(folder / TENSORS, tensors)
        artifact.seal(folder, ARTIFACT_KIND, {**self.config(), **(notes or {})}, [TENSORS, *tables])
