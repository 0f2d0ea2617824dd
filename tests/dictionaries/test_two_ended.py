"""Transcoders and crosscoders: trained on planted rows, back in the models' units, and features of one site alone."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, normalize

from tymbal.dictionaries import (
    KINDS,
    Descent,
    Dictionary,
    Ends,
    JumpReLU,
    LatentScaling,
    Part,
    ReLU,
    Revival,
    SideBySide,
    Target,
    TrainingConfig,
    load_dictionary,
    train,
)
from tymbal.dictionaries.trainer import untrained
from tymbal.dictionaries.units import fold, units
from tymbal.errors import TrainingError

WIDTH, FEATURES, ACTIVE, ROWS = 24, 40, 3, 12_000
SHORT = TrainingConfig(
    features=48, k=3, batch=512, epochs=16.0, descent=Descent(learning_rate=3e-3), revival=Revival(dead_after=3000)
)


@dataclass(frozen=True)
class Rows:
    """A source of these rows."""

    rows: Tensor

    @property
    def width(self) -> int:
        return self.rows.shape[1]

    @property
    def rows_per_epoch(self) -> int:
        return len(self.rows)

    def batch(self, step: int, size: int) -> Tensor:
        return self.rows[torch.randint(len(self.rows), (size,), generator=torch.Generator().manual_seed(step))]


def directions(seed: int) -> Tensor:
    return normalize(torch.randn(FEATURES, WIDTH, generator=torch.Generator().manual_seed(seed)), dim=1)


def codes() -> tuple[Tensor, Tensor]:
    """Which features are active in each row, and how strongly."""
    generator = torch.Generator().manual_seed(5)
    which = torch.rand(ROWS, FEATURES, generator=generator).topk(ACTIVE).indices
    return which, torch.rand(ROWS, ACTIVE, generator=generator) + 0.5


def summed(table: Tensor) -> Tensor:
    which, strength = codes()
    return embedding_bag(which, table, per_sample_weights=strength, mode="sum")


def unexplained(made: Tensor, rows: Tensor) -> float:
    return float((rows - made).square().sum() / (rows - rows.mean(0)).square().sum())


def cosines(one: Tensor, other: Tensor) -> Tensor:
    return (normalize(one, dim=1) @ normalize(other, dim=1).T).max(1).values


@pytest.mark.parametrize("kind", ["topk", "jumprelu"])
def test_a_transcoder_learns_what_each_feature_does_at_the_other_site(tmp_path: Path, kind: str) -> None:
    x, y = 5 * summed(directions(1)) + 2, 0.3 * summed(directions(2)) - 1
    ends = Ends(target=Target(width=WIDTH, site="mlp_out.1"))
    config = replace(SHORT, kind=kind)
    made = train(SideBySide([Rows(x), Rows(y)]), config, tmp_path, site="resid_post.0", ends=ends)
    assert unexplained(made(x), y) < 0.12
    assert float(cosines(directions(2), made.decoder).mean()) > 0.9
    torch.testing.assert_close(made.decoder.norm(dim=1), torch.ones(48))
    loaded = load_dictionary(tmp_path)
    assert torch.equal(loaded(x), made(x))
    assert (loaded.site, loaded.ends.target) == ("resid_post.0", Target(width=WIDTH, site="mlp_out.1"))


def test_a_skip_transcoder_leaves_the_linear_part_to_its_map(tmp_path: Path) -> None:
    x = 5 * summed(directions(1)) + 2
    linear = torch.randn(16, WIDTH, generator=torch.Generator().manual_seed(3)) / WIDTH**0.5
    y = x @ linear.T + 1
    plain, skip = (
        train(
            SideBySide([Rows(x), Rows(y)]),
            replace(SHORT, k=1, epochs=8.0),
            tmp_path / str(skip),
            ends=Ends(target=Target(width=16, skip=skip)),
        )
        for skip in (False, True)
    )
    assert unexplained(skip(x), y) < 0.02
    assert unexplained(plain(x), y) > 0.2


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_transcoder_says_the_same_in_the_models_units(kind: str) -> None:
    torch.manual_seed(0)
    ends = Ends(target=Target(width=7, skip=True))
    rows = torch.cat([torch.randn(200, 10) * 3 + 2, torch.randn(200, 7) * 0.1 - 1], dim=1)
    made = units(rows, ends)
    same_in_both_units(kind, ends, rows, made)
    x = made.applied(rows)[:, :10].double()
    torch.testing.assert_close(x.mean(0), torch.zeros(10).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "topk"])
def test_a_crosscoder_says_the_same_in_the_models_units(kind: str) -> None:
    torch.manual_seed(0)
    rows = torch.cat([torch.randn(200, 6) * 30 + 2, torch.randn(200, 4) * 0.1 - 1], dim=1)
    ends = Ends(parts=(Part(width=6), Part(width=4)))
    folded = same_in_both_units(kind, ends, rows, units(rows, ends))
    assert isinstance(folded, JumpReLU) == (kind in ("jumprelu", "batch_topk", "matryoshka"))


def same_in_both_units(kind: str, ends: Ends, rows: Tensor, made) -> Dictionary:
    dictionary = untrained(TrainingConfig(kind=kind, features=32, k=4), rows.shape[1], ends)
    for parameter in dictionary.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    dictionary.requires_grad_(False)
    dictionary.decoder.div_(dictionary.direction_norms().unsqueeze(1))
    if isinstance(dictionary, JumpReLU):
        dictionary.threshold.abs_()
    elif hasattr(dictionary, "threshold"):
        dictionary.threshold.fill_(0.7)
    training = made.applied(rows)
    read, _ = ends.split(training, dictionary.width)
    before = dictionary(read)
    active = dictionary.encode(read).l0()
    scale, shift = ends.split(made.scale, dictionary.width)[1], ends.split(made.shift, dictionary.width)[1]
    folded = fold(dictionary, made)
    after = folded(rows[:, : folded.width])
    torch.testing.assert_close((after - shift.float()) * scale.float(), before, rtol=1e-3, atol=1e-4)
    assert float((folded.encode(rows[:, : folded.width]).l0() == active).float().mean()) > 0.99
    torch.testing.assert_close(folded.decoder.norm(dim=1), torch.ones(32))
    return folded


def two_models() -> tuple[Tensor, Tensor]:
    """The same features, as after fine-tuning; the last eight are B's alone. A's activations are ten times as long."""
    table = directions(1)
    alone = table.clone()
    alone[-8:] = 0
    return 30 * summed(alone) + 4, 3 * summed(table) - 1


@pytest.mark.parametrize("kind", ["batch_topk", "relu"])
def test_a_crosscoder_tells_shared_features_from_those_of_one_model(tmp_path: Path, kind: str) -> None:
    a, b = two_models()
    parts = (Part(width=WIDTH, site="resid_post.1", model={"name": "a"}), Part(width=WIDTH, site="resid_post.1"))
    # L1 shortens what relu writes, and gives up features of one site first where it presses hard.
    config = replace(SHORT, kind=kind, k=8 if kind == "relu" else 3)
    made = train(SideBySide([Rows(a), Rows(b)]), config, tmp_path, ends=Ends(parts=parts))
    assert load_dictionary(tmp_path).ends.parts == parts
    assert unexplained(made(torch.cat([a, b], dim=1))[:, WIDTH:], b) < 0.25
    at_a, at_b = made.decoder.split(WIDTH, dim=1)
    match = normalize(directions(1), dim=1) @ normalize(at_b, dim=1).T
    found = match.max(1)
    assert float(found.values.mean()) > 0.9
    scaling = LatentScaling(made)
    scaling.update(torch.cat([a, b], dim=1))
    fitted = scaling.fitted()
    shared, alone = found.indices[:-8], found.indices[-8:]
    assert float(fitted.left_over[alone].abs().median()) < 0.15 * float(fitted.left_over[shared].median())
    # Directions are in the models' units, where those at A are about ten times as long.
    assert float(fitted.norm_share[alone].median()) > 3 * float(fitted.norm_share[shared].median())
    assert float(at_a.norm(dim=1)[alone].median()) < float(at_a.norm(dim=1)[shared].median())


def test_latent_scaling_finds_out_a_feature_that_only_looks_like_one_of_b_alone() -> None:
    """By hand: A has feature 0 in its activations, but the crosscoder writes it at B alone."""
    table_a, table_b = directions(1), directions(2)
    truth = ReLU(2 * WIDTH, FEATURES, ends=Ends(parts=(Part(width=WIDTH), Part(width=WIDTH)))).requires_grad_(False)
    which, strength = codes()
    dense = torch.zeros(ROWS, FEATURES).scatter_(1, which, strength)
    missing = table_a.clone()
    missing[-8:] = 0
    a, b = dense @ missing, dense @ table_b
    rows = torch.cat([a, b], dim=1)
    written = missing.clone()
    written[0] = 0
    truth.decoder.copy_(torch.cat([written, table_b], dim=1))
    # An encoder that reads the true values off exactly: the least-squares inverse of all 40 directions in 48 columns.
    truth.encoder.copy_(torch.linalg.pinv(torch.cat([missing, table_b], dim=1)).T)
    truth.encoder_bias.sub_(1e-4)
    torch.testing.assert_close(truth(rows)[:, WIDTH:], b, rtol=0, atol=1e-2)
    scaling = LatentScaling(truth)
    for part in rows.split(5000):
        scaling.update(part)
    fitted = scaling.fitted()
    projected = (missing * table_b).sum(1)  # how much of B's direction A's has, by the planted directions
    torch.testing.assert_close(fitted.left_over[0], projected[0].double(), rtol=0, atol=0.05)
    assert float(fitted.left_over[-8:].abs().max()) < 0.05
    assert float(fitted.norm_share[0]) == float(fitted.norm_share[-1]) == 1.0


def test_latent_scaling_needs_two_parts_of_one_width() -> None:
    with pytest.raises(ValueError, match="expected two parts of one width"):
        LatentScaling(ReLU(10, 20, ends=Ends(parts=(Part(width=4), Part(width=6)))))
    with pytest.raises(ValueError, match="expected two parts of one width"):
        LatentScaling(ReLU(10, 20))


def test_sources_side_by_side_must_hold_the_same_tokens() -> None:
    with pytest.raises(ValueError, match=r"expected sources with the same tokens; got \[10, 12\] rows"):
        SideBySide([Rows(torch.zeros(10, 2)), Rows(torch.zeros(12, 2))])


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    source = Rows(torch.randn(2000, 10))
    with pytest.raises(TrainingError, match="expected a crosscoder of another kind than topk"):
        train(source, SHORT, tmp_path, ends=Ends(parts=(Part(width=4), Part(width=6))))
    with pytest.raises(TrainingError, match="got layer_norm and kind topk"):
        train(source, SHORT, tmp_path, ends=Ends(row_norm="layer_norm"))
    parts = (Part(width=4), Part(width=4))
    with pytest.raises(ValueError, match="expected parts that make up the width 10"):
        train(source, replace(SHORT, kind="relu"), tmp_path, ends=Ends(parts=parts))
    assert not list(tmp_path.iterdir())
