"""Shares of a logit: exact where the rest of the model is linear, and beside their true sum where it is not."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from tymbal.dictionaries import TopK
from tymbal.edits import AttributionConfig, OutputToken, attribute
from tymbal.errors import ModelError
from tymbal.models import LanguageModel

IDS = torch.tensor([0, 70, 71, 72, 73, 74])
AT = OutputToken(position=4, token=80)
LAST = "resid_post.3"
SPARED = torch.tensor([True, False, False, False, False, False])


@pytest.fixture
def linear(model: LanguageModel) -> Iterator[LanguageModel]:
    """The model with nothing but its unembedding after the last block."""
    backbone = model.torch_model.model
    norm, backbone.norm = backbone.norm, torch.nn.Identity()
    yield model
    backbone.norm = norm


@pytest.fixture
def at_end(dictionary: TopK) -> TopK:
    """The dictionary, read at the last block's output."""
    dictionary.site = LAST
    return dictionary


@pytest.mark.parametrize("method", ["integrated", "gradient"])
def test_on_a_linear_model_shares_are_values_times_directions_times_the_unembedding(
    linear: LanguageModel, at_end: TopK, method: str
):
    found = attribute(linear, at_end, IDS, AT, AttributionConfig(method=method, nodes=3))
    x = linear.read(IDS.unsqueeze(0), [LAST])[LAST][0, AT.position]
    toward = linear.torch_model.lm_head.weight[AT.token].detach()
    codes = at_end.encode(x)
    truth = {
        int(feature): float(value * (at_end.decoder[feature] @ toward))
        for feature, value in zip(codes.indices, codes.values, strict=True)
        if value != 0
    }
    here = {share.feature: share.share for share in found.features if share.position == AT.position}
    assert here == pytest.approx(truth, abs=1e-3, rel=1e-4)
    assert found.errors[AT.position] == pytest.approx(float((x - at_end.decode(codes)) @ toward), abs=1e-3, rel=1e-4)
    assert all(abs(share.share) < 1e-4 for share in found.features if share.position != AT.position)
    assert found.total == pytest.approx(float((x - at_end.decoder_bias) @ toward), abs=2e-3)
    assert found.left_over == pytest.approx(0, abs=2e-3)


def test_on_a_linear_model_removing_a_feature_costs_its_share(linear: LanguageModel, at_end: TopK):
    found = attribute(linear, at_end, IDS, AT, AttributionConfig(nodes=2, removed=5))
    assert [share.removed for share in found.features[:5]] == pytest.approx(
        [share.share for share in found.features[:5]], abs=2e-3
    )
    assert all(share.removed is None for share in found.features[5:])


def test_a_dictionary_that_explains_everything_leaves_no_error(linear: LanguageModel):
    exact = TopK(32, 64, 32, site=LAST)
    eye = torch.eye(32)
    with torch.no_grad():
        exact.encoder.copy_(torch.cat([eye, -eye]))
        exact.decoder.copy_(torch.cat([eye, -eye]))
    found = attribute(linear, exact.requires_grad_(False), IDS, AT)
    assert found.errors == pytest.approx([0.0] * 5, abs=1e-3)
    assert sum(share.share for share in found.features) == pytest.approx(found.difference, abs=2e-3)


def _start(model: LanguageModel, dictionary: TopK) -> float:
    """The logit with the dictionary's bias in place of every activation, by a hook of our own."""

    def put(_module, _inputs, output: Tensor | tuple[Tensor, ...]):
        hidden = output if isinstance(output, Tensor) else output[0]
        held = hidden.clone()
        held[:, 1:] = dictionary.decoder_bias
        return held if isinstance(output, Tensor) else (held, *output[1:])

    handle = model.torch_model.model.layers[1].register_forward_hook(put)
    with torch.no_grad():
        logits = model.torch_model(input_ids=IDS.unsqueeze(0), use_cache=False).logits
    handle.remove()
    return float(logits[0, AT.position, AT.token])


def test_shares_through_later_blocks_add_up_to_the_true_difference_as_nodes_grow(
    model: LanguageModel, dictionary: TopK
):
    before = model.logits(IDS.unsqueeze(0))
    left = {}
    for nodes in (2, 16, 256):
        found = attribute(model, dictionary, IDS, AT, AttributionConfig(nodes=nodes), spared=SPARED)
        assert found.logit == pytest.approx(float(before[0, AT.position, AT.token]), abs=1e-3)
        assert found.start == pytest.approx(_start(model, dictionary), abs=1e-3)
        assert found.difference == pytest.approx(found.total + found.left_over)
        left[nodes] = abs(found.left_over)
    # Shares that cancel make a small sum, so the measure of what is left over is how much was shared out.
    size = sum(abs(share.share) for share in found.features) + sum(map(abs, found.errors))
    assert left[256] < 1e-3 * size
    assert left[256] < left[16] < left[2]
    assert torch.equal(model.logits(IDS.unsqueeze(0)), before)


def test_spared_tokens_have_no_share(model: LanguageModel, dictionary: TopK):
    found = attribute(model, dictionary, IDS, AT, spared=SPARED)
    assert {share.position for share in found.features} == {1, 2, 3, 4}
    assert found.errors[0] == 0


def test_removal_is_what_the_model_itself_loses(model: LanguageModel, dictionary: TopK):
    found = attribute(model, dictionary, IDS, AT, AttributionConfig(nodes=4, removed=1))
    share = found.features[0]

    class Without:
        site = "resid_post.1"

        def __call__(self, activation):
            changed = activation.clone()
            changed[:, share.position] -= share.value * dictionary.decoder[share.feature]
            return changed

    with model.edited(Without()):
        left = float(model.logits(IDS.unsqueeze(0))[0, AT.position, AT.token])
    assert share.removed == pytest.approx(found.logit - left, abs=2e-3)


def test_a_logit_against_another_is_the_difference_of_both(model: LanguageModel, dictionary: TopK):
    one, other = (attribute(model, dictionary, IDS, OutputToken(4, token)) for token in (80, 81))
    both = attribute(model, dictionary, IDS, OutputToken(4, 80, against=81))
    assert both.logit == pytest.approx(one.logit - other.logit, abs=1e-3)
    assert both.total == pytest.approx(one.total - other.total, abs=1e-2)


@pytest.mark.parametrize("output", [OutputToken(6, 1), OutputToken(-1, 1), OutputToken(1, 300), OutputToken(1, 1, 300)])
def test_what_is_not_there_is_refused(model: LanguageModel, dictionary: TopK, output: OutputToken):
    with pytest.raises(ValueError, match="expected a"):
        attribute(model, dictionary, IDS, output)


def test_a_dictionary_of_another_model_is_refused(model: LanguageModel, dictionary: TopK):
    dictionary.model = {**model.identity, "weights_sha256": "other"}
    with pytest.raises(ModelError, match="made for"):
        attribute(model, dictionary, IDS, AT)
