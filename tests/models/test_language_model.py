"""Reading stops early and leaves nothing behind; text, pooling and generation."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.conftest import Tiny, hook_count
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, Tokens, open_model


@pytest.fixture(scope="module")
def llama(tiny_llama_folder: Path) -> LanguageModel:
    return open_model(tiny_llama_folder)


@pytest.fixture(scope="module")
def bert(tiny_bert_folder: Path) -> LanguageModel:
    return open_model(tiny_bert_folder)


def _blocks_run(model: LanguageModel, ids: torch.Tensor, sites: list[str]) -> list[int]:
    ran: list[int] = []
    handles = [
        model._blocks[layer].register_forward_hook(lambda *_, layer=layer: ran.append(layer))
        for layer in range(model.layers)
    ]
    try:
        model.read(ids, sites)
    finally:
        for handle in handles:
            handle.remove()
    return ran


@pytest.mark.parametrize(
    ("sites", "last"),
    [(["embed"], -1), (["resid_pre.2"], 1), (["attn_out.2"], 1), (["resid_post.2", "embed"], 2), (["resid_post.3"], 3)],
)
def test_reading_stops_after_the_deepest_site(any_tiny: Tiny, ids: torch.Tensor, sites: list[str], last: int) -> None:
    assert _blocks_run(any_tiny.model, ids, sites) == list(range(last + 1))


def test_reading_some_sites_gives_the_same_as_reading_all(any_tiny: Tiny, ids: torch.Tensor) -> None:
    everything = any_tiny.model.read(ids, any_tiny.model.sites())
    for site, expected in everything.items():
        assert torch.equal(any_tiny.model.read(ids, [site])[site], expected)


def test_reading_leaves_no_hook_behind(any_tiny: Tiny, ids: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hook_count(any_tiny.model)
    any_tiny.model.read(ids, any_tiny.model.sites())
    assert hook_count(any_tiny.model) == before

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(any_tiny.model._blocks[1], "forward", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        any_tiny.model.read(ids, ["resid_post.2"])
    assert hook_count(any_tiny.model) == before


def test_what_was_read_can_be_trained_on(llama: LanguageModel, ids: torch.Tensor) -> None:
    activations = llama.read(ids, ["resid_post.1"])["resid_post.1"]
    weight = torch.zeros(llama.width, requires_grad=True)
    (activations @ weight).sum().backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, activations.sum((0, 1)))


def test_names_of_other_tools_read_the_same_activations(llama: LanguageModel, ids: torch.Tensor) -> None:
    names = ["resid_post.1", "blocks.1.hook_resid_post", "model.layers.1"]
    read = llama.read(ids, names)
    assert list(read) == names
    assert all(torch.equal(read[name], read["resid_post.1"]) for name in names)


def test_generation_is_the_likeliest_token_of_the_logits_each_time(causal_tiny: Tiny) -> None:
    model = causal_tiny.model
    prompt = "Lily saw a big red cat. "
    ids = model.tokenize([prompt]).ids[0].tolist()
    ends = 1
    start = len(ids)
    for _ in range(15):
        token = int(model.logits(torch.tensor([ids]))[0, -1].argmax())
        if token == ends:
            break
        ids.append(token)
    expected = model.tokenizer.decode(ids, skip_special_tokens=True)
    assert len(ids) > start
    assert model.generate(prompt, max_new_tokens=15) == expected


def test_sampling_repeats_with_its_seed_and_follows_the_probabilities(llama: LanguageModel) -> None:
    hot = [llama.generate("Lily", max_new_tokens=20, temperature=2.0, seed=seed) for seed in (1, 1, 2)]
    assert hot[0] == hot[1] != hot[2]
    cold = llama.generate("Lily", max_new_tokens=20, temperature=1e-4, seed=5)
    assert cold == llama.generate("Lily", max_new_tokens=20)


def test_generation_ends_where_the_context_is_full(llama: LanguageModel) -> None:
    prompt = "a" * (llama.context - 3)
    assert len(llama.tokenize([prompt]).ids[0]) == llama.context - 2
    text = llama.generate(prompt, max_new_tokens=80)
    assert text.startswith(prompt)
    with pytest.raises(ModelError, match="fewer than 64 tokens"):
        llama.generate("a" * llama.context)


def test_an_empty_prompt_starts_a_text(llama: LanguageModel) -> None:
    token = int(llama.logits(torch.tensor([[0]]))[0, -1].argmax())
    assert llama.generate("", max_new_tokens=1) == llama.tokenizer.decode([token], skip_special_tokens=True)


def test_pooled_is_the_normalised_mean_over_real_tokens(bert: LanguageModel) -> None:
    tokens = bert.tokenize(["the cat was happy", "lily"])
    assert not tokens.mask.all()
    pooled = bert.pooled(tokens)
    last = bert.read(tokens, ["resid_post.2"])["resid_post.2"]
    for row, mask in enumerate(tokens.mask):
        mean = last[row][mask].mean(0)
        torch.testing.assert_close(pooled[row], mean / mean.norm())


def test_texts_keep_the_special_tokens_of_the_tokenizer(llama: LanguageModel, bert: LanguageModel) -> None:
    tokens = llama.tokenize(["Lily ran home", ""])
    assert tokens.ids[:, 0].tolist() == [0, 0]
    assert tokens.mask.sum(1).tolist() == [tokens.ids.shape[1], 1]
    first, *_, last = bert.token_text(bert.tokenize(["lily ran"]).ids[0].tolist())
    assert (first, last) == ("[CLS]", "[SEP]")


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_token_texts_of_plain_text_join_to_it(llama: LanguageModel, text: str) -> None:
    if any(special in text for special in llama.tokenizer.all_special_tokens):
        return
    ids = llama.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert "".join(llama.token_text(ids)) == text


def test_fragments_of_a_character_read_as_replacement_characters(llama: LanguageModel) -> None:
    ids = llama.tokenizer("é", add_special_tokens=False)["input_ids"]
    assert len(ids) == 2
    assert llama.token_text([0, *ids]) == ["<s>", "�", "�"]


def test_a_character_of_several_tokens_stands_whole_at_the_first(llama: LanguageModel) -> None:
    ids = llama.tokenizer("é", add_special_tokens=False)["input_ids"]
    assert llama.running_text([0, *ids, *ids]) == ["<s>", "é", "", "é", ""]
    assert llama.running_text(ids[1:]) == ["�"]
    assert llama.running_text([*ids[:1], 0]) == ["�", "<s>"]


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_running_texts_join_to_any_text(llama: LanguageModel, text: str) -> None:
    if any(special in text for special in llama.tokenizer.all_special_tokens):
        return
    ids = llama.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert "".join(llama.running_text(ids)) == text


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model: model.site("resid_post.4"), "from 0 to 3"),
        (lambda model: model.site("residual.1"), "attn_out.L"),
        (lambda model: model.read(torch.zeros(1, 65, dtype=torch.long), ["embed"]), "65 tokens"),
        (lambda model: model.read(torch.tensor([[300]]), ["embed"]), "0 to 299"),
        (lambda model: model.read(torch.tensor([[-1]]), ["embed"]), "-1"),
        (lambda model: model.read(torch.zeros(1, 0, dtype=torch.long), ["embed"]), "empty"),
    ],
)
def test_input_that_a_model_cannot_take_is_answered_in_one_line(
    llama: LanguageModel, call: Callable[[LanguageModel], object], said: str
) -> None:
    assert llama.vocabulary == 300
    with pytest.raises(ModelError, match=said) as error:
        call(llama)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.logits(torch.tensor([[5]])),
        lambda model: model.generate("lily"),
        lambda model: model.output_directions(torch.zeros(1, 32)),
    ],
)
def test_an_encoder_refuses_what_needs_next_token_predictions(
    bert: LanguageModel, call: Callable[[LanguageModel], object]
) -> None:
    assert not bert.causal
    with pytest.raises(ModelError, match="an encoder"):
        call(bert)


def test_packed_passages_are_not_pooled(bert: LanguageModel) -> None:
    ids = torch.tensor([[2, 3]])
    with pytest.raises(ValueError, match="packed"):
        bert.pooled(Tokens(ids, torch.ones_like(ids, dtype=torch.bool), torch.tensor([[0, 1]])))
