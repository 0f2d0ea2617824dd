"""Every measure against its closed form on data whose true value is known."""

import pytest
import torch
from torch.nn.functional import one_hot

from tymbal.dictionaries import Codes, TopK
from tymbal.dictionaries.baselines import Subspace, random_dictionary
from tymbal.dictionaries.bootstrap import Bootstrap
from tymbal.dictionaries.findings import dead, dense_features, deviations, histogram_quantile, loss_recovered
from tymbal.dictionaries.firing import Firing
from tymbal.dictionaries.measures import Columns, Rows, Systems, add_reconstruction


def axes_dictionary(width: int, k: int) -> TopK:
    """Features are the axes and their opposites: k of them reconstruct the k largest coordinates exactly."""
    dictionary = TopK(width, 2 * width, k)
    with torch.no_grad():
        dictionary.encoder.copy_(torch.cat([torch.eye(width), -torch.eye(width)]))
        dictionary.decoder.copy_(dictionary.encoder)
    return dictionary.requires_grad_(False)


def both(rows: torch.Tensor) -> Rows:
    """An autoencoder reads and writes the same rows."""
    return Rows(rows, rows)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_variance_unexplained_of_a_known_reconstruction(offset: float) -> None:
    """Rows with coordinates ±1, ±2, ±3 (one sign each) in the model's units: keeping the largest leaves 1 + 4 of 14."""
    width, passages = 3, 6
    generator = torch.Generator().manual_seed(0)
    sign = one_hot(torch.randint(2, (600, width), generator=generator), 2).float() @ torch.tensor([-1.0, 1.0])
    sign = torch.cat([sign, -sign])  # so that the mean is exactly the offset
    rows = sign * torch.tensor([1.0, 2.0, 3.0]) + offset
    passage = torch.arange(1200) % passages
    dictionary = axes_dictionary(width, 1)
    dictionary.decoder_bias.fill_(offset)
    mean = rows.mean(0)
    covariance = (rows - mean).double().T @ (rows - mean).double() / len(rows)
    systems = Systems(
        read_site="embed",
        site="embed",
        dictionary=dictionary,
        random=random_dictionary(dictionary, rows, 0),
        subspace=Subspace(mean, covariance, 1),
        mean=mean + 0.3,  # any fixed point will do
    )
    columns = Columns(passages)
    for part in range(0, 1200, 500):
        add_reconstruction(columns, systems, both(rows[part : part + 500]), passage[part : part + 500])
    sums = columns.sums | {"deviation": deviations(columns.sums)}
    resampled = Bootstrap(passages, draws=50, seed=0).over(sums)
    fvu = resampled.number(lambda sums: sums["error.spliced"] / sums["deviation"])
    assert fvu.value == pytest.approx(5 / 14, rel=1e-4)
    assert resampled.number(lambda sums: sums["active"] / sums["tokens"]).value == 1
    # The best line through uncorrelated coordinates of variance 1, 4, 9 is the third axis: the same share is left.
    eigen = torch.linalg.eigvalsh(covariance)
    best = resampled.number(lambda sums: sums["error.subspace"] / sums["deviation"]).value
    assert best == pytest.approx(float(1 - eigen[-1] / eigen.sum()), rel=1e-4)
    random = resampled.number(lambda sums: sums["error.random"] / sums["deviation"]).value
    assert random > fvu.value


def test_a_perfect_dictionary_leaves_nothing_and_the_mean_leaves_everything() -> None:
    rows = torch.randn(200, 4)
    mean = rows.mean(0)
    perfect = axes_dictionary(4, 4)
    systems = Systems(
        read_site="embed",
        site="embed",
        dictionary=perfect,
        random=random_dictionary(perfect, rows, 0),
        subspace=Subspace(mean, torch.eye(4), 4),
        mean=mean,
    )
    columns = Columns(1)
    add_reconstruction(columns, systems, both(rows), torch.zeros(200, dtype=torch.long))
    sums = {name: column.sum(0, keepdim=True) for name, column in columns.sums.items()}
    assert float(sums["error.spliced"]) < 1e-9
    assert float(sums["error.subspace"]) < 1e-9
    torch.testing.assert_close(deviations(columns.sums)[0], (rows - mean).double().square().sum(), rtol=1e-6, atol=0)
    assert float(sums["active"]) == 800


def test_loss_recovered() -> None:
    sums = {name: torch.tensor([value]) for name, value in (("loss.plain", 2.0), ("loss.zero", 10.0), ("loss.s", 4.0))}
    assert float(loss_recovered(sums, "loss.s", "loss.zero")) == 0.75
    assert float(loss_recovered(sums, "loss.plain", "loss.zero")) == 1
    assert float(loss_recovered(sums, "loss.zero", "loss.zero")) == 0


def test_quantiles_of_a_histogram() -> None:
    counts = torch.tensor([[0.0, 1, 2, 0, 1]])
    assert [int(histogram_quantile(counts, share)) for share in (0.05, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0)] == [
        1, 1, 2, 2, 2, 4, 4,
    ]  # fmt: skip


def fired(codes: torch.Tensor, passage: torch.Tensor) -> Firing:
    """Firing of dense 0/1 codes."""
    firing = Firing(codes.shape[1])
    rows = torch.arange(codes.shape[1]).expand_as(codes)
    for number in passage.unique():
        mine = passage == number
        firing.add(Codes(rows[mine], codes[mine]), passage[mine])
    return firing


def test_density_and_its_error_are_those_of_resampled_passages() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(5, 40, (200,), generator=generator)
    passage = torch.repeat_interleave(torch.arange(200), lengths)
    chance = torch.rand(200, 3, generator=generator)[passage] * torch.tensor([0.05, 0.4, 1.0])
    codes = (torch.rand(len(passage), 3, generator=generator) < chance).float()
    firing = fired(codes, passage)
    torch.testing.assert_close(firing.density(), codes.double().mean(0))
    counts = torch.zeros(200, 3, dtype=torch.float64).index_add_(0, passage, codes.double())
    weights = Bootstrap(200, draws=4000, seed=0).weights
    drawn = (weights @ counts) / (weights @ lengths.double())[:, None]
    torch.testing.assert_close(firing.density_error(), drawn.std(0), rtol=0.06, atol=0)


def test_dead_features_are_counted_and_more_text_can_only_lower_the_count() -> None:
    codes = torch.zeros(400, 10)
    codes[:, 0] = 1  # always
    codes[7, 1] = codes[8, 1] = 1  # in one passage only
    number = dead(fired(codes, torch.arange(400) // 10))
    assert number.value == number.high == 8
    assert 5 < number.low < 8


def test_a_feature_above_the_bound_is_dense() -> None:
    generator = torch.Generator().manual_seed(1)
    codes = (torch.rand(5000, 3, generator=generator) < torch.tensor([0.02, 0.1, 0.5])).float()
    number = dense_features(fired(codes, torch.arange(5000) // 50), 0.1)
    assert (number.low, number.high) == (1, 2)
    assert number.value in (1, 2)


def test_slots_that_are_empty_do_not_fire() -> None:
    firing = Firing(4)
    firing.add(Codes(torch.tensor([[0, 3], [0, 3]]), torch.tensor([[0.0, 2.0], [0.0, 0.5]])), torch.tensor([4, 4]))
    assert firing.fired.tolist() == [0, 0, 0, 2]
    assert firing.in_passages.tolist() == [0, 0, 0, 1]
