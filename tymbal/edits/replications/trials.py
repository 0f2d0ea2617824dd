"""How a model plays on boards of which one disc was turned in its activations, and how settings are chosen.

The number that counts is Li's and Nanda's: among the model's first N choices, N being the number of moves legal on the
turned board, how many are not legal there, and how many legal ones are missing. A way's blocks and strength are chosen
on cases of other games than it is judged by.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tymbal.corpora.othello.card import wrong_choices
from tymbal.dictionaries import Number
from tymbal.edits.replications.flips import Flips
from tymbal.edits.replications.turning import Reading, Turning, Way
from tymbal.models import LanguageModel
from tymbal.probes.splits import GroupDraws

STRENGTHS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
_DRAWS = 1_000


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One way's result over all cases, and over those whose legal moves change."""

    name: str
    sites: tuple[str, ...]
    strength: float | None
    wrong: Number
    wrong_changing: Number
    exact: Number
    """share of cases in which nothing is wrong"""

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


def next_logits(
    model: LanguageModel, flips: Flips, turning: Turning | None, readings: Mapping[str, Reading]
) -> Float[Tensor, "case vocabulary"]:
    """The logits of each case's next move, with its disc turned or, without a way, as they are."""
    edits = turning.edits(flips, readings) if turning else []
    with model.edited(*edits):
        return model.logits(flips.tokens[:, : int(flips.ply.max()) + 1])[flips.cases, flips.ply]


def chosen_turning(model: LanguageModel, flips: Flips, way: Way, readings: Mapping[str, Reading]) -> Turning:
    """The blocks with the fewest wrong choices on these cases at strength 1, then the strength for these blocks."""
    by_blocks = [Turning(way=way, sites=sites, strength=1.0) for sites in _blocks(list(readings))]
    found = _best(model, flips, by_blocks, readings)
    return _best(model, flips, [replace(found, strength=strength) for strength in STRENGTHS], readings)


def _best(model: LanguageModel, flips: Flips, tried: Sequence[Turning], readings: Mapping[str, Reading]) -> Turning:
    wrong = [wrong_choices(next_logits(model, flips, turning, readings), flips.after).sum() for turning in tried]
    return tried[int(torch.stack(wrong).argmin())]


def _blocks(sites: list[str]) -> Iterator[tuple[str, ...]]:
    """One site alone, or it and all that follow."""
    for number, site in enumerate(sites[:-1]):
        yield (site,)
        yield tuple(sites[number:])


def trial(name: str, logits: Float[Tensor, "case vocabulary"], flips: Flips, turning: Turning | None) -> Trial:
    """Wrong choices with intervals over cases, each of which is of a game of its own."""
    return _summed(name, wrong_choices(logits, flips.after), flips, turning)


def own_board(logits: Float[Tensor, "case vocabulary"], flips: Flips) -> Trial:
    """The unedited model held against the board as it is: what no edit can be expected to go below."""
    return _summed("unedited, its own board", wrong_choices(logits, flips.before), flips, None)


def _summed(name: str, wrong: Tensor, flips: Flips, turning: Turning | None) -> Trial:
    drawn = GroupDraws(flips.cases, draws=_DRAWS, seed=0)

    def mean(values: Tensor, among: Tensor) -> Number:
        hits, counts = (values * among).double(), among.double()
        return drawn.number(lambda weights: (weights @ hits) / (weights @ counts))

    every = torch.ones(len(flips), dtype=torch.bool)
    return Trial(
        name=name,
        sites=turning.sites if turning else (),
        strength=turning.strength if turning else None,
        wrong=mean(wrong, every),
        wrong_changing=mean(wrong, flips.changing),
        exact=mean(wrong == 0, every),
    )
