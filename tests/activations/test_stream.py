from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tymbal.activations import HarvestConfig, stream
from tymbal.activations.stream import Batch, batches
from tymbal.corpora import CutConfig, Passage, PassageStore, Role, cut
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, open_model

SITES = ("resid_post.1", "mlp_out.0")


def _joined(parts: list[Batch]) -> Batch:
    activations = {site: torch.cat([part.activations[site] for part in parts]) for site in parts[0].activations}
    return Batch(activations, *(torch.cat(column) for column in list(zip(*parts, strict=True))[1:]))


def _alone(model: LanguageModel, passage: Passage, site: str) -> torch.Tensor:
    return model.read(torch.from_numpy(passage.tokens.astype(np.int64))[None], [site])[site][0]


def test_each_row_is_what_its_passage_gives_alone(model: LanguageModel, passages: PassageStore) -> None:
    wanted = list(passages.passages([Role.TRAIN]))
    config = HarvestConfig(sites=SITES, batch_tokens=200, dtype="float32")
    got = _joined(list(stream(model, wanted, config)))
    for site in SITES:
        expected = torch.cat([_alone(model, passage, site) for passage in wanted])
        torch.testing.assert_close(got.activations[site], expected, rtol=1e-5, atol=1e-5)
    assert got.tokens.tolist() == [token for passage in wanted for token in passage.tokens]
    assert got.passages.tolist() == [passage.id for passage in wanted for _ in passage.tokens]
    assert got.positions.tolist() == [place for passage in wanted for place in range(len(passage.tokens))]
    assert got.special.tolist() == [bool(special) for passage in wanted for special in passage.special]


def test_captured_activations_are_bit_equal_to_plain_hugging_face(model: LanguageModel, passages: PassageStore) -> None:
    full = [passage for passage in passages.passages() if len(passage.tokens) == 48][:4]
    ids = torch.from_numpy(np.stack([passage.tokens for passage in full]).astype(np.int64))
    with torch.inference_mode():
        hidden = model.torch_model(ids, output_hidden_states=True).hidden_states
    got = _joined(list(stream(model, full, HarvestConfig(sites=("resid_post.1",), dtype="float32"))))
    assert len(full) == 4
    assert torch.equal(got.activations["resid_post.1"], hidden[2].flatten(0, 1))


def test_the_same_passages_streamed_again_give_the_same_bits(model: LanguageModel, passages: PassageStore) -> None:
    config = HarvestConfig(sites=SITES, batch_tokens=150)
    first, second = (_joined(list(stream(model, passages.passages(), config))) for _ in range(2))
    for site in SITES:
        assert torch.equal(first.activations[site], second.activations[site])


def test_all_sites_are_read_in_one_pass(
    model: LanguageModel, passages: PassageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    read = LanguageModel.read

    def counted(self, tokens, sites):
        asked.append((tuple(sites), tokens.ids.numel()))
        return read(self, tokens, sites)

    monkeypatch.setattr(LanguageModel, "read", counted)
    wanted = list(passages.passages())
    list(stream(model, wanted, HarvestConfig(sites=SITES, batch_tokens=400)))
    assert {sites for sites, _ in asked} == {SITES}
    lengths = [len(passage.tokens) for passage in wanted]
    as_they_come = sum(
        max(lengths[start : start + 8]) * len(lengths[start : start + 8]) for start in range(0, len(wanted), 8)
    )
    padding = sum(size for _, size in asked) - sum(lengths)
    # Sorted by length, in windows; the same number of passages a batch in the order of the text for comparison.
    assert 0 <= padding < (as_they_come - sum(lengths)) / 2


@given(st.lists(st.integers(1, 300), max_size=100), st.integers(1, 1000))
def test_batches_hold_every_passage_once_within_the_limit(lengths: list[int], limit: int) -> None:
    sizes = np.array(lengths, dtype=np.int64)
    parts = list(batches(sizes, limit))
    assert sorted(np.concatenate([*parts, np.zeros(0, int)]).tolist()) == list(range(len(lengths)))
    assert all(len(part) == 1 or len(part) * sizes[part].max() <= limit for part in parts)


def test_an_encoder_is_read_too(tiny_bert_folder: Path, documents: Callable, tmp_path: Path) -> None:
    model = open_model(tiny_bert_folder)
    store = cut(documents(6), model.tokenizer, CutConfig(length=20, heldout=0.0), tmp_path)
    wanted = list(store.passages())
    got = _joined(list(stream(model, wanted, HarvestConfig(sites=("resid_post.2",), dtype="float32", batch_tokens=64))))
    expected = torch.cat([_alone(model, passage, "resid_post.2") for passage in wanted])
    torch.testing.assert_close(got.activations["resid_post.2"], expected, rtol=1e-4, atol=1e-5)
    assert got.special.sum() == 2 * len(wanted)


def test_autocast_gives_nearly_the_same(model: LanguageModel, passages: PassageStore) -> None:
    wanted = list(passages.passages())[:10]
    exact, fast = (
        _joined(list(stream(model, wanted, HarvestConfig(sites=SITES, dtype="float32", autocast=autocast))))
        for autocast in (False, True)
    )
    for site in SITES:
        error = (exact.activations[site] - fast.activations[site]).norm() / exact.activations[site].norm()
        assert 0 < error < 0.02


def test_activations_that_are_not_finite_name_site_and_passage(tiny_llama_folder: Path, passages: PassageStore) -> None:
    broken = open_model(tiny_llama_folder)
    wanted = list(passages.passages())
    token = int(wanted[7].tokens[-1])
    victim = next(passage for passage in wanted if token in passage.tokens)
    with torch.no_grad():
        broken.torch_model.get_input_embeddings().weight[token] = float("nan")
    where = f"passage {victim.id}, token {victim.tokens.tolist().index(token)};"
    with pytest.raises(ModelError, match=f"finite activations at embed; got NaN or infinity in {where}"):
        list(stream(broken, wanted, HarvestConfig(sites=("embed",))))
    # Further on, the product of a zero attention weight and NaN is NaN, also at earlier tokens of the same passage.
    with pytest.raises(ModelError, match=rf"resid_post\.1; got NaN or infinity in passage {victim.id},"):
        list(stream(broken, wanted, HarvestConfig(sites=("resid_post.1",))))


def test_large_finite_activations_are_not_mistaken_for_infinity(model: LanguageModel, passages: PassageStore) -> None:
    class Blow:
        site = "resid_post.1"

        def __call__(self, activation: torch.Tensor) -> torch.Tensor:
            return torch.full_like(activation, 3e38)  # the sum over rows overflows

    with model.edited(Blow()):
        got = _joined(list(stream(model, list(passages.passages())[:3], HarvestConfig(sites=("resid_post.1",)))))
    assert torch.isfinite(got.activations["resid_post.1"]).all()


def test_unknown_and_doubled_sites_are_refused(model: LanguageModel, passages: PassageStore) -> None:
    with pytest.raises(ModelError, match=r"resid_post\.9"):
        next(stream(model, passages.passages(), HarvestConfig(sites=("resid_post.9",))))
    with pytest.raises(ModelError, match="each site once"):
        next(stream(model, passages.passages(), HarvestConfig(sites=("resid_post.1", "blocks.1.hook_resid_post"))))


@pytest.mark.parametrize("wrong", [{"sites": ()}, {"sites": ("a", "a")}, {"batch_tokens": 0}, {"shard_tokens": 0}])
def test_a_config_that_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        HarvestConfig(**{"sites": ("embed",), **wrong})
