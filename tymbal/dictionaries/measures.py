"""Sums over the tokens of each held-out passage, from which every number of an evaluation is made.

Three kinds, all in fp64: of the reconstruction (`add_reconstruction`), of what the model says when it is spliced in
(`add_predictions`, `add_embeddings`), and of how often features fire (`firing.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tymbal.dictionaries.baselines import Subspace
from tymbal.dictionaries.dictionary import Codes, Dictionary
from tymbal.dictionaries.edits import MeanAblation, Read, Splice, SpliceTranscoded, ZeroAblation
from tymbal.dictionaries.held_out import HeldOutBatch
from tymbal.models import Edit, LanguageModel

L0_BINS = 1025
"""Tokens with 1,024 active features or more share the last bin of the histogram of L0."""


class Columns:
    """Named sums, one row a passage."""

    def __init__(self, passages: int) -> None:
        self.passages = passages
        self.sums: dict[str, Float[Tensor, "passage ..."]] = {}

    def count(self, name: str, passage: Int[Tensor, " row"], bins: Int[Tensor, " row"], number: int) -> None:
        """Add one to a bin of each row's passage; the last of `number` bins takes everything beyond."""
        if name not in self.sums:
            self.sums[name] = torch.zeros(self.passages, number, dtype=torch.float64)
        where = passage.cpu() * number + bins.cpu().clamp_max(number - 1)
        self.sums[name] += torch.bincount(where, minlength=self.passages * number).view(self.passages, number)

    def add(self, name: str, passage: Int[Tensor, " row"], amount: Float[Tensor, "row ..."]) -> None:
        """Add each row's amount to its passage's sum."""
        if name not in self.sums:
            self.sums[name] = torch.zeros(self.passages, *amount.shape[1:], dtype=torch.float64)
        self.sums[name].index_add_(0, passage.cpu(), amount.detach().to("cpu", torch.float64))


class Rows(NamedTuple):
    """What a dictionary reads, and what it should write: the same, but for a transcoder."""

    read: Float[Tensor, "row width"]
    written: Float[Tensor, "row target"]


@dataclass(frozen=True, kw_only=True)
class Systems:
    """The dictionary and what it is set against."""

    read_site: str
    site: str
    """Where the dictionary writes and every edit is made."""
    dictionary: Dictionary
    random: Dictionary
    subspace: Subspace
    mean: Float[Tensor, " width"]

    def edits(self, spared: Bool[Tensor, "batch token"]) -> dict[str, tuple[Edit, ...]]:
        """The edits of one batch, by name."""
        return {
            "spliced": self._splice(self.dictionary, spared),
            "random": self._splice(self.random, spared),
            "zero": (ZeroAblation(self.site, spared),),
            "mean": (MeanAblation(self.site, self.mean, spared),),
        }

    def _splice(self, dictionary: Dictionary, spared: Bool[Tensor, "batch token"]) -> tuple[Edit, ...]:
        if dictionary.ends.target is None:
            return (Splice(dictionary, self.site, spared),)
        source = Read(self.read_site)
        return source, SpliceTranscoded(dictionary, self.site, source, spared)


class BothCodes(NamedTuple):
    """Codes of the same rows."""

    dictionary: Codes
    random: Codes


def add_reconstruction(columns: Columns, systems: Systems, rows: Rows, passage: Int[Tensor, " row"]) -> BothCodes:
    """Add squared errors (squared units of the activation), the activations' own sums, and L0.

    `made.made` and `made.true` are what shrinkage is made of: what features add to the decoder bias, times itself and
    times what they should have added.
    """
    codes = BothCodes(systems.dictionary.encode(rows.read), systems.random.encode(rows.read))
    reconstructions = {
        "spliced": systems.dictionary.decode(codes.dictionary),
        "random": systems.random.decode(codes.random),
    }
    exact = rows.written.double()
    bias = systems.dictionary.decoder_bias.detach().double()
    made = reconstructions["spliced"].double() - bias
    columns.add("made.made", passage, made.square().sum(1))
    columns.add("made.true", passage, (made * (exact - bias)).sum(1))
    for name, reconstruction in reconstructions.items():
        columns.add(f"error.{name}", passage, (exact - reconstruction.double()).square().sum(1))
    columns.add("error.subspace", passage, systems.subspace.squared_errors(rows.written))
    # Sums are taken around the mean of all rows, so that no digits are lost where it is large.
    centred = exact - systems.mean.to(exact)
    columns.add("tokens", passage, torch.ones(len(exact)))
    columns.add("centred", passage, centred)
    columns.add("square", passage, centred.square().sum(1))
    columns.add("active", passage, codes.dictionary.l0().double())
    columns.count("l0", passage, codes.dictionary.l0(), L0_BINS)
    return codes


def add_predictions(
    columns: Columns, model: LanguageModel, batch: HeldOutBatch, edits: Mapping[str, tuple[Edit, ...]], plain: Tensor
) -> None:
    """Add cross-entropy and KL divergence (nats) of next-token predictions, unedited and under each edit.

    Counted are predictions from an ordinary token to an ordinary token: those that an edit can change. `plain` are the
    unedited logits.
    """
    counted = ~(batch.spared[:, :-1] | batch.spared[:, 1:])
    where = counted.nonzero()
    passage = batch.numbers[where[:, 0]]
    target = batch.tokens.ids[:, 1:][counted].to(plain.device)

    def chosen(logits: Tensor) -> Tensor:
        return logits[:, :-1][counted.to(logits.device)].float().log_softmax(-1)

    base = chosen(plain)
    columns.add("predictions", passage, torch.ones(len(passage)))
    columns.add("loss.plain", passage, -base.gather(1, target[:, None]).squeeze(1))
    for name, edit in edits.items():
        with model.edited(*edit):
            changed = chosen(model.logits(batch.tokens))
        columns.add(f"loss.{name}", passage, -changed.gather(1, target[:, None]).squeeze(1))
        columns.add(f"kl.{name}", passage, (base.exp() * (base - changed)).sum(1))


def add_embeddings(
    columns: Columns, model: LanguageModel, batch: HeldOutBatch, edits: Mapping[str, tuple[Edit, ...]], plain: Tensor
) -> None:
    """Add the cosine between each passage's embedding under each edit and its unedited one (`plain`)."""
    columns.add("embeddings", batch.numbers, torch.ones(len(batch.numbers)))
    for name, edit in edits.items():
        with model.edited(*edit):
            changed = model.pooled(batch.tokens)
        columns.add(f"cosine.{name}", batch.numbers, (plain.double() * changed.double()).sum(1))
