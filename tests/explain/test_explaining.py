"""Explaining in a folder: what it leaves, that it can be stopped anywhere, what it refuses."""

import random
import shutil
from pathlib import Path

import pytest

from tymbal import artifact
from tymbal.atlas import AtlasConfig, build_atlas
from tymbal.corpora import CutConfig, Document, PassageStore, cut
from tymbal.dictionaries import TopK
from tymbal.dictionaries.baselines import random_dictionary
from tymbal.errors import ArtifactError
from tymbal.explain import (
    ExplainConfig,
    PredicateConfig,
    PredicateExplainer,
    Subject,
    explain_features,
    open_explanations,
)
from tymbal.explain import tables as tables_module
from tymbal.models import open_model

FEATURES = 12
CONFIG = ExplainConfig(baseline_features=6, draws=20)
TEXT = "once upon a time a little girl named lily saw a big red cat and the cat was happy and she ran home"
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def subject(tiny_llama_folder, tmp_path_factory):
    """A random dictionary of a random model, indexed on random words."""
    folder = tmp_path_factory.mktemp("subject")
    model = open_model(str(tiny_llama_folder))
    draw = random.Random(0)
    documents = (Document(" ".join(draw.choices(WORDS, k=40)), source="words") for _ in range(90))
    cut(documents, model.tokenizer, CutConfig(length=64, heldout=1.0), folder / "corpus")
    store = PassageStore.open(folder / "corpus")
    rows = model.read(model.tokenize([" ".join(WORDS)] * 4), ["resid_post.1"])["resid_post.1"].flatten(0, 1)
    dictionary = random_dictionary(TopK(model.width, FEATURES, 2, site="resid_post.1"), rows, seed=3)
    atlas = build_atlas(dictionary, model, "resid_post.1", store, folder / "atlas", AtlasConfig(layout="pca"))
    yield Subject(atlas=atlas, dictionary=dictionary, model=model, store=store)
    atlas.close()


@pytest.fixture(scope="module")
def folder(subject, tmp_path_factory):
    """All features, explained at one go, in units of five."""
    out = tmp_path_factory.mktemp("explained") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables_module, "UNIT", 5)
        explain_features(subject, out, CONFIG)
    return out


def checksums(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): artifact.file_checksum(path) for path in folder.rglob("*") if path.is_file()}


def test_every_feature_is_explained_and_scored_and_so_are_the_baselines(folder):
    explanations = open_explanations(folder)
    for table in ("explanations", "token", "exact"):
        assert [row["feature"] for row in explanations.rows(table)] == list(range(FEATURES))
        for baseline in ("random", "neurons"):
            assert len(explanations.rows(f"{baseline}/{table}")) == CONFIG.baseline_features
    systems = explanations.summary["systems"]
    assert set(systems) == {"features", "random", "neurons"}
    assert systems["features"]["features"] == sum(systems["features"]["kinds"].values()) == FEATURES
    measured = [row["auroc"] for row in explanations.rows("exact") if row["auroc"] is not None]
    number = systems["features"]["medians"]["auroc"]["explanation"]
    assert number["count"] == len(measured)
    assert number["low"] <= number["value"] == pytest.approx(sorted(measured)[len(measured) // 2], abs=0.2)
    assert not (folder / "work").exists()


def test_stopped_anywhere_it_goes_on_and_ends_with_the_same_bytes(subject, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tables_module, "UNIT", 5)
    written: list[str] = []
    most = 0
    write = tables_module.ExplanationFolder.write

    def stopping(self, table, unit, rows, schema):
        if len(written) < most:
            write(self, table, unit, rows, schema)
        written.append(f"{table} {unit}")
        if len(written) == most:
            raise KeyboardInterrupt

    monkeypatch.setattr(tables_module.ExplanationFolder, "write", stopping)
    for stop in (2, 5, 11):
        most = stop
        written.clear()
        with pytest.raises(KeyboardInterrupt):
            explain_features(subject, tmp_path / "out", CONFIG)
    monkeypatch.setattr(tables_module.ExplanationFolder, "write", write)
    explain_features(subject, tmp_path / "out", CONFIG)
    assert checksums(tmp_path / "out") == checksums(folder)


def test_a_finished_folder_is_opened_as_it_is_and_a_damaged_one_mended(subject, folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = checksums(copy)
    explain_features(subject, copy, CONFIG)
    assert checksums(copy) == before
    (copy / "exact/part-00001.parquet").write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match="exact/part-00001"):
        open_explanations(copy)


def test_a_folder_of_another_explainer_or_other_features_is_refused(subject, folder):
    other = PredicateExplainer(PredicateConfig(least=0.5))
    with pytest.raises(ArtifactError, match="another folder"):
        explain_features(subject, folder, CONFIG, other)
    with pytest.raises(ArtifactError, match="another folder"):
        explain_features(subject, folder, CONFIG, features=[1])


def test_single_features_are_explained_as_all_of_them_are(subject, folder, tmp_path):
    some = explain_features(subject, tmp_path / "some", ExplainConfig(baseline_features=0, draws=20), features=[3, 8])
    whole = open_explanations(folder).by_feature()
    assert some.by_feature() == {feature: whole[feature] for feature in (3, 8)}
    assert set(some.summary["systems"]) == {"features"}


def test_a_feature_that_does_not_exist_is_refused(subject, tmp_path):
    with pytest.raises(ValueError, match=f"from 0 to {FEATURES - 1}, not {FEATURES}"):
        explain_features(subject, tmp_path / "out", CONFIG, features=[FEATURES])
