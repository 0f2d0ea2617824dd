"""The steps of the ladder on planted peaks: what is there is found, and what is not is not."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score

from tymbal.probes import Classes, Example, Pooling, Readings
from tymbal.probes.splits import grouped_split
from tymbal.safety.concepts import ContrastConcept
from tymbal.safety.contrast import Contrast
from tymbal.safety.steps import against_probe, find, specificity, threshold

TEXTS, FEATURES, WIDTH, PLANTED = 120, 64, 8, 17


def planted(*, strength: float, seed: int = 0, probed: float = 0.0) -> Contrast:
    """Texts of which the first half have the concept; feature 17 is stronger on them by so much."""
    generator = torch.Generator().manual_seed(seed)
    having = torch.arange(TEXTS) < TEXTS // 2
    peaks = torch.randn(TEXTS, FEATURES, generator=generator).abs()
    peaks[:, PLANTED] = torch.randn(TEXTS, generator=generator) + strength * having
    mean = torch.randn(TEXTS, WIDTH, generator=generator)
    mean[:, 0] += probed * having
    examples = tuple(
        Example(f"text {row}", 0, 1, "with" if row < TEXTS // 2 else "without", "", "") for row in range(TEXTS)
    )
    groups = torch.arange(TEXTS)
    readings = Readings(
        activations={},
        pooling=Pooling.MEAN,
        target=Classes(having.long(), ("without", "with")),
        examples=torch.arange(TEXTS),
        groups=groups,
        datasets=torch.zeros(TEXTS, dtype=torch.long),
        dataset_names=("",),
        types=torch.zeros(TEXTS, dtype=torch.long),
        bag=csr_matrix(np.ones((TEXTS, 3), dtype=np.float32)),
        position=torch.zeros(TEXTS, 1),
        left_out=0,
    )
    return Contrast(
        concept=ContrastConcept(
            name="planted", sentence="", having=examples[: TEXTS // 2], lacking=examples[TEXTS // 2 :]
        ),
        peaks=peaks,
        random=torch.randn(TEXTS, FEATURES, generator=generator),
        mean=mean,
        tokens=torch.ones(TEXTS, 3),
        readings=readings,
        split=grouped_split(groups, 0.5, seed),
    )


def test_a_planted_feature_is_found_and_judged_on_texts_that_did_not_choose_it() -> None:
    contrast = planted(strength=3.0)
    found = find(contrast, shuffles=50, seed=0)
    held = contrast.split.held_out
    oracle = roc_auc_score(contrast.target.ids[held].numpy(), contrast.peaks[held][:, PLANTED].numpy())
    assert found.feature == PLANTED
    assert found.step.holds is True
    assert found.step.finding is not None
    assert found.step.finding.value == pytest.approx(oracle)
    assert found.step.finding.low < oracle < found.step.finding.high or oracle > 0.99
    assert found.step.p_value == pytest.approx(1 / 51)
    assert abs(found.step.finding.baselines["shuffled labels"].value - 0.5) < 0.1


def test_noise_is_found_no_more_often_than_chance_allows() -> None:
    """The best of 64 noisy features looks good where it is chosen; judged elsewhere it passes in 5 % at most."""
    outcomes = [find(planted(strength=0.0, seed=seed), shuffles=40, seed=seed) for seed in range(40)]
    assert sum(outcome.step.holds is True for outcome in outcomes) <= 4  # of 40 at 5 %: in 95 cases of 100


def test_a_feature_that_random_directions_equal_is_not_found() -> None:
    contrast = planted(strength=3.0)
    rivals = contrast.random.clone()
    rivals[:, 5] = contrast.peaks[:, PLANTED] + 10 * contrast.target.ids
    rivalled = Contrast(**{**vars(contrast), "random": rivals})
    assert find(rivalled, shuffles=40, seed=0).step.holds is False


def test_the_threshold_parts_planted_values() -> None:
    values = torch.tensor([0.0, 0.0, 1.0, 4.0, 5.0, 6.0])
    assert 1.0 < threshold(values, torch.tensor([0, 0, 0, 1, 1, 1])) < 4.0
    assert 0.0 < threshold(torch.tensor([0.0, 0.0, 0.0, 2.0]), torch.tensor([0, 0, 1, 1])) < 2.0


def test_a_feature_that_fires_elsewhere_is_not_specific() -> None:
    contrast = planted(strength=6.0)
    found = find(contrast, shuffles=40, seed=0)
    silent = torch.randn(80, FEATURES, generator=torch.Generator().manual_seed(1)).abs()
    loud = silent.clone()
    silent[:, PLANTED], loud[:, PLANTED] = 0.0, 9.0
    own = specificity(contrast, found, {"elsewhere": silent}, 0)
    other = specificity(contrast, found, {"elsewhere": loud}, 0)
    assert own.holds is True
    assert own.finding is not None
    assert own.finding.value == pytest.approx(1.0)
    assert other.holds is False
    assert other.finding is not None
    assert other.finding.value == pytest.approx(0.5, abs=0.03)


def test_specificity_is_the_share_that_bayes_gives() -> None:
    contrast = planted(strength=6.0)
    found = find(contrast, shuffles=40, seed=0)
    rows = torch.zeros(100, FEATURES)
    rows[:30, PLANTED] = 9.0
    step = specificity(contrast, found, {"one": rows, "two": torch.zeros(7, FEATURES)}, 0)
    true = step.details["fires on"]["with it"]
    assert step.finding is not None
    assert step.finding.value == pytest.approx(true / (true + 0.15))


def test_a_probe_that_reads_more_than_the_feature_wins() -> None:
    weak = planted(strength=2.0, probed=6.0)
    strong = planted(strength=6.0, probed=0.0)
    for contrast, holds in ((weak, False), (strong, True)):
        found = find(contrast, shuffles=40, seed=0)
        step = against_probe(contrast, found, 0)
        assert found.feature == PLANTED
        assert step.holds is holds
