"""What the edits put in place, and what they spare."""

import pytest
import torch

from tymbal.dictionaries import MeanAblation, Splice, TopK, ZeroAblation
from tymbal.models import Edit


def made() -> TopK:
    torch.manual_seed(0)
    dictionary = TopK(6, 12, 2)
    for parameter in dictionary.parameters():
        torch.nn.init.normal_(parameter)
    return dictionary.requires_grad_(False)


ACTIVATION = torch.arange(60.0).reshape(2, 5, 6).sin()
SPARED = torch.tensor([[True, False, False, True, False], [True, False, False, False, True]])


def edits(spared: torch.Tensor | None) -> dict[str, tuple[Edit, torch.Tensor]]:
    dictionary, mean = made(), torch.linspace(-1, 1, 6)
    return {
        "splice": (Splice(dictionary, "resid_post.1", spared), dictionary(ACTIVATION)),
        "zero": (ZeroAblation("resid_post.1", spared), torch.zeros_like(ACTIVATION)),
        "mean": (MeanAblation("resid_post.1", mean, spared), mean.expand_as(ACTIVATION)),
    }


@pytest.mark.parametrize("name", ["splice", "zero", "mean"])
def test_spared_tokens_stay_as_they_are_and_all_others_change(name: str) -> None:
    edit, replacement = edits(SPARED)[name]
    before = ACTIVATION.clone()
    after = edit(ACTIVATION)
    assert isinstance(edit, Edit)
    assert torch.equal(ACTIVATION, before)
    assert torch.equal(after[SPARED], ACTIVATION[SPARED])
    assert torch.equal(after[~SPARED], replacement[~SPARED])


@pytest.mark.parametrize("name", ["splice", "zero", "mean"])
def test_without_a_mask_every_token_changes(name: str) -> None:
    edit, replacement = edits(None)[name]
    assert torch.equal(edit(ACTIVATION), replacement)


@pytest.mark.parametrize("name", ["splice", "zero", "mean"])
def test_the_precision_of_the_model_is_kept(name: str) -> None:
    assert edits(SPARED)[name][0](ACTIVATION.bfloat16()).dtype == torch.bfloat16


def test_a_mask_of_another_batch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a mask of the batch's shape \(2, 5\); got \(1, 5\)"):
        ZeroAblation("embed", SPARED[:1])(ACTIVATION)
