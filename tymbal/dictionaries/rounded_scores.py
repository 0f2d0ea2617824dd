"""Scores on a GPU: the dense product in bfloat16, some rows at a time, and the exact scores of the best candidates.

    1. Product      for some rows at a time, so that the matrix of all scores is never held: `AT_ONCE` of them are.
    2. Candidates   the m highest bfloat16 scores of each row: they lie in the m groups of 32 features with the highest
                    maxima, so that only those are looked into after one pass.
    3. Score        candidates again in fp32, by gathered dot products.

An fp32 product costs a GPU some fifteen times a bfloat16 one, so that no row is scored in fp32 throughout. Where the
k-th exact score exceeds the lowest candidate's by more than the bound of `screening.py`, the choice is proven to be
that of exact scores; how many rows are not proven is counted. What exceeds a floor is found exactly.
"""

from collections.abc import Iterator
from typing import NamedTuple, final

import torch
from jaxtyping import BFloat16, Float, Int
from torch import Tensor

from tymbal.dictionaries.active import Active, gathered_dots
from tymbal.dictionaries.scores import Kept, Scores, best_of, entries_at, starts
from tymbal.dictionaries.screening import UNIT_ROUNDOFF, rounded

LANES = 32
"""Features in a group."""
IN_ROW, IN_BATCH = 2, 4
"""Candidates of a row, as multiples of k: where each row keeps k, and where rows may keep any number."""
AT_ONCE = 1 << 29
"""Scores held at once: 1 GiB."""


class _Candidates(NamedTuple):
    """The highest bfloat16 scores of each row."""

    features: Int[Tensor, "row candidate"]
    values: Float[Tensor, "row candidate"]
    """Their exact scores."""
    others: Float[Tensor, " row"]
    """No other feature's exact score is above this."""


@final
class RoundedScores(Scores):
    """Scores of fp32 rows, ranked in bfloat16 and chosen in fp32."""

    def __init__(
        self,
        centred: Float[Tensor, "row width"],
        encoder: Float[Tensor, "feature width"],
        bias: Float[Tensor, " feature"],
    ) -> None:
        self._centred, self._encoder, self._bias = centred, encoder, bias
        features, width = encoder.shape
        self._groups = -(-features // LANES)
        self._x = torch.empty_like(centred, dtype=torch.bfloat16)
        self._w = torch.zeros(self._groups * LANES, width, dtype=torch.bfloat16, device=encoder.device)
        # Features that only fill the last group are never the highest.
        self._b = torch.full((self._groups * LANES,), -torch.inf, dtype=torch.bfloat16, device=encoder.device)
        self._b[:features] = bias
        codes, lines = rounded(encoder, self._w[:features]), rounded(centred, self._x)
        longest, worst = codes.norms.max(), codes.errors.max()
        lost = (bias - self._b[:features].float()).abs().max()
        sums = (width + 1) * 2.0**-24 * (lines.norms * longest + bias.abs().max())
        self._error = 1.001 * (lines.norms * worst + lines.errors * (longest + worst) + lost + sums)
        self.uncertified = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and features."""
        return len(self._centred), len(self._encoder)

    @property
    def device(self) -> torch.device:
        """Where the scores lie."""
        return self._centred.device

    def highest_in_each_row(self, k: int) -> Active:
        """The k highest scores of each row, in any order, negative ones as 0."""
        found = self._candidates(min(IN_ROW * k, self.shape[1]))
        values, place = found.values.topk(k, dim=1, sorted=False)
        self.uncertified = int((values.amin(1) < found.others).sum())
        features = found.features.gather(1, place).flatten()
        return Active(features, values.relu().flatten(), starts(len(values), k, self.device))

    def highest_of_batch(self, k: int) -> Active:
        """The n·k highest positive scores of a batch of n rows."""
        rows, features = self.shape
        found = self._candidates(min(IN_BATCH * k, features))
        row = torch.arange(rows, device=self.device).unsqueeze(1)
        positive = found.values > 0
        kept = best_of(Kept((row * features + found.features)[positive], found.values[positive]), k * rows)
        cut = kept.values.min() if len(kept.values) == k * rows else 0.0
        self.uncertified = int((found.others > cut).sum())
        return entries_at(kept, rows, features)

    def above(self, floors: Float[Tensor, " feature"]) -> Active:
        """Every score that exceeds its feature's floor."""
        rows, features = self.shape
        parts = []
        for first, scores in self._products():
            error = self._error[first : first + len(scores)].unsqueeze(1)
            may = scores[:, :features].float()
            may = may + 2 * UNIT_ROUNDOFF * may.abs() + error
            row, feature = (may > floors).nonzero(as_tuple=True)
            counts = torch.bincount(row, minlength=len(scores))
            values = self._exact(slice(first, first + len(scores)), feature, counts.cumsum(0) - counts, row)
            kept = values > floors[feature]
            parts.append(Kept(((row + first) * features + feature)[kept], values[kept]))
        return entries_at(Kept(*(torch.cat(column) for column in zip(*parts, strict=True))), rows, features)

    def of(self, features: Int[Tensor, " chosen"]) -> Float[Tensor, "row chosen"]:
        """Every row's scores of a few features."""
        return torch.addmm(self._bias[features], self._centred, self._encoder[features].T)

    def dense(self) -> Float[Tensor, "row feature"]:
        """The whole matrix."""
        return torch.addmm(self._bias, self._centred, self._encoder.T)

    def _products(self) -> Iterator[tuple[int, BFloat16[Tensor, "some padded"]]]:
        """Scores in bfloat16 of some rows after the other, with the number of the first."""
        some = max(1, AT_ONCE // len(self._w))
        for first in range(0, len(self._x), some):
            yield first, torch.addmm(self._b, self._x[first : first + some], self._w.T)

    def _candidates(self, count: int) -> _Candidates:
        """The `count` highest bfloat16 scores of each row."""
        features, lowest = [], []
        for _, scores in self._products():
            groups = scores.view(len(scores), self._groups, LANES)
            best = groups.amax(2).topk(min(count, self._groups), dim=1, sorted=False).indices
            inside = groups.gather(1, best.unsqueeze(2).expand(-1, -1, LANES)).flatten(1)
            highest = inside.topk(count, dim=1, sorted=False)
            features.append(best.gather(1, highest.indices // LANES) * LANES + highest.indices % LANES)
            lowest.append(highest.values.amin(1).float())
        chosen, bound = torch.cat(features), torch.cat(lowest)
        rows = len(chosen)
        row = torch.arange(rows, device=self.device).repeat_interleave(count)
        values = self._exact(slice(None), chosen.flatten(), starts(rows, count, self.device), row)
        # The last rounding to bfloat16 is relative; all other errors are in the bound.
        others = bound + bound.abs() * 2 * UNIT_ROUNDOFF + self._error
        everything = count == self.shape[1]
        return _Candidates(
            chosen, values.view(rows, count), torch.full_like(others, -torch.inf) if everything else others
        )

    def _exact(self, rows: slice, features: Tensor, offsets: Tensor, row: Tensor) -> Float[Tensor, " entry"]:
        return gathered_dots(self._centred[rows], self._encoder, features, offsets, row) + self._bias[features]
