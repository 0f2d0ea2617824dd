"""Vectors from contrasts, and the same vectors in other projects' files."""

import pickle
import zlib
from base64 import b64decode

import pytest
import torch

from tymbal.dictionaries import TopK
from tymbal.edits import (
    FitConfig,
    Steer,
    SteeringVector,
    Where,
    Written,
    feature_vector,
    fitted_vector,
    load_vectors,
    probe_vector,
    save_vectors,
    steering_vector,
    written_vector,
)
from tymbal.edits.saved_directions import saved_direction
from tymbal.errors import ArtifactError, ModelError, TymbalError
from tymbal.models import LanguageModel
from tymbal.probes import MLP, Classes, LinearProbe, save_probe

SITE = "resid_post.2"
TOWARD, AWAY = ["The cat was happy", "Lily was a big cat", "a cat"], ["The mom was sad", "Lily saw a red mom", "a mom"]
# Written by the gguf package 0.19.0 the way repeng 0.4.0 exports a control vector: direction.1 and direction.3.
REPENG = zlib.decompress(
    b64decode(
        "eNpzdw91Y2ZgYGBigABmKC0CpdNT81KLEnP0EouSMzJLUpNLSotSOYDivFD55Py8kqL8nDKgTH6RBDZBvdz8lNSc+IzMvBKQRlaompycxNxE"
        "SawachIrU4vik/NL80pYoE7jhipMySwCqsnMz9MzZERyLTLAVGqMrlQBWf0BexDBwNBgx4ATNDgACUdsMgD2ETGT"
    )
)


def _last(model: LanguageModel, text: str) -> torch.Tensor:
    return model.read(model.tokenize([text]), [SITE])[SITE][0, -1]


def test_a_pair_gives_the_difference_at_the_last_token(model: LanguageModel):
    vector = steering_vector(model, TOWARD[:1], AWAY[:1], site=SITE)
    torch.testing.assert_close(vector.direction, _last(model, TOWARD[0]) - _last(model, AWAY[0]), rtol=1e-4, atol=1e-4)
    assert vector.model == model.identity


def test_a_contrast_gives_the_mean_difference_and_pca_its_principal_axis(model: LanguageModel):
    differences = torch.stack([_last(model, a) - _last(model, b) for a, b in zip(TOWARD, AWAY, strict=True)])
    mean = steering_vector(model, TOWARD, AWAY, site=SITE).direction
    torch.testing.assert_close(mean, differences.mean(0), rtol=1e-4, atol=1e-4)
    component = steering_vector(model, TOWARD, AWAY, site=SITE, method="pca").direction
    values, vectors = torch.linalg.eigh((differences.T @ differences).double())
    axis = component.double() / component.double().norm()
    assert abs(float(axis @ vectors[:, -1])) == pytest.approx(1, abs=1e-4)
    assert float(component @ differences.mean(0)) > 0
    assert float(values[-1]) > 0


def test_the_mean_over_tokens_leaves_the_first_token_out(model: LanguageModel):
    vector = steering_vector(model, TOWARD, AWAY[:2], site=SITE, method="mean").direction

    def mean(texts: list[str]) -> torch.Tensor:
        rows = [model.read(model.tokenize([text]), [SITE])[SITE][0, 1:] for text in texts]
        return torch.cat(rows).mean(0)

    torch.testing.assert_close(vector, mean(TOWARD) - mean(AWAY[:2]), rtol=1e-3, atol=1e-4)


def test_a_feature_is_a_vector_whose_strength_is_its_value(model: LanguageModel, dictionary: TopK):
    vector = feature_vector(dictionary, 7)
    assert torch.equal(vector.direction, dictionary.decoder[7])
    with model.edited(vector.steer(2.0)):
        pass
    with pytest.raises(ModelError, match="site of the dictionary"):
        feature_vector(dictionary, 7, site="resid_post.0")


def test_a_relative_strength_is_a_share_of_each_activations_own_length(model: LanguageModel):
    vector = steering_vector(model, TOWARD[:1], AWAY[:1], site=SITE)
    ids = model.tokenize(["Lily saw a red cat"]).ids
    plain = model.read(ids, [SITE])[SITE]
    for size in (1.0, 30.0):  # of the vector: it does not count
        with model.edited(vector.of_length(size).steer(0.5, relative=True)):
            moved = model.read(ids, [SITE])[SITE] - plain
        torch.testing.assert_close(moved.norm(dim=-1), 0.5 * plain.norm(dim=-1), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(moved[0, 2] / moved[0, 2].norm(), vector.of_length(1.0).direction, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="points somewhere"):
        Steer(torch.zeros(32), site=SITE, relative=True)


def test_each_row_may_have_a_prompt_of_its_own(model: LanguageModel):
    vector = steering_vector(model, TOWARD[:1], AWAY[:1], site=SITE)
    edit = vector.steer(0.5, relative=True, where=Where(tokens="prompt"))
    ids = model.tokenize(["Lily saw a red cat", "Once upon a time ago"]).ids[:, :5]
    with model.edited(edit, prompt=[2, 4]):
        together = model.read(ids, [SITE])[SITE]
    for row, prompt in enumerate([2, 4]):
        with model.edited(edit, prompt=prompt):
            torch.testing.assert_close(together[row], model.read(ids[row : row + 1], [SITE])[SITE][0])
    assert not torch.equal(together, model.read(ids, [SITE])[SITE])


def _written(beginning: str, part: str) -> Written:
    return Written(beginning + part, len(beginning), len(beginning + part))


def test_a_written_vector_is_the_difference_where_the_parts_are_written(model: LanguageModel):
    toward, away = [_written("Lily saw", " a big cat")], [_written("Lily saw", " a red mom")]
    found = written_vector(model, toward, away, site=SITE).direction

    def mean(passage: Written) -> torch.Tensor:
        first = model.tokenize([passage.beginning]).ids.shape[1]
        return model.read(model.tokenize([passage.text]), [SITE])[SITE][0, first - 1 : -1].mean(0)

    torch.testing.assert_close(found, mean(toward[0]) - mean(away[0]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tokens", ["all", "prompt"])
def test_a_fitted_vector_makes_the_model_write_what_it_was_fitted_to(model: LanguageModel, tokens):
    """On beginnings it was not fitted on; the model's weights and gradients stay as they are."""
    where = Where(tokens=tokens)
    wanted = [_written(beginning, " cat") for beginning in ("Once upon a time", "Lily saw", "a big red")]
    config = FitConfig(steps=30, batch=4, rate=0.05, tokens=1, where=where)
    before = [weight.clone() for weight in model.torch_model.parameters()]
    vector = fitted_vector(model, wanted, site="resid_post.3", config=config)
    assert all(weight.grad is None for weight in model.torch_model.parameters())
    assert all(torch.equal(*pair) for pair in zip(before, model.torch_model.parameters(), strict=True))
    strength = float(vector.direction.norm())
    with model.edited(vector.steer(strength, relative=True, where=where)):
        assert model.generate("Lily ran home to", max_new_tokens=1) == "Lily ran home to cat"
    assert model.generate("Lily ran home to", max_new_tokens=1) != "Lily ran home to cat"


def test_fitting_to_nothing_is_refused(model: LanguageModel):
    with pytest.raises(ValueError, match="at least one wanted text"):
        fitted_vector(model, [], site=SITE)
    with pytest.raises(ValueError, match="at least one step"):
        FitConfig(steps=0)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_probes_vector_raises_its_score_by_one(outputs: int):
    weight = torch.randn(outputs, 32, generator=torch.Generator().manual_seed(0))
    probe = LinearProbe(weight, torch.zeros(outputs))
    vector = probe_vector(probe, site=SITE, output=outputs - 1)
    x = torch.randn(5, 32, generator=torch.Generator().manual_seed(1))
    moved = probe.scores(x + vector.direction) - probe.scores(x)
    others = moved[:, :-1].mean(1) if outputs > 1 else 0.0
    torch.testing.assert_close(moved[:, -1] - others, torch.ones(5), rtol=1e-4, atol=1e-4)


def test_a_saved_probe_leads_to_the_class_named(model: LanguageModel, tmp_path):
    probe = LinearProbe(torch.ones(1, 32), torch.zeros(1))
    of = {"site": SITE, "model": dict(model.identity), "names": ["false", "true"]}
    save_probe(probe, tmp_path / "out" / "probe", of)
    folder = str(tmp_path / "out")
    assert torch.equal(saved_direction(f"{folder}:false").direction, -saved_direction(f"{folder}:true").direction)
    assert torch.equal(saved_direction(folder).direction, saved_direction(f"{folder}/probe:true").direction)
    with model.edited(saved_direction(folder).steer(1.0)):
        pass
    with pytest.raises(TymbalError, match="a class of the probe: false, true; got 'maybe'"):
        saved_direction(f"{folder}:maybe")


def test_a_probe_without_one_direction_is_refused():
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    probe = MLP(epochs=1).fit(x, Classes((x[:, 0] > 0).long(), ("no", "yes")), torch.arange(40))
    with pytest.raises(TymbalError, match="expected a linear probe"):
        probe_vector(probe, site=SITE)


def test_a_folder_keeps_site_and_model_and_another_model_refuses_them(model: LanguageModel, tmp_path):
    vectors = [
        SteeringVector(direction=torch.randn(32), site=site, model=dict(model.identity), made="drawn")
        for site in ("attn_out.1", "resid_post.2")
    ]
    save_vectors(tmp_path / "vectors", vectors)
    again = load_vectors(tmp_path / "vectors")
    assert [vector.site for vector in again] == ["attn_out.1", "resid_post.2"]
    assert all(torch.equal(a.direction, b.direction) for a, b in zip(again, vectors, strict=True))
    with model.edited(*(vector.steer(1.0) for vector in again)):
        pass
    other = SteeringVector(direction=again[0].direction, site=SITE, model={**again[0].model, "weights_sha256": "f00"})
    with pytest.raises(ModelError, match="whose weights_sha256 differs"), model.edited(other.steer(1.0)):
        pass


def test_a_random_control_has_the_same_length_and_another_direction(model: LanguageModel):
    vector = steering_vector(model, TOWARD, AWAY, site=SITE)
    control = vector.random(3)
    assert float(control.direction.norm()) == pytest.approx(float(vector.direction.norm()), rel=1e-5)
    assert torch.equal(control.direction, vector.random(3).direction)
    assert abs(float(torch.cosine_similarity(control.direction, vector.direction, dim=0))) < 0.7


def test_texts_without_a_difference_or_a_pair_are_refused(model: LanguageModel):
    with pytest.raises(TymbalError, match="differ at resid_post"):
        steering_vector(model, TOWARD[:1], TOWARD[:1], site=SITE)
    with pytest.raises(ValueError, match="in pairs; got 3 and 2"):
        steering_vector(model, TOWARD, AWAY[:2], site=SITE)
    with pytest.raises(ValueError, match="sequences of at least one"):
        steering_vector(model, [], AWAY, site=SITE)


def test_repengs_file_is_read_and_written_byte_for_byte(tmp_path):
    (tmp_path / "theirs.gguf").write_bytes(REPENG)
    vectors = load_vectors(tmp_path / "theirs.gguf")
    assert [vector.site for vector in vectors] == ["resid_post.1", "resid_post.3"]
    assert vectors[0].direction.tolist() == [1.5, -2, 0.25]
    assert vectors[1].direction.tolist() == [0, 4, 8]
    save_vectors(tmp_path / "ours.gguf", vectors, architecture="llama")
    assert (tmp_path / "ours.gguf").read_bytes() == REPENG


def test_steering_vectors_fields_are_read_and_written(tmp_path):
    layers = {2: torch.randn(8), 5: torch.randn(8)}
    torch.save({"layer_activations": layers, "layer_type": "mlp"}, tmp_path / "theirs.pt")
    vectors = load_vectors(tmp_path / "theirs.pt")
    assert [vector.site for vector in vectors] == ["mlp_out.2", "mlp_out.5"]
    save_vectors(tmp_path / "ours.pt", vectors)
    again = torch.load(tmp_path / "ours.pt", weights_only=True)
    assert again["layer_type"] == "mlp"
    assert all(torch.equal(again["layer_activations"][layer], layers[layer]) for layer in layers)


class _Bomb:
    def __reduce__(self):
        return (print, ("boom",))


def test_damaged_foreign_and_dangerous_files_are_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "cut.gguf").write_bytes(REPENG[:150])
    (tmp_path / "other.gguf").write_bytes(REPENG.replace(b"controlvector", b"somethingelse"))
    (tmp_path / "text.gguf").write_bytes(b"hello")
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(_Bomb()))
    torch.save({"layers": {}}, tmp_path / "fields.pt")
    for name in ("cut.gguf", "other.gguf", "text.gguf", "bomb.pt", "fields.pt", "none.gguf", "none.pt", "v.npz"):
        with pytest.raises(ArtifactError) as raised:
            load_vectors(tmp_path / name)
        assert "\n" not in str(raised.value)
    assert "boom" not in capsys.readouterr().out
    with pytest.raises(ValueError, match="one kind of site"):
        save_vectors(
            tmp_path / "v.gguf",
            [SteeringVector(direction=torch.ones(2), site=site) for site in ("resid_post.1", "mlp_out.1")],
        )
