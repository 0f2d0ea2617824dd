"""Scrubbing every layer, and tracing where an answer comes from."""

import pytest
import torch

from tymbal.edits import causal_trace, scrub
from tymbal.edits.scrubbing import LabelledTokens
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, Tokens

SITES = [f"resid_post.{layer}" for layer in range(4)]


def _batches(model: LanguageModel, *, seed: int) -> list[LabelledTokens]:
    """Random tokens; a token's class is that of the first token of its row, which attention carries along."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(20):
        ids = torch.randint(3, model.vocabulary, (16, 10), generator=generator)
        mask = torch.ones(16, 10, dtype=torch.bool)
        mask[::3, 7:] = False
        labels = torch.randint(0, 2, (16, 1), generator=generator).expand(16, 10).clone()
        ids[:, 0] = torch.where(labels[:, 0] == 1, 50, 90)
        labels[:, 0] = -1
        made.append(LabelledTokens(Tokens(ids, mask), labels))
    return made


def _largest_gap(model: LanguageModel, batches: list[LabelledTokens], site: str) -> float:
    rows, classes = [], []
    for tokens, labels in batches:
        wanted = tokens.mask & (labels >= 0)
        rows.append(model.read(tokens, [site])[site][wanted])
        classes.append(labels[wanted])
    x, labels = torch.cat(rows).double(), torch.cat(classes)
    return float((x[labels == 1].mean(0) - x[labels == 0].mean(0)).norm() / x.std(0).norm())


def test_scrubbing_leaves_no_class_gap_at_any_site(model: LanguageModel):
    batches = _batches(model, seed=0)
    before = [_largest_gap(model, batches, site) for site in SITES]
    edits = scrub(model, batches, sites=SITES, classes=2)
    assert max(before) > 0.1
    with model.edited(*edits):
        assert max(_largest_gap(model, batches, site) for site in SITES) < 1e-5


def test_erasers_fitted_on_the_plain_stream_leave_a_gap_that_scrubbing_does_not(model: LanguageModel):
    """Each layer's eraser must be fitted on what the layers below have become."""
    batches = _batches(model, seed=0)
    alone = [scrub(model, batches, sites=[site], classes=2)[0] for site in SITES]
    with model.edited(*alone):
        assert max(_largest_gap(model, batches, site) for site in SITES) > 1e-3


def test_scrubbing_wants_batches_it_can_read_again_and_sites_in_order(model: LanguageModel):
    with pytest.raises(ValueError, match="got an iterator"):
        scrub(model, iter(_batches(model, seed=0)), sites=SITES, classes=2)
    with pytest.raises(ValueError, match="order of the forward pass"):
        scrub(model, _batches(model, seed=0), sites=SITES[::-1], classes=2)


def test_a_trace_finds_the_token_and_the_layer_that_carry_the_answer(model: LanguageModel, tmp_path):
    clean, corrupted = torch.tensor([[0, 70, 71, 72, 73]]), torch.tensor([[0, 70, 99, 72, 73]])
    trace = causal_trace(
        model, clean, corrupted, sites=["embed", *SITES], score=lambda logits: logits[:, 80] - logits[:, 81]
    )
    assert trace.restored.shape == (5, 5)
    # Before any block only the token that differs can restore; after the last block only the last token.
    torch.testing.assert_close(trace.restored[0], torch.tensor([0.0, 0, 1, 0, 0]).double(), rtol=0, atol=1e-4)
    torch.testing.assert_close(trace.restored[4], torch.tensor([0.0, 0, 0, 0, 1]).double(), rtol=0, atol=1e-4)
    trace.draw(tmp_path / "trace.svg")
    assert "<svg" in (tmp_path / "trace.svg").read_text(encoding="utf-8")
    with pytest.raises(ModelError, match="as many tokens"):
        causal_trace(model, clean, corrupted[:, :4], sites=SITES, score=lambda logits: logits[:, 0])
    with pytest.raises(ModelError, match="score differently"):
        causal_trace(model, clean, clean, sites=SITES, score=lambda logits: logits[:, 0])
