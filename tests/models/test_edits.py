"""Edits: what they change, in which order, and that nothing of them remains."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from tests.models.conftest import Tiny, hook_count
from tymbal.errors import ModelError
from tymbal.models import Edit, Tokens

SITES = ["embed", "resid_pre.1", "attn_out.1", "mlp_out.1", "resid_post.1"]


@dataclass(frozen=True)
class Change:
    """Any function as an edit."""

    site: str
    function: Callable[[Tensor], Tensor]

    def __call__(self, activation: Tensor) -> Tensor:
        return self.function(activation)


def _add(site: str, amount: float) -> Change:
    return Change(site, lambda activation: activation + amount)


def _double(site: str) -> Change:
    return Change(site, lambda activation: 2 * activation)


def test_an_edit_that_changes_nothing_leaves_logits_bit_equal(causal_tiny: Tiny, ids: Tensor) -> None:
    model = causal_tiny.model
    before = model.logits(ids)
    edits = [Change(site, lambda activation: activation.clone()) for site in model.sites()]
    assert all(isinstance(edit, Edit) for edit in edits)
    with model.edited(*edits):
        assert torch.equal(model.logits(ids), before)


@pytest.mark.parametrize("site", SITES)
def test_reading_under_an_edit_gives_what_it_made(any_tiny: Tiny, ids: Tensor, site: str) -> None:
    model = any_tiny.model
    before = model.read(ids, [site])[site]
    downstream = model.read(ids, ["resid_post.3"])["resid_post.3"]
    with model.edited(_double(site)):
        assert torch.equal(model.read(ids, [site])[site], 2 * before)
        assert not torch.equal(model.read(ids, ["resid_post.3"])["resid_post.3"], downstream)
    assert torch.equal(model.read(ids, [site])[site], before)


@pytest.mark.parametrize("site", SITES)
def test_an_edit_changes_logits_as_it_changes_the_plain_model(causal_tiny: Tiny, ids: Tensor, site: str) -> None:
    """The edited logits are what the plain head makes of the edited residual stream."""
    model = causal_tiny.model
    # Not one number for all units, which a LayerNorm would take out again.
    direction = torch.randn(model.width, generator=torch.Generator().manual_seed(6))
    with model.edited(Change(site, lambda activation: activation + direction)):
        edited_logits = model.logits(ids)
        stream = model.read(ids, ["resid_post.3"])["resid_post.3"]
    final_norm = causal_tiny.text_part.get_submodule(model.architecture.final_norm)
    with torch.no_grad():
        expected = causal_tiny.plain.get_submodule(model.architecture.unembedding)(final_norm(stream))
    cap = causal_tiny.plain.config.get_text_config().to_dict().get("final_logit_softcapping")
    expected = expected if cap is None else cap * torch.tanh(expected / cap)
    torch.testing.assert_close(edited_logits, expected)
    assert not torch.allclose(edited_logits, model.logits(ids), atol=1e-3)


def test_an_edit_is_what_the_next_block_sees(any_tiny: Tiny, ids: Tensor) -> None:
    model = any_tiny.model
    with model.edited(_add("resid_post.0", 1.0)):
        after = model.read(ids, ["resid_post.0", "resid_pre.1"])
    assert torch.equal(after["resid_post.0"], after["resid_pre.1"])
    with model.edited(_add("resid_pre.1", 1.0)):
        before = model.read(ids, ["resid_post.0", "resid_pre.1", "resid_post.1"])
    assert torch.equal(before["resid_post.0"] + 1.0, before["resid_pre.1"])
    with model.edited(_add("resid_post.0", 1.0)):
        assert torch.equal(model.read(ids, ["resid_post.1"])["resid_post.1"], before["resid_post.1"])


def test_edits_at_one_site_apply_in_order_outer_before_inner(any_tiny: Tiny, ids: Tensor) -> None:
    model, site = any_tiny.model, "resid_post.1"
    before = model.read(ids, [site])[site]
    with model.edited(_add(site, 1.0), _double(site)):
        assert torch.equal(model.read(ids, [site])[site], 2 * (before + 1.0))
        with model.edited(_add(site, 3.0)):
            assert torch.equal(model.read(ids, [site])[site], 2 * (before + 1.0) + 3.0)
        assert torch.equal(model.read(ids, [site])[site], 2 * (before + 1.0))
    with model.edited(_double(site), _add(site, 1.0)):
        assert torch.equal(model.read(ids, [site])[site], 2 * before + 1.0)


def test_leaving_restores_the_model_also_by_an_exception(any_tiny: Tiny, ids: Tensor) -> None:
    model = any_tiny.model
    hooks, before = hook_count(model), model.read(ids, ["resid_post.3"])["resid_post.3"]

    def fail(_: Tensor) -> Tensor:
        raise RuntimeError("edit failed")

    with pytest.raises(RuntimeError, match="edit failed"), model.edited(_double("embed"), Change("resid_post.1", fail)):
        model.read(ids, ["resid_post.3"])
    assert hook_count(model) == hooks
    assert torch.equal(model.read(ids, ["resid_post.3"])["resid_post.3"], before)


def test_an_unknown_site_is_refused_before_anything_is_changed(any_tiny: Tiny) -> None:
    hooks = hook_count(any_tiny.model)
    with (
        pytest.raises(ModelError, match=r"resid_post\.9"),
        any_tiny.model.edited(_double("embed"), _double("resid_post.9")),
    ):
        pass
    assert hook_count(any_tiny.model) == hooks


def test_an_edit_that_returns_another_shape_is_refused(any_tiny: Tiny, ids: Tensor) -> None:
    cut = Change("resid_post.1", lambda activation: activation[:, :1])
    with pytest.raises(ValueError, match=r"resid_post\.1 must return the shape"), any_tiny.model.edited(cut):
        any_tiny.model.read(ids, ["resid_post.2"])


def test_generation_under_an_edit_is_that_of_the_edited_logits(causal_tiny: Tiny) -> None:
    model, prompt = causal_tiny.model, "Lily saw a big red cat. "
    direction = 30 * torch.randn(model.width, generator=torch.Generator().manual_seed(4))
    steer = Change("resid_post.2", lambda activation: activation + direction)
    ids = model.tokenize([prompt]).ids[0].tolist()
    with model.edited(steer):
        generated = model.generate(prompt, max_new_tokens=12)
        for _ in range(12):
            token = int(model.logits(torch.tensor([ids]))[0, -1].argmax())
            if token == 1:
                break
            ids.append(token)
    assert generated == model.tokenizer.decode(ids, skip_special_tokens=True)
    assert generated != model.generate(prompt, max_new_tokens=12)


def test_edits_reach_pooled_embeddings(tiny: Callable[..., Tiny]) -> None:
    model = tiny("bert").model
    tokens = Tokens.from_rows([[5, 6, 7], [8, 9]])
    before = model.pooled(tokens)
    with model.edited(Change("resid_post.3", torch.neg)):
        torch.testing.assert_close(model.pooled(tokens), -before)
