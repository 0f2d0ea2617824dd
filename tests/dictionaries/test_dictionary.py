"""Codes, shapes, units, and what comes back from a folder."""

import pytest
import torch
from torch.nn.functional import normalize

from tymbal.dictionaries import KINDS, BatchTopK, Codes, Dictionary, TopK
from tymbal.dictionaries import dictionary as dictionary_file


def made(kind: type[Dictionary] = TopK, features: int = 40, k: int = 4) -> Dictionary:
    torch.manual_seed(0)
    dictionary = kind(10, features, k, site="resid_post.1")
    with torch.no_grad():
        dictionary.decoder.copy_(normalize(torch.randn(features, 10), dim=1))
        dictionary.encoder.copy_(dictionary.decoder)
        dictionary.decoder_bias.normal_()
    if isinstance(dictionary, BatchTopK):
        dictionary.threshold.fill_(0.8)
    return dictionary.requires_grad_(False)


def test_topk_codes_are_the_highest_scores() -> None:
    dictionary, x = made(), torch.randn(30, 10)
    scores = (x - dictionary.decoder_bias) @ dictionary.encoder.T
    codes = dictionary.encode(x)
    dense = torch.zeros(30, 40).scatter(1, codes.indices, codes.values)
    expected = scores.relu() * (scores >= scores.topk(4).values[:, -1:])
    torch.testing.assert_close(dense, expected)


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_decoding_is_the_bias_plus_weighted_directions(kind: type[Dictionary]) -> None:
    dictionary, x = made(kind), torch.randn(3, 7, 10)
    codes = dictionary.encode(x)
    dense = torch.zeros(3, 7, 40).scatter_add_(2, codes.indices, codes.values)
    torch.testing.assert_close(dictionary.decode(codes), dense @ dictionary.decoder + dictionary.decoder_bias)
    torch.testing.assert_close(dictionary(x), dictionary.decode(codes))


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,), (4, 0)])
def test_any_shape_of_rows_is_taken(kind: type[Dictionary], shape: tuple[int, ...]) -> None:
    dictionary = made(kind)
    x = torch.randn(*shape, 10)
    assert dictionary.encode(x).values.shape[:-1] == shape
    assert dictionary(x).shape == x.shape


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_encoding_in_parts_changes_nothing(kind: type[Dictionary], monkeypatch: pytest.MonkeyPatch) -> None:
    dictionary, x = made(kind), torch.randn(50, 10)
    whole = dictionary(x)
    monkeypatch.setattr(dictionary_file, "SCORES_AT_ONCE", 40 * 7)
    torch.testing.assert_close(dictionary(x), whole)


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_rescaling_makes_a_dictionary_for_rescaled_rows(kind: type[Dictionary]) -> None:
    dictionary, x = made(kind), torch.randn(50, 10)
    before = dictionary(x)
    dictionary.rescale(3.0)
    torch.testing.assert_close(dictionary(3 * x), 3 * before)


def test_empty_slots_are_not_counted() -> None:
    codes = Codes(torch.tensor([[3, 0], [1, 2]]), torch.tensor([[0.5, 0.0], [1.0, 2.0]]))
    assert codes.l0().tolist() == [1, 2]


@pytest.mark.parametrize("k", [0, 41])
def test_k_must_lie_between_one_and_the_number_of_features(k: int) -> None:
    with pytest.raises(ValueError, match=rf"expected k between 1 and the number of features \(40\); got k = {k}"):
        TopK(10, 40, k)
