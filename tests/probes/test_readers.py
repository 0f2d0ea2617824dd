"""Each reader finds a planted direction, and its score is the one that theory gives."""

from math import erf

import pytest
import torch
from planted_rows import WIDTH, normal_rows

from tymbal.errors import ProbeError
from tymbal.probes import READERS, Attention, Classes, Logistic, MeanDifference, Numbers, Ridge, load_probe, save_probe
from tymbal.probes.readers import reader_for
from tymbal.probes.scores import score

LINEAR = ("logistic", "mean-difference", "lda")


def once(target):
    return torch.ones(1, len(target), dtype=torch.float64)


@pytest.mark.parametrize("kind", [*LINEAR, "mlp"])
def test_a_planted_direction_gives_the_auroc_of_the_closed_form(kind: str) -> None:
    gap = 1.5
    x, ids = normal_rows(3000, gap=gap)
    fresh, true = normal_rows(6000, gap=gap, seed=1)
    probe = READERS[kind]().fit(x, Classes(ids, ("no", "yes")), torch.arange(len(x)))
    target = Classes(true, ("no", "yes"))
    # Two normal classes of spread 1, `gap` apart: the difference of two draws is normal with mean gap and spread √2.
    best = (1 + erf(gap / 2)) / 2
    found = float(score(probe.scores(fresh), target, once(target)))
    assert found == pytest.approx(best, abs=0.04 if kind == "mlp" else 0.015)


@pytest.mark.parametrize("kind", LINEAR)
def test_a_linear_probe_points_along_the_planted_direction(kind: str) -> None:
    x, ids = normal_rows(3000, gap=2.0)
    scale = torch.linspace(0.5, 4, WIDTH)  # mean difference sees sizes, the others must not mind them
    wide = x if kind == "mean-difference" else x * scale + 9
    probe = READERS[kind]().fit(wide, Classes(ids, ("no", "yes")), torch.arange(len(x)))
    weight = probe.weight[0] if kind == "mean-difference" else probe.weight[0] * scale
    assert float(weight[2] / weight.norm()) > 0.97


def test_ridge_reaches_the_r2_that_the_noise_allows() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3000, WIDTH, generator=generator)
    values = 100 + 5 * (x[:, :2] + 0.5 * torch.randn(3000, 2, generator=generator)).double()
    probe = Ridge().fit(x[:2000], Numbers(values[:2000], ("u", "v")), torch.arange(2000))
    target = Numbers(values[2000:], ("u", "v"))
    assert float(score(probe.scores(x[2000:]), target, once(target))) == pytest.approx(1 / 1.25, abs=0.03)


def test_the_strength_is_chosen_between_groups_and_not_within_them() -> None:
    # Every group has its own direction and its own label: within groups everything can be told, between them nothing.
    generator = torch.Generator().manual_seed(0)
    groups = torch.arange(300) // 5
    label = torch.randint(0, 2, (60,), generator=generator)
    x = torch.randn(60, 80, generator=generator)[groups] + 0.1 * torch.randn(300, 80, generator=generator)
    target = Classes(label[groups], ("no", "yes"))
    kept_together = Logistic().fit(x, target, groups)
    torn_apart = Logistic().fit(x, target, torch.arange(300))
    assert float(kept_together.weight.norm()) < 0.2 * float(torn_apart.weight.norm())


def test_the_attention_reader_finds_the_one_token_that_tells() -> None:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 2, (600,), generator=generator)
    x = torch.randn(600, 6, WIDTH, generator=generator)
    place = torch.randint(0, 4, (600,), generator=generator)
    x[torch.arange(600), place, 0] += 6.0  # the mark of the telling token
    x[torch.arange(600), place, 1] += 3.0 * (2 * ids - 1)
    x[:, 4:] = torch.where((torch.arange(600) % 2 == 0)[:, None, None], float("nan"), x[:, 4:])  # half are shorter
    fit, tried = torch.arange(400), torch.arange(400, 600)
    target = Classes(ids, ("no", "yes"))
    attended = Attention().fit(x[fit], target[fit], fit).scores(x[tried])
    averaged = MeanDifference().fit(x.nanmean(1)[fit], target[fit], fit).scores(x.nanmean(1)[tried])
    own = target[tried]
    assert float(score(attended, own, once(own))) > 0.97
    assert float(score(attended, own, once(own))) > float(score(averaged, own, once(own)))


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_saved_probe_scores_as_the_one_that_was_saved(kind: str, tmp_path) -> None:
    x, ids = normal_rows(120, gap=2.0)
    rows = x[:, None] if kind == "attention" else x
    target = Numbers(x[:, :1].double(), ("u",)) if kind == "ridge" else Classes(ids, ("no", "yes"))
    probe = READERS[kind]().fit(rows, target, torch.arange(120))
    save_probe(probe, tmp_path / "probe", {"site": "resid_post.0"})
    loaded, config = load_probe(tmp_path / "probe")
    assert torch.equal(loaded.scores(rows), probe.scores(rows))
    assert config["site"] == "resid_post.0"


@pytest.mark.parametrize("kind", ["logistic", "lda", "mean-difference", "mlp", "attention"])
def test_three_classes_are_told_apart(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 3, (600,), generator=generator)
    x = torch.randn(600, WIDTH, generator=generator) + 4 * torch.eye(WIDTH)[ids]
    rows = x[:, None] if kind == "attention" else x
    target = Classes(ids, ("a", "b", "c"))
    probe = READERS[kind]().fit(rows[:400], target[torch.arange(400)], torch.arange(400))
    own = target[torch.arange(400, 600)]
    assert float(score(probe.scores(rows[400:]), own, once(own))) > 0.95


def test_a_reader_that_cannot_read_the_target_is_refused_by_name() -> None:
    with pytest.raises(ProbeError, match=r"a reader of numbers: ridge, mlp, attention; got 'lda'"):
        reader_for("lda", Numbers(torch.zeros(3, 1).double(), ("u",)))
    with pytest.raises(ProbeError, match="a reader of classes"):
        reader_for("ridge", Classes(torch.tensor([0, 1]), ("a", "b")))
