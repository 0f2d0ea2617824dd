"""Features on a prompt are the dictionary's own codes; contrasts find what was planted and know chance."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tymbal.atlas import ContrastConfig, contrast, read_prompt, special_tokens
from tymbal.dictionaries import TopK
from tymbal.models import LanguageModel, open_model

SITE = "resid_post.1"
TEXT = "Lily saw a big red cat."


@pytest.fixture(scope="module")
def model(tiny_llama_folder: Path) -> LanguageModel:
    return open_model(tiny_llama_folder)


@pytest.fixture(scope="module")
def dictionary() -> TopK:
    made = TopK(32, 64, 6, site=SITE)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        made.encoder.copy_(torch.randn(64, 32, generator=generator))
        made.decoder.copy_(torch.nn.functional.normalize(made.encoder, dim=1))
    return made.requires_grad_(False)


def test_a_reading_holds_the_codes_of_each_token_and_none_of_special_ones(model: LanguageModel, dictionary: TopK):
    reading = read_prompt(dictionary, model, SITE, TEXT)
    codes = dictionary.encode(model.read(torch.tensor([reading.ids]), [SITE])[SITE][0])
    assert "".join(reading.texts[1:]) == TEXT
    assert reading.special == [True] + [False] * (len(reading.ids) - 1)
    assert reading.active[0] == []
    for place in range(1, len(reading.ids)):
        truth = {int(f): float(v) for f, v in zip(codes.indices[place], codes.values[place], strict=True) if v}
        assert dict(reading.active[place]) == pytest.approx(truth)


def test_the_strongest_place_of_each_feature_is_told(model: LanguageModel, dictionary: TopK):
    reading = read_prompt(dictionary, model, SITE, TEXT)
    for one in reading.strongest():
        values = reading.values(one.feature)
        assert (one.value, one.position) == (max(values), int(np.argmax(values)))
        assert one.tokens == sum(value > 0 for value in values)


def test_control_tokens_spelled_out_in_the_text_are_special(model: LanguageModel):
    ids = model.tokenize(["a</s>b"]).ids[0].tolist()
    special = special_tokens(model, ids)
    assert [token for token, one in zip(ids, special, strict=True) if one] == [0, 1]


def test_a_contrast_finds_the_feature_that_was_planted(model: LanguageModel):
    """A feature that reads the embedding of one token fires on prompts that have it, and on no other."""
    planted = TopK(32, 4, 4, site="embed")
    token = model.tokenize(["z"]).ids[0, -1]
    weights = model.torch_model.model.embed_tokens.weight.detach()
    with torch.no_grad():
        planted.encoder[2] = weights[token] / weights[token].norm()
        planted.encoder_bias.fill_(-0.9 * float(weights[token].norm()))
        planted.decoder.copy_(torch.eye(4, 32))
    toward, away = ["a z b", "z", "cc z"] * 4, ["a b", "Lily", "cc d"] * 4
    found = contrast(planted.requires_grad_(False), model, "embed", toward, away)
    assert [(one.feature, one.auc, one.away) for one in found.features] == [(2, 1.0, 0.0)]
    assert found.features[0].toward > 0
    assert found.chance < 0.5
    back = contrast(planted, model, "embed", away, toward)
    assert (back.features[0].auc, back.features[0].toward) == (0.0, 0.0)


def test_the_area_is_the_share_of_pairs_and_chance_covers_sets_without_a_difference(
    model: LanguageModel, dictionary: TopK
):
    texts = ["Lily ran", "a big cat", "Once upon", "the cat was", "red", "home to her mom", "happy", "upon a time"]
    found = contrast(dictionary, model, SITE, texts[:4], texts[4:], ContrastConfig(shuffles=200))
    peaks = [
        {one.feature: one.value for one in read_prompt(dictionary, model, SITE, text).strongest()} for text in texts
    ]
    for one in found.features:
        values = [peak.get(one.feature, 0.0) for peak in peaks]
        pairs = [(a > b) + 0.5 * (a == b) for a in values[:4] for b in values[4:]]
        assert one.auc == pytest.approx(np.mean(pairs))
    # Four prompts against four: among many features some tell them apart in every shuffle.
    assert found.chance >= max(abs(one.auc - 0.5) for one in found.features) - 0.15


def test_sets_without_prompts_are_refused(model: LanguageModel, dictionary: TopK):
    with pytest.raises(ValueError, match="at least one prompt"):
        contrast(dictionary, model, SITE, [], ["a"])
