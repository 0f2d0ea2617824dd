"""Each measure gives what is planted: dictionaries made by hand, whose virtue or fault is known."""

import pytest
import torch
from concept_list import Without
from concept_measures import (
    Labelled,
    absorption,
    dense_codes,
    exchanged,
    exclusive,
    fitted,
    own_features,
    sparse_probing,
    steering,
)
from torch import Tensor
from torch.nn.functional import normalize

from tymbal.dictionaries import ReLU

WIDTH, ROWS = 12, 1200
PARENT, CHILD, OTHER = torch.eye(WIDTH)[:3]


def by_hand(encoder: Tensor, decoder: Tensor) -> ReLU:
    """A dictionary with these directions."""
    dictionary = ReLU(WIDTH, len(encoder)).requires_grad_(False)
    dictionary.encoder.copy_(encoder)
    dictionary.decoder.copy_(normalize(decoder, dim=1))
    return dictionary


def family() -> tuple[Tensor, Tensor, Tensor]:
    """Rows in which a parent concept is on half of the tokens, a child on a third of those; who carries which."""
    generator = torch.Generator().manual_seed(0)
    parent = torch.rand(ROWS, generator=generator) < 0.5
    child = parent & (torch.rand(ROWS, generator=generator) < 1 / 3)
    other = torch.rand(ROWS, generator=generator) < 0.5
    x = parent[:, None] * PARENT + child[:, None] * CHILD + other[:, None] * OTHER
    return x + 0.01 * torch.randn(ROWS, WIDTH, generator=generator), parent, child


def test_a_concept_with_a_feature_is_told_from_it_alone_and_a_shuffled_one_is_not() -> None:
    x, parent, _ = family()
    rows = Labelled(x, dense_codes(by_hand(torch.eye(WIDTH), torch.eye(WIDTH)), x))
    assert sparse_probing(rows, parent, rows, parent, 1) > 0.99
    shuffled = parent[torch.randperm(ROWS, generator=torch.Generator().manual_seed(1))]
    assert sparse_probing(rows, shuffled, rows, shuffled, 1) == pytest.approx(0.5, abs=0.06)


def test_a_concept_held_by_two_features_has_both_for_its_own() -> None:
    x, parent, child = family()
    split = by_hand(torch.stack([PARENT - 2 * CHILD, CHILD, OTHER]), torch.stack([PARENT, PARENT + CHILD, OTHER]))
    assert sorted(own_features(dense_codes(split, x), parent).tolist()) == [0, 1]
    assert own_features(dense_codes(split, x), child).tolist() == [1]


def test_absorption_is_the_share_of_tokens_whose_child_took_the_parents_direction() -> None:
    x, parent, child = family()
    probe = fitted(x, parent.long())
    clean = by_hand(torch.stack([PARENT, CHILD, OTHER]), torch.stack([PARENT, CHILD, OTHER]))
    # The parent's feature is silent on the child, whose direction holds the parent's; too rare to be the parent's own.
    rare = child & (torch.arange(ROWS) % 12 == 0)
    kept = ~child | rare
    encoder = torch.stack([PARENT - 2 * CHILD, CHILD, OTHER])
    absorbing = by_hand(encoder, torch.stack([PARENT, PARENT + CHILD, OTHER]))
    for dictionary, expected in ((clean, 0.0), (absorbing, float((rare & kept).sum() / (parent & kept).sum()))):
        rows = Labelled(x[kept], dense_codes(dictionary, x[kept]))
        assert absorption(dictionary, probe, rows, parent[kept], rows, parent[kept]) == pytest.approx(
            expected, abs=0.01
        )


def attributes() -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Rows that hold one of two directions for each of two attributes."""
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randint(2, (ROWS,), generator=generator) for _ in range(2))
    x = torch.eye(WIDTH)[first] + torch.eye(WIDTH)[2 + second]
    return x + 0.01 * torch.randn(ROWS, WIDTH, generator=generator), (first, second)


def test_features_of_one_attribute_alone_move_it_and_leave_the_other() -> None:
    x, labels = attributes()
    probes = fitted(x, labels[0]), fitted(x, labels[1])
    apart = by_hand(torch.eye(WIDTH)[:4], torch.eye(WIDTH)[:4])
    rows = Labelled(x, dense_codes(apart, x))
    order = steering(apart, rows.codes, labels[0], probes[0]).argsort(descending=True)
    assert sorted(order[:2].tolist()) == [0, 1]
    assert exchanged(apart, rows, labels, probes, order[:2]).score > 0.99
    assert exchanged(apart, rows, labels, probes, order[:0]) == (0.0, 1.0)


def test_features_that_mix_two_attributes_move_both() -> None:
    x, labels = attributes()
    probes = fitted(x, labels[0]), fitted(x, labels[1])
    pairs = torch.stack([torch.eye(WIDTH)[a] + torch.eye(WIDTH)[2 + b] for a in range(2) for b in range(2)])
    mixed = ReLU(WIDTH, 4).requires_grad_(False)
    mixed.encoder.copy_(pairs * 2**0.5)  # with the bias: the pair's length where both are there, 0 with one alone
    mixed.encoder_bias.fill_(-(2**0.5))
    mixed.decoder.copy_(normalize(pairs, dim=1))
    found = exchanged(mixed, Labelled(x, dense_codes(mixed, x)), labels, probes, torch.arange(4))
    assert found.cause > 0.99
    assert found.isolation < 0.01


def test_features_that_fire_elsewhere_are_not_a_concepts_alone() -> None:
    there = torch.arange(100) < 40
    codes = torch.stack([3.0 * there, torch.full((100,), 9.0), 1.0 * there, torch.zeros(100)], dim=1)
    assert exclusive(codes, there, 3, elsewhere=0.01).tolist() == [0, 2]


def test_features_are_taken_out_and_everything_else_stays() -> None:
    torch.manual_seed(0)
    dictionary = by_hand(torch.eye(WIDTH)[:4], torch.eye(WIDTH)[:4])
    x = torch.rand(2, 5, WIDTH) + 0.1
    edit = Without(dictionary, "resid_post.0", torch.tensor([1, 3]))
    edit.spared = torch.zeros(2, 5, dtype=torch.bool)
    edit.spared[1, 2] = True
    expected = x.clone()
    expected[..., [1, 3]] = 0
    expected[1, 2] = x[1, 2]
    torch.testing.assert_close(edit(x), expected)
