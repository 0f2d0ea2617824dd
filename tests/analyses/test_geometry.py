"""Months planted on a circle, and years on a line."""

import numpy as np
import pytest
import torch
from analysed import PASSAGE, coded

from tymbal.analyses import Annotated, Coded, geometry, true_places
from tymbal.analyses.geometry import MONTHS
from tymbal.dictionaries.concept_labels import Labels
from tymbal.errors import TymbalError

PASSAGES = 180


def planted(names: list[str], *, seed: int = 0) -> Annotated:
    """Each concept has a feature of its own that fires on its tokens; ten more fire at random."""
    generator = np.random.default_rng(seed)
    rows = PASSAGES * PASSAGE
    which = generator.integers(0, 3 * len(names), rows)
    values = np.zeros((rows, len(names) + 10))
    told = which < len(names)
    values[told, which[told]] = 2
    values[:, len(names) :] = generator.random((rows, 10)) < 0.05
    made = coded(values)

    def labels(part: Coded) -> Labels:
        mine = which[np.isin(made.passage, part.passage)]
        token = np.flatnonzero(mine < len(names))
        passage = np.unique(part.passage, return_inverse=True)[1]
        return Labels(
            passage=torch.from_numpy(passage), token=torch.from_numpy(token), concept=torch.from_numpy(mine[token])
        )

    return Annotated(made, labels, names)


def circle(count: int, extra: int) -> torch.Tensor:
    """Directions of the first features on a circle, of the others at random."""
    angle = torch.arange(count) * 2 * torch.pi / count
    around = torch.stack([angle.sin(), angle.cos(), *torch.zeros(6, count)], 1)
    return torch.cat([around, torch.randn(extra, 8, generator=torch.Generator().manual_seed(0))])


def test_months_on_a_circle_are_found_to_lie_on_one():
    told = geometry(planted([f"month.{name}" for name in MONTHS]), circle(12, 10), "month")
    found = told.findings["distances as in truth"]
    assert found.value > 0.99
    assert found.low > 0.9
    assert abs(found.baselines["shuffled names"].value) < 0.1
    assert found.baselines["random features"].high < 0.8
    assert told.findings["p under shuffled names"].value == pytest.approx(0.001)
    assert told.findings["share of the spread on two axes"].value > 0.99


def test_months_without_an_order_are_not():
    decoder = torch.randn(22, 8, generator=torch.Generator().manual_seed(3))
    told = geometry(planted([f"month.{name}" for name in MONTHS]), decoder, "month")
    assert told.findings["p under shuffled names"].value > 0.01


def test_numbers_lie_on_a_line_and_names_without_truth_have_no_score():
    names = [f"year.{1000 + 10 * number}" for number in range(8)]
    decoder = torch.zeros(18, 4)
    decoder[:8, 0] = torch.arange(8.0)
    told = geometry(planted(names), decoder, "year")
    assert told.findings["distances as in truth"].value > 0.99
    unknown = geometry(planted([f"animal.{letter}" for letter in "abcde"]), torch.randn(15, 4), "animal")
    assert "distances as in truth" not in unknown.findings


def test_true_places_of_opposite_months_are_farthest_apart():
    places = true_places("month", ["january", "july", "february"])
    assert places is not None
    assert np.linalg.norm(places[0] - places[1]) == pytest.approx(2)
    assert np.linalg.norm(places[0] - places[2]) == pytest.approx(2 * np.sin(np.pi / 12))


def test_a_family_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(TymbalError, match="month"):
        geometry(planted([f"month.{name}" for name in MONTHS]), circle(12, 10), "town")
