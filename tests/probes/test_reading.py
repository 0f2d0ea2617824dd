"""Rows are the model's own activations at the tokens of the span."""

import pytest
import torch

from tymbal.errors import ModelError, ProbeError
from tymbal.models import open_model
from tymbal.probes import (
    Example,
    LabelledTexts,
    Pooling,
    ProbeConfig,
    load_probe,
    probe,
    read,
    save_report,
    untrained_copy,
)

SITES = ("embed", "resid_post.1", "resid_post.3")
TEXTS = ("Lily saw a cat.", "Once upon a time a girl ran home.", "The cat was happy.")


@pytest.fixture(scope="module")
def model(tiny_llama_folder):
    return open_model(tiny_llama_folder)


def labelled(*spans: str) -> LabelledTexts:
    examples = []
    for number, (text, span) in enumerate(zip(TEXTS, spans, strict=True)):
        start = text.index(span)
        examples.append(Example(text, start, start + len(span), "ab"[number % 2], str(number), ""))
    return LabelledTexts(name="letters", examples=tuple(examples))


SPANS = labelled("a cat", "a girl", "happy")


def span_tokens(model, text: str, span: str) -> list[int]:
    """Places whose tokens spell the span, found from how tokens read, and not from offsets."""
    ids = model.tokenize([text]).ids[0].tolist()
    parts = model.running_text(ids)
    ends = [sum(map(len, parts[: place + 1])) - len(parts[0]) for place in range(len(parts))]
    start, end = text.index(span), text.index(span) + len(span)
    inside = []
    for place in range(1, len(parts)):
        first, last = ends[place] - len(parts[place]), ends[place]
        if (start <= first and last <= end) or text[max(first, start) : max(min(last, end), 0)].strip():
            inside.append(place)
    return inside


@pytest.mark.parametrize("pooling", list(Pooling))
def test_rows_are_the_activations_of_the_spans_tokens(model, pooling: Pooling) -> None:
    found = read(model, SPANS, SITES, pooling)
    for site in SITES:
        row = 0
        for number, (example, span) in enumerate(zip(SPANS.examples, ("a cat", "a girl", "happy"), strict=True)):
            own = model.read(model.tokenize([example.text]), [site])[site][0][span_tokens(model, example.text, span)]
            if pooling is Pooling.EVERY:
                expected, got = own, found.activations[site][row : row + len(own)]
                row += len(own)
            elif pooling is Pooling.ATTENTION:
                expected, got = own, found.activations[site][number, : len(own)]
                assert found.activations[site][number, len(own) :].isnan().all()
            else:
                expected = {"last": own[-1], "first": own[0], "mean": own.mean(0)}[pooling]
                got = found.activations[site][number]
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_labels_groups_and_tokens_go_with_the_rows(model) -> None:
    found = read(model, SPANS, ("embed",), Pooling.EVERY)
    assert len(found.types) == len(found.groups) == len(found.target) == len(found.activations["embed"])
    # At the embedding a token's activation is its own alone, so equal tokens have equal rows.
    vectors = model.read(found.types[:, None], ["embed"])["embed"][:, 0]
    torch.testing.assert_close(found.activations["embed"], vectors)
    assert found.bag.sum() == len(found.types)  # of every token's row the token itself


def test_a_causal_models_bag_ends_at_the_token_that_is_read(model, tiny_bert_folder) -> None:
    encoder = open_model(tiny_bert_folder)
    read_here, read_there = (read(each, SPANS, ("embed",), Pooling.LAST) for each in (model, encoder))
    places = span_tokens(model, TEXTS[0], "a cat")
    assert read_here.bag[0].sum() == places[-1]  # all before it, the first being the special token
    assert read_there.bag[0].sum() == len(encoder.tokenize([TEXTS[0]]).ids[0]) - 2


def test_a_span_without_a_token_is_left_out_and_counted(model) -> None:
    blank = Example("Lily saw  a cat.", 8, 9, "b", "blank", "")
    texts = LabelledTexts(name="t", examples=(*SPANS.examples, blank))
    found = read(model, texts, ("embed",), Pooling.LAST)
    assert found.left_out in (0, 1)
    assert len(found.target) == 4 - found.left_out
    long = Example("cat " * 200 + "Lily", 800, 804, "b", "long", "")
    found = read(model, LabelledTexts(name="t", examples=(*SPANS.examples, long)), ("embed",), Pooling.LAST)
    assert found.left_out == 1
    assert len(found.target) == 3
    with pytest.raises(ProbeError, match="spans that hold a token"):
        read(model, LabelledTexts(name="t", examples=(long, long._replace(label="a"))), ("embed",), Pooling.LAST)


def test_a_site_that_the_model_lacks_is_refused(model) -> None:
    with pytest.raises(ModelError, match="a block from 0 to 3 of"):
        read(model, SPANS, ("resid_post.4",), Pooling.LAST)


@pytest.mark.parametrize("pooling", [Pooling.LAST, Pooling.ATTENTION])
def test_activations_that_are_not_finite_are_refused(tiny_llama_folder, pooling: Pooling) -> None:
    broken = open_model(tiny_llama_folder)
    broken.torch_model.get_submodule("model.layers.1.mlp.down_proj").weight.data[0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"finite activations at resid_post\.1"):
        read(broken, SPANS, ("embed", "resid_post.1"), pooling)


def test_an_untrained_copy_has_the_same_shape_and_other_weights(model, tiny_bert_folder) -> None:
    for own in (model, open_model(tiny_bert_folder)):
        one, same, other = (untrained_copy(own, seed=seed) for seed in (1, 1, 2))
        weights = [dict(each.torch_model.named_parameters()) for each in (own, one, same, other)]
        assert weights[0].keys() == weights[1].keys()
        name = next(name for name in weights[0] if "embed" in name)
        assert weights[0][name].shape == weights[1][name].shape
        assert torch.equal(weights[1][name], weights[2][name])
        assert not torch.equal(weights[1][name], weights[3][name])
        assert not torch.equal(weights[1][name], weights[0][name])


def test_the_embedding_tells_the_token_and_the_probe_is_saved(model, tmp_path) -> None:
    words = ("cat", "Lily", "happy", "time")
    examples = tuple(
        Example("a " * (n % 5) + word, 2 * (n % 5), 2 * (n % 5) + len(word), word, str(n), "")
        for n, word in enumerate(words * 20)
    )
    config = ProbeConfig(site=("embed", "resid_post.2"), draws=50, permutations=19)
    report = probe(model, LabelledTexts(name="words", examples=examples), config)
    assert [result.site for result in report.results] == ["embed", "resid_post.2"]
    assert report.results[0].score.value == 1.0
    assert report.results[0].controls.p_value == 0.05
    assert report.best.validated == 1.0
    save_report(report, tmp_path)
    loaded, of = load_probe(tmp_path / "probe")
    assert of["concept"] == "words"
    assert of["site"] == report.best.site
    assert loaded.tensors().keys() == {"weight", "bias"}
