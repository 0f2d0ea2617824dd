"""Discs are turned where the truth is planted: activations that are sums of what each square holds, and noise."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tymbal.corpora.othello import draw_games
from tymbal.edits.replications import Flips, Reading, Turning, Way, draw_flips
from tymbal.edits.replications.turning import TurnDisc, board_pattern, read_site
from tymbal.probes.replications.board import board_rows, fit_board

WIDTH = 120


@pytest.fixture(scope="module")
def planted() -> Tensor:
    """What each content of each square adds to an activation."""
    return torch.randn(36, 3, WIDTH, generator=torch.Generator().manual_seed(0))


def activations(planted: Tensor, contents: Tensor) -> Tensor:
    noise = torch.randn(len(contents), WIDTH, generator=torch.Generator().manual_seed(1))
    return planted[torch.arange(36), contents].sum(1) + 0.1 * noise


@pytest.fixture(scope="module")
def reading(planted: Tensor) -> Reading:
    rows = board_rows(draw_games(150, seed=0))
    x = activations(planted, rows.contents)
    return read_site(fit_board(x, rows.contents), x, rows.contents, rows.ply)


@pytest.fixture(scope="module")
def flips() -> Flips:
    return draw_flips(draw_games(60, seed=8), seed=0)


def turned(flips: Flips, reading: Reading, planted: Tensor, way: Way, strength: float = 1.0) -> tuple[Tensor, Tensor]:
    x = activations(planted, flips.contents)
    rows = torch.zeros(*flips.tokens.shape, WIDTH).index_put((flips.cases, flips.ply), x)
    turning = Turning(way=way, sites=("resid_post.0",), strength=strength)
    (edit,) = turning.edits(flips, {"resid_post.0": reading})
    after = edit(rows)
    moved = (after != rows).any(2)
    assert (moved.sum(1) == 1).all()  # no other token changes
    assert moved[flips.cases, flips.ply].all()
    return x, after[flips.cases, flips.ply]


@pytest.mark.parametrize("way", [Way.PROBE, Way.GRADIENT, Way.PATTERN])
def test_the_probe_reads_the_turned_disc(flips: Flips, reading: Reading, planted: Tensor, way: Way) -> None:
    before, after = turned(flips, reading, planted, way)
    case = flips.cases
    assert (reading.probe.read(before)[case, flips.square] == flips.old).float().mean() > 0.99
    assert (reading.probe.read(after)[case, flips.square] == flips.new).all()
    scores = reading.probe.scores(after)[case, flips.square]
    odds = (scores.gather(1, flips.new[:, None]) - scores.gather(1, flips.old[:, None]))[:, 0]
    assert (odds >= reading.sureness[flips.square] * 0.999).all()


def test_a_random_direction_of_the_same_length_turns_few(flips: Flips, reading: Reading, planted: Tensor) -> None:
    before, after = turned(flips, reading, planted, Way.RANDOM)
    _, probed = turned(flips, reading, planted, Way.PROBE)
    torch.testing.assert_close((after - before).norm(dim=1), (probed - before).norm(dim=1), rtol=1e-4, atol=1e-4)
    read = reading.probe.read(after)[flips.cases, flips.square]
    assert (read == flips.new).float().mean() < 0.1


def test_the_pattern_is_what_was_planted(planted: Tensor) -> None:
    rows = board_rows(draw_games(300, seed=0))
    found = board_pattern(activations(planted, rows.contents), rows.contents, rows.ply)
    differences = found[:, 2] - found[:, 1], planted[:, 2] - planted[:, 1]
    assert torch.nn.functional.cosine_similarity(*differences, dim=1).min() > 0.99


def test_an_edit_by_the_pattern_makes_the_activation_of_the_wanted_board(
    flips: Flips, reading: Reading, planted: Tensor
) -> None:
    _, after = turned(flips, reading, planted, Way.PATTERN)
    before, wanted = activations(planted, flips.contents), activations(planted, flips.wanted)
    left = (after - wanted).norm(dim=1) / (before - wanted).norm(dim=1)
    assert left.median() < 0.4


def test_what_is_read_so_already_stays(flips: Flips, reading: Reading, planted: Tensor) -> None:
    done = replace(flips, contents=flips.wanted)  # the old content is now the other one
    x = activations(planted, flips.contents)[:, None].repeat(1, flips.tokens.shape[1], 1)
    weak = Turning(way=Way.PROBE, sites=("resid_post.0",), strength=1e-6)
    edit = TurnDisc(site="resid_post.0", flips=done, reading=reading, turning=weak)
    assert torch.equal(edit(x), x)
