"""Rows steered in different ways in one batch, their control, and the stream in which they grow."""

import pytest
import torch

from tymbal.dictionaries import TopK
from tymbal.edits import ByRow, Clamp, RandomControl, Steer
from tymbal.models import LanguageModel

PROMPT = "Once upon a time"
IDS = torch.tensor([[0, 70, 71, 72]]).expand(3, -1)
SITE = "resid_post.1"


def test_each_row_is_changed_by_its_own_edit_alone(model: LanguageModel, dictionary: TopK):
    edits = [None, Clamp(dictionary, feature=3, value=20.0), Steer(torch.ones(32), site=SITE, strength=4.0)]
    with model.edited(ByRow(edits)):
        together = model.read(IDS, [SITE])[SITE]
    for row, edit in zip(together, edits, strict=True):
        with model.edited(*([edit] if edit is not None else [])):
            torch.testing.assert_close(row, model.read(IDS[:1], [SITE])[SITE][0], rtol=1e-5, atol=1e-5)


def test_generation_side_by_side_is_that_of_each_alone(model: LanguageModel, dictionary: TopK):
    edits = [None, Clamp(dictionary, feature=3, value=20.0), Clamp(dictionary, feature=9, value=-20.0)]
    with model.edited(ByRow(edits)):
        together = list(model.stream_all([PROMPT] * 3, max_new_tokens=12))
    for row, edit in enumerate(edits):
        with model.edited(*([edit] if edit is not None else [])):
            assert together[-1][row] == model.generate(PROMPT, max_new_tokens=12)


def test_the_control_moves_each_token_as_far_in_one_other_direction(model: LanguageModel, dictionary: TopK):
    clamp = Clamp(dictionary, feature=3, value=20.0)
    plain = model.read(IDS[:1], [SITE])[SITE][0]
    moved = []
    for edit in (clamp, RandomControl(clamp, seed=1), RandomControl(clamp, seed=2)):
        with model.edited(edit):
            moved.append(model.read(IDS[:1], [SITE])[SITE][0] - plain)
    own, one, two = moved
    torch.testing.assert_close(one.norm(dim=1), own.norm(dim=1), rtol=1e-3, atol=1e-4)
    directions = one / one.norm(dim=1, keepdim=True)
    torch.testing.assert_close(directions, directions[:1].expand_as(directions), rtol=1e-3, atol=1e-3)
    assert abs(float(torch.cosine_similarity(one, own, dim=1).mean())) < 0.6
    assert not torch.allclose(one, two, atol=1e-2)


def test_a_stream_ends_with_what_is_generated_at_once_and_never_takes_a_token_back(model: LanguageModel):
    grown = [texts[0] for texts in model.stream_all([PROMPT], max_new_tokens=15)]
    assert grown[-1] == model.generate(PROMPT, max_new_tokens=15)
    assert [len(text) for text in grown] == sorted(len(text) for text in grown)
    assert all(text.startswith(PROMPT) for text in grown)


def test_rows_of_a_stream_share_one_seed(model: LanguageModel):
    *_, texts = model.stream_all([PROMPT] * 2, max_new_tokens=15, temperature=1.0, seed=5)
    assert texts[0] == texts[1] == model.generate(PROMPT, max_new_tokens=15, temperature=1.0, seed=5)


def test_edits_at_different_sites_and_batches_of_another_size_are_refused(model: LanguageModel):
    one, other = (Steer(torch.ones(32), site=site) for site in (SITE, "resid_post.2"))
    with pytest.raises(ValueError, match="one site"):
        ByRow([one, other])
    with pytest.raises(ValueError, match="a batch of 2 rows"), model.edited(ByRow([one, None])):
        model.read(IDS, [SITE])
