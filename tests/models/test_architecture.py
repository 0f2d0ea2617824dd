"""The table against the models: what its sites hold adds up to what transformers computes, bit for bit."""

import pytest
import torch

from tests.models.conftest import VARIANTS, Tiny
from tymbal.errors import ModelError
from tymbal.models import ARCHITECTURES, SiteKind
from tymbal.models.architecture import architecture_of


def test_every_architecture_has_a_tiny_model() -> None:
    assert {model_type for model_type, _ in VARIANTS.values()} == set(ARCHITECTURES)


def test_residual_stream_is_bit_equal_to_hidden_states(any_tiny: Tiny, ids: torch.Tensor) -> None:
    model = any_tiny.model
    with torch.inference_mode():
        states = any_tiny.text_part(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
    read = model.read(ids, model.sites())
    assert len(states) == model.layers + 1
    assert torch.equal(read["embed"], states[0])
    for layer in range(model.layers):
        assert torch.equal(read[f"resid_pre.{layer}"], states[layer])
    for layer in range(model.layers - 1):
        assert torch.equal(read[f"resid_post.{layer}"], states[layer + 1])
    # transformers gives the last hidden state after the final norm, the site is before it.
    last = read[f"resid_post.{model.layers - 1}"]
    if model.architecture.final_norm is not None:
        assert not torch.equal(last, states[-1])
        last = any_tiny.text_part.get_submodule(model.architecture.final_norm)(last)
    assert torch.equal(last, states[-1])


def test_attention_and_mlp_outputs_add_up_to_the_residual_stream(any_tiny: Tiny, ids: torch.Tensor) -> None:
    model = any_tiny.model
    read = model.read(ids, model.sites())
    for layer in range(model.layers):
        before, attention, mlp, after = (
            read[f"{kind}.{layer}"] for kind in ("resid_pre", "attn_out", "mlp_out", "resid_post")
        )
        if model.architecture.model_type == "bert":
            block = any_tiny.plain.get_submodule(f"encoder.layer.{layer}")
            middle = block.attention.output.LayerNorm(attention + before)
            assert torch.equal(block.output.LayerNorm(mlp + middle), after)
        elif any_tiny.plain.config.to_dict().get("use_parallel_residual"):
            assert torch.equal(mlp + attention + before, after)
        else:
            assert torch.equal(mlp + (attention + before), after)
        assert attention.abs().max() > 1e-3
        assert mlp.abs().max() > 1e-3


def test_logits_are_bit_equal_to_the_plain_model(causal_tiny: Tiny, ids: torch.Tensor) -> None:
    with torch.inference_mode():
        expected = causal_tiny.plain(input_ids=ids, use_cache=False).logits
    assert torch.equal(causal_tiny.model.logits(ids), expected)


def test_output_directions_explain_the_logits_exactly(causal_tiny: Tiny) -> None:
    model, architecture = causal_tiny.model, causal_tiny.model.architecture
    stream = 3 * torch.randn(5, model.width, generator=torch.Generator().manual_seed(2)).double()
    norm = causal_tiny.text_part.get_submodule(architecture.final_norm)
    unembedding = causal_tiny.plain.get_submodule(architecture.unembedding)
    with torch.no_grad():
        logits = unembedding(norm(stream.float()))
        without_stream = unembedding(norm(torch.zeros(1, model.width)))
    centred = stream - stream.mean(-1, keepdim=True) if architecture.norm.name == "LAYER" else stream
    size = centred.square().mean(-1, keepdim=True).sqrt()
    explained = model.output_directions((stream / size).float()) + without_stream
    torch.testing.assert_close(explained, logits, rtol=1e-4, atol=1e-4)


def test_sites_are_listed_in_the_order_of_the_forward_pass(any_tiny: Tiny) -> None:
    sites = any_tiny.model.sites()
    assert sites[:5] == ["embed", "resid_pre.0", "attn_out.0", "mlp_out.0", "resid_post.0"]
    assert len(sites) == 1 + 4 * any_tiny.model.layers == 17
    assert {site.split(".")[0] for site in sites} == set(SiteKind) - {SiteKind.HEADS}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"model_type": "mamba"}, "'mamba'"),
        ({}, "None"),
        ({"model_type": "bert", "is_decoder": True}, "is_decoder"),
        ({"model_type": "gemma3", "text_config": {"use_bidirectional_attention": True}}, "use_bidirectional_attention"),
    ],
)
def test_what_the_table_does_not_describe_is_refused_by_name(config: dict, named: str) -> None:
    with pytest.raises(ModelError, match=named) as error:
        architecture_of(config)
    assert "\n" not in str(error.value)
    if "mamba" in named:
        assert all(known in str(error.value) for known in ARCHITECTURES)
