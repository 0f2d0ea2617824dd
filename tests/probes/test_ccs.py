"""Contrast-consistent search finds a planted truth, and a planted contrast that is more salient instead of it."""

import torch

from tymbal.probes import Classes
from tymbal.probes.ccs import fit_contrast
from tymbal.probes.scores import score


def pairs(salience: float):
    """Pairs along two units: one has the sign of the truth, the other that of something else, `salience` as strong."""
    generator = torch.Generator().manual_seed(0)
    truth, other = torch.randint(0, 2, (2, 400), generator=generator)
    noise = torch.randn(2, 400, 8, generator=generator)
    for side, sign in zip(noise, (1, -1), strict=True):
        side[:, 0] += sign * 4 * (2 * truth - 1)
        side[:, 1] += sign * 4 * salience * (2 * other - 1)
        side[:, 2] += 5 * sign  # which side it is
    return noise[0], noise[1], truth, other


def told(scores: torch.Tensor, ids: torch.Tensor) -> float:
    found = float(score(scores, Classes(ids, ("no", "yes")), torch.ones(1, len(ids)).double()))
    return max(found, 1 - found)


def test_a_planted_truth_is_found_without_labels() -> None:
    yes, no, truth, _ = pairs(0.0)
    found = fit_contrast(yes, no, steps=300)
    assert found.loss < 0.05
    assert told(found.scores(yes, no), truth) > 0.98


def test_the_more_salient_contrast_wins() -> None:
    yes, no, truth, other = pairs(1.0)
    yes[:, 0], no[:, 0] = yes[:, 0] / 4, no[:, 0] / 4  # no size matters once the sides are scaled, only noise does
    yes[:, 0] += 2 * torch.randn(400, generator=torch.Generator().manual_seed(1))
    no[:, 0] += 2 * torch.randn(400, generator=torch.Generator().manual_seed(2))
    scores = fit_contrast(yes, no, steps=300).scores(yes, no)
    assert told(scores, other) > 0.95
    assert told(scores, truth) < 0.75
