"""A whole evaluation on tiny models: what is perfect scores as perfect, and every number has its neighbours."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tymbal.corpora import Passage, Role
from tymbal.dictionaries import Ends, EvaluationConfig, Part, ReLU, Target, TopK, evaluate
from tymbal.errors import ArtifactError, ModelError
from tymbal.models import LanguageModel, open_model

SITE = "resid_post.1"
QUICK = EvaluationConfig(draws=50, batch_tokens=200)


def passages(model: LanguageModel, number: int = 12) -> list[Passage]:
    generator = np.random.default_rng(0)
    made = []
    for place in range(number):
        tokens = generator.integers(5, model.vocabulary, 10 + 3 * place).astype(np.int32)
        special = np.zeros(len(tokens), dtype=bool)
        special[0] = True
        made.append(Passage(place, place, Role.SHOW, tokens, special))
    return made


def perfect(width: int) -> TopK:
    """Keeps every coordinate: the reconstruction is the activation."""
    dictionary = TopK(width, 2 * width, 2 * width)
    with torch.no_grad():
        dictionary.encoder.copy_(torch.cat([torch.eye(width), -torch.eye(width)]))
        dictionary.decoder.copy_(dictionary.encoder)
    return dictionary.requires_grad_(False)


@pytest.fixture(scope="module")
def llama(tiny_llama_folder: Path) -> LanguageModel:
    return open_model(tiny_llama_folder)


@pytest.fixture(scope="module")
def bert(tiny_bert_folder: Path) -> LanguageModel:
    return open_model(tiny_bert_folder)


def test_a_perfect_dictionary_of_a_language_model(llama: LanguageModel) -> None:
    made = passages(llama)
    told: list[tuple[int, int]] = []
    found = evaluate(perfect(32), llama, SITE, made, QUICK, lambda done, total, _unit: told.append((done, total)))
    value = {name: finding.value for name, finding in found.findings.items()}
    assert value["fvu"] < 1e-10
    assert abs(value["kl"]) < 1e-6
    assert value["recovered.zero"] == pytest.approx(1, abs=1e-4)
    assert value["recovered.mean"] == pytest.approx(1, abs=1e-4)
    assert value["loss"] == pytest.approx(value["loss.plain"], abs=1e-5)
    assert value["l0"] == 32
    tokens = sum(len(passage.tokens) for passage in made)
    assert (found.passages, found.tokens, found.spared, found.failures) == (12, tokens - 12, 12, 0)
    assert found.predictions == tokens - 24  # neither from the first token nor beyond the last
    assert told[-1] == (2 * tokens, 2 * tokens)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["findings"]["fvu"]["unit"]


def test_the_plain_loss_is_the_models_own(llama: LanguageModel) -> None:
    made = passages(llama)
    found = evaluate(perfect(32), llama, SITE, made, QUICK).findings["loss.plain"]
    losses = []
    for passage in made:
        ids = torch.from_numpy(passage.tokens.astype(np.int64))[None]
        logits = llama.logits(ids)[0]
        losses.append(torch.nn.functional.cross_entropy(logits[1:-1], ids[0, 2:], reduction="none"))
    assert found.value == pytest.approx(float(torch.cat(losses).mean()), rel=1e-5)


def test_baselines_stand_beside_and_the_empty_dictionary_is_mean_ablation(llama: LanguageModel) -> None:
    made = passages(llama)
    rows = []
    for passage in made:
        ids = torch.from_numpy(passage.tokens.astype(np.int64))[None]
        rows.append(llama.read(ids, [SITE])[SITE][0, 1:])
    dictionary = TopK(32, 64, 4).requires_grad_(False)
    dictionary.decoder_bias.copy_(torch.cat(rows).mean(0))
    found = evaluate(dictionary, llama, SITE, made, QUICK)
    numbers = found.findings
    assert numbers["fvu"].value == pytest.approx(1, abs=1e-6)
    assert numbers["loss"].value == pytest.approx(numbers["loss"].baselines["mean ablation"].value, rel=1e-5)
    assert numbers["recovered.mean"].value == pytest.approx(0, abs=1e-3)
    assert numbers["l0"].value == 0
    assert numbers["dead"].value == 64
    assert all(0 < number.value < 1 for number in numbers["fvu"].baselines.values())
    for name, finding in numbers.items():
        assert finding.low - 1e-9 <= finding.value <= finding.high + 1e-9, name
        assert all(number.low <= number.high for number in finding.baselines.values())


def test_a_dictionary_without_k_is_set_against_baselines_of_its_own_l0(llama: LanguageModel) -> None:
    dictionary = ReLU(32, 64)
    with torch.no_grad():
        dictionary.encoder.copy_(torch.cat([torch.eye(32), -torch.eye(32)]))
        dictionary.decoder.copy_(dictionary.encoder)
    numbers = evaluate(dictionary.requires_grad_(False), llama, SITE, passages(llama), QUICK).findings
    assert numbers["l0"].value == 32  # each coordinate is active with one of its signs
    assert numbers["fvu"].value < 1e-10
    assert numbers["fvu"].baselines["PCA with k components"].value < 1e-10


def test_shrinkage_is_the_length_written_over_the_length_that_was_there(llama: LanguageModel) -> None:
    dictionary = perfect(32)
    dictionary.decoder *= 0.8
    found = evaluate(dictionary, llama, SITE, passages(llama), QUICK).findings["shrinkage"]
    assert found.value == pytest.approx(0.8, rel=1e-5)
    assert found.low == pytest.approx(found.high, rel=1e-5)


def as_transcoder(dictionary: TopK, target: Target) -> TopK:
    made = TopK(dictionary.width, dictionary.features, dictionary.k, ends=Ends(target=target)).requires_grad_(False)
    made.load_state_dict(dictionary.state_dict())
    return made


def test_a_transcoder_back_to_its_own_site_is_judged_as_an_autoencoder_is(llama: LanguageModel) -> None:
    made = passages(llama)
    autoencoder = perfect(32)
    autoencoder.decoder[5] = 0  # not quite perfect, so that there is something to compare
    transcoder = as_transcoder(autoencoder, Target(width=32, site=SITE))
    one, other = (evaluate(each, llama, SITE, made, QUICK).findings for each in (autoencoder, transcoder))
    for name in ("fvu", "loss", "kl", "l0", "recovered.mean", "shrinkage", "dead"):
        assert other[name].value == pytest.approx(one[name].value, rel=1e-5), name


def test_a_transcoder_is_judged_at_the_site_it_writes(llama: LanguageModel) -> None:
    made = passages(llama)
    rows = []
    for passage in made:
        ids = torch.from_numpy(passage.tokens.astype(np.int64))[None]
        rows.append(llama.read(ids, ["mlp_out.1"])["mlp_out.1"][0, 1:])
    dictionary = TopK(32, 64, 4, ends=Ends(target=Target(width=32, site="mlp_out.1"))).requires_grad_(False)
    dictionary.decoder_bias.copy_(torch.cat(rows).mean(0))
    numbers = evaluate(dictionary, llama, "resid_post.0", made, QUICK).findings
    assert numbers["fvu"].value == pytest.approx(1, abs=1e-6)
    assert numbers["loss"].value == pytest.approx(numbers["loss"].baselines["mean ablation"].value, rel=1e-5)


def test_what_cannot_be_put_back_at_one_site_is_refused(llama: LanguageModel) -> None:
    crosscoder = ReLU(32, 64, ends=Ends(parts=(Part(width=16), Part(width=16))))
    with pytest.raises(ArtifactError, match="expected a dictionary of one site; got a crosscoder of 2"):
        evaluate(crosscoder, llama, SITE, passages(llama), QUICK)
    with pytest.raises(ArtifactError, match="expected a transcoder that names the site it writes"):
        evaluate(ReLU(32, 64, ends=Ends(target=Target(width=32))), llama, SITE, passages(llama), QUICK)


def test_a_perfect_dictionary_of_an_encoder(bert: LanguageModel) -> None:
    found = evaluate(perfect(32), bert, "resid_post.0", passages(bert), QUICK)
    assert found.predictions == 0
    assert "loss" not in found.findings
    cosine = found.findings["cosine"]
    assert cosine.value == pytest.approx(1, abs=1e-6)
    assert cosine.baselines["mean ablation"].value < 1 - 1e-4
    assert found.findings["recovered.mean"].value == pytest.approx(1, abs=1e-3)


def test_the_same_seed_gives_the_same_numbers(llama: LanguageModel) -> None:
    first, second = (evaluate(perfect(32), llama, SITE, passages(llama), QUICK).to_json() for _ in range(2))
    assert first == second


def test_a_passage_that_breaks_the_model_is_left_out_and_counted(llama: LanguageModel) -> None:
    dictionary = perfect(32)
    made = passages(llama)
    first = torch.from_numpy(made[0].tokens.astype(np.int64))[None]
    row = llama.read(first, [SITE])[SITE][0, 1]
    dictionary.encoder[0] = row * 1e30 / row.norm() ** 2
    dictionary.encoder_bias[0] = -0.99e30  # overflows on rows that lie as far along this one
    dictionary.decoder[0] *= 1e30
    found = evaluate(dictionary, llama, SITE, made, QUICK)
    assert 1 <= found.failures < found.passages == 12
    assert all(math.isfinite(finding.value) for finding in found.findings.values())
    dictionary.decoder_bias.fill_(float("nan"))
    with pytest.raises(ArtifactError, match="NaN or infinity in all 12 passages"):
        evaluate(dictionary, llama, SITE, made, QUICK)


def test_another_width_and_another_site_are_refused(llama: LanguageModel) -> None:
    with pytest.raises(ArtifactError, match="a dictionary of width 32"):
        evaluate(perfect(16), llama, SITE, passages(llama), QUICK)
    with pytest.raises(ModelError):
        evaluate(perfect(32), llama, "resid_post.9", passages(llama), QUICK)
