"""Codes, shapes, units, and what comes back from a folder."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from tymbal.dictionaries import (
    KINDS,
    BatchTopK,
    Codes,
    Dictionary,
    Ends,
    Gated,
    JumpReLU,
    Matryoshka,
    ReLU,
    Target,
    TopK,
    as_jumprelu,
    load_dictionary,
)
from tymbal.dictionaries import dictionary as dictionary_file
from tymbal.dictionaries.ends import AUTOENCODER


def made(kind: type[Dictionary] = TopK, features: int = 40, k: int = 4, ends: Ends = AUTOENCODER) -> Dictionary:
    torch.manual_seed(0)
    dictionary = kind(10, features, k, site="resid_post.1", ends=ends)
    with torch.no_grad():
        for parameter in dictionary.parameters():
            parameter.normal_(std=0.5)
        dictionary.decoder.copy_(normalize(dictionary.decoder, dim=1))
        if ends.target is None:
            dictionary.encoder.copy_(dictionary.decoder)
    if isinstance(dictionary, BatchTopK | Matryoshka):
        dictionary.threshold.fill_(0.8)
    dictionary.requires_grad_(False)
    if isinstance(dictionary, JumpReLU):
        dictionary.threshold.abs_()
    return dictionary


def test_topk_codes_are_the_highest_scores() -> None:
    dictionary, x = made(), torch.randn(30, 10)
    scores = (x - dictionary.decoder_bias) @ dictionary.encoder.T + dictionary.encoder_bias
    codes = dictionary.encode(x)
    dense = torch.zeros(30, 40).scatter(1, codes.indices, codes.values)
    expected = scores.relu() * (scores >= scores.topk(4).values[:, -1:])
    torch.testing.assert_close(dense, expected)


def densely(dictionary: Dictionary, x: torch.Tensor) -> torch.Tensor:
    """Values of all features, from the formulas in the kinds' papers."""
    product = (x - dictionary.decoder_bias) @ dictionary.encoder.T
    scores = product + dictionary.encoder_bias
    if isinstance(dictionary, ReLU):
        return scores.clamp(min=0)
    if isinstance(dictionary, JumpReLU):
        return torch.where(scores > dictionary.threshold, scores, 0)
    if isinstance(dictionary, Gated):
        magnitude = (product * dictionary.log_gain.exp() + dictionary.gain_bias).clamp(min=0)
        return torch.where(scores > 0, magnitude, 0)
    return torch.where(scores > 0.8, scores, 0)


@pytest.mark.parametrize("kind", [ReLU, JumpReLU, Gated, BatchTopK, Matryoshka])
def test_codes_follow_the_kinds_formula(kind: type[Dictionary]) -> None:
    dictionary, x = made(kind), torch.randn(30, 10)
    codes = dictionary.encode(x)
    dense = torch.zeros(30, 40).scatter_add_(1, codes.indices, codes.values)
    torch.testing.assert_close(dense, densely(dictionary, x))
    assert 0 < float(codes.l0().float().mean()) < 40


@pytest.mark.parametrize("kind", [ReLU, JumpReLU, Gated, TopK])
def test_norms_folded_into_the_values_leave_the_reconstruction(kind: type[Dictionary]) -> None:
    dictionary, x = made(kind), torch.randn(50, 10)
    dictionary.decoder.mul_(torch.rand(40, 1) + 0.3)
    before, active = dictionary(x), dictionary.encode(x).l0()
    dictionary.fold_norms()
    torch.testing.assert_close(dictionary.decoder.norm(dim=1), torch.ones(40))
    torch.testing.assert_close(dictionary(x), before)
    assert torch.equal(dictionary.encode(x).l0(), active)


def test_a_direction_of_zero_keeps_its_values() -> None:
    dictionary, x = made(TopK), torch.randn(50, 10)
    dictionary.decoder.mul_(torch.rand(40, 1) + 0.3)
    dictionary.decoder[3] = 0
    before, codes = dictionary(x), dictionary.encode(x)
    assert bool((codes.indices == 3).any())
    dictionary.fold_norms()
    torch.testing.assert_close(dictionary(x), before)
    after = dictionary.encode(x)
    assert torch.equal(after.values[after.indices == 3], codes.values[codes.indices == 3])


def test_a_ranking_comes_back_from_the_folder(tmp_path: Path) -> None:
    dictionary, x = made(TopK), torch.randn(50, 10)
    dictionary.decoder.mul_(torch.rand(40, 1) + 0.3)
    dictionary.fold_norms()
    dictionary.save(tmp_path)
    assert torch.equal(load_dictionary(tmp_path)(x), dictionary(x))


@pytest.mark.parametrize("kind", [BatchTopK, Matryoshka])
def test_norms_are_not_folded_where_features_share_a_threshold(kind: type[Dictionary]) -> None:
    dictionary = made(kind)
    dictionary.fold_norms()
    dictionary.decoder[3] *= 2
    with pytest.raises(ValueError, match=f"expected a kind that judges each feature by itself; got {kind.kind}"):
        dictionary.fold_norms()


@pytest.mark.parametrize("kind", [BatchTopK, Matryoshka])
def test_a_threshold_for_each_feature_gives_the_same_codes(kind: type[Dictionary]) -> None:
    dictionary, x = made(kind), torch.randn(50, 10)
    dictionary.model = {"name": "a"}
    jump = as_jumprelu(dictionary)
    assert (jump.kind, jump.k, jump.site, jump.model) == ("jumprelu", 4, "resid_post.1", {"name": "a"})
    for one, other in zip(dictionary.encode(x)[:2], jump.encode(x)[:2], strict=True):
        assert torch.equal(one, other)


def test_each_prefix_is_a_dictionary_of_the_first_features() -> None:
    dictionary, x = made(Matryoshka), torch.randn(50, 10)
    assert dictionary.prefixes == (2, 10, 40)
    whole = dictionary.encode(x)
    part = dictionary.prefix(10)
    codes = part.encode(x)
    dense = torch.zeros(50, 40).scatter_add_(1, whole.indices, whole.values)
    assert torch.equal(torch.zeros(50, 10).scatter_add_(1, codes.indices, codes.values), dense[:, :10])
    torch.testing.assert_close(part(x), dense[:, :10] @ dictionary.decoder[:10] + dictionary.decoder_bias)
    with pytest.raises(ValueError, match=r"expected one of the prefixes \[2, 10, 40\]; got 11"):
        dictionary.prefix(11)


@pytest.mark.parametrize("prefixes", [(10, 5, 40), (10, 20), (0, 40), (10, 10, 40), (10, 50)])
def test_prefixes_must_rise_to_all_features(prefixes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected rising prefixes that end at the number of features"):
        Matryoshka(10, 40, 4, prefixes=prefixes)


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("skip", [False, True])
def test_a_transcoder_writes_another_site(kind: type[Dictionary], skip: bool) -> None:
    ends = Ends(target=Target(width=7, site="mlp_out.1", skip=skip))
    dictionary, x = made(kind, ends=ends), torch.randn(6, 5, 10)
    codes = dictionary.encode(x)
    scores = x.reshape(30, 10) @ dictionary.encoder.T + dictionary.encoder_bias
    torch.testing.assert_close(codes.values.reshape(30, -1), dictionary.select(scores).values)
    dense = torch.zeros(6, 5, 40).scatter_add_(2, codes.indices, codes.values)
    expected = dense @ dictionary.decoder + dictionary.decoder_bias
    if dictionary.skip is not None:
        expected += x @ dictionary.skip.T
    torch.testing.assert_close(dictionary(x), expected)
    assert dictionary(torch.randn(10)).shape == (7,)


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_normalised_rows_are_encoded_and_brought_back(kind: type[Dictionary]) -> None:
    plain, x = made(kind), torch.randn(4, 9, 10) * 3 + 1
    mean, deviation = x.mean(-1, keepdim=True), x.std(-1, keepdim=True)
    expected = plain((x - mean) / (deviation + 1e-5)) * deviation + mean
    torch.testing.assert_close(made(kind, ends=Ends(row_norm="layer_norm"))(x), expected)
    length = x.norm(dim=-1, keepdim=True) / 10**0.5
    torch.testing.assert_close(made(kind, ends=Ends(row_norm="norm"))(x), plain(x / length) * length)


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


@pytest.mark.parametrize("kind", [TopK, BatchTopK, Matryoshka])
def test_kinds_whose_features_compete_need_k(kind: type[Dictionary]) -> None:
    with pytest.raises(ValueError, match=f"expected k of a {kind.kind} dictionary; got none"):
        kind.from_config({"width": 4, "features": 8, "k": None, "site": None, "model": {}, "prefixes": [8]})


def test_a_dictionary_that_judges_each_feature_by_itself_needs_no_k() -> None:
    assert ReLU(10, 40).k is None


@pytest.mark.parametrize("k", [0, 41])
def test_k_must_lie_between_one_and_the_number_of_features(k: int) -> None:
    with pytest.raises(ValueError, match=rf"expected k between 1 and the number of features \(40\); got k = {k}"):
        TopK(10, 40, k)
