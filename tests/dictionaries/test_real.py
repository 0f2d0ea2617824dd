"""A small dictionary of a real model on real stories is better than its baselines."""

from pathlib import Path

import pytest

from tymbal.activations import HarvestConfig, StoredRows, harvest
from tymbal.corpora import HELD_OUT, CutConfig, TextConfig, cut, read_documents
from tymbal.dictionaries import Descent, EvaluationConfig, TrainingConfig, evaluate, train
from tymbal.models import open_model

SITE = "resid_post.2"


@pytest.mark.real
@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
def test_a_dictionary_of_stories260k_beats_its_baselines(real: Path, tmp_path: Path, kind: str) -> None:
    model = open_model(real / "models/stories260K")
    text = real / "text/tinystories_v1_train_first1097.txt"
    documents = read_documents([str(text)], TextConfig(separator=r"(?<!\n)\n(?!\n)"))
    store = cut(documents, model.tokenizer, CutConfig(length=128, tokens=24_000, heldout=0.2), tmp_path / "corpus")
    rows = harvest(model, store, HarvestConfig(sites=(SITE,)), tmp_path / "activations")
    config = TrainingConfig(kind=kind, features=256, k=8, epochs=6.0, batch=512, descent=Descent(learning_rate=3e-3))
    dictionary = train(StoredRows(rows, SITE, seed=0), config, tmp_path / kind, site=SITE, model=model.identity)
    found = evaluate(dictionary, model, SITE, store.passages(HELD_OUT), EvaluationConfig(draws=100))
    fvu, recovered = found.findings["fvu"], found.findings["recovered.mean"]
    assert fvu.high < 0.7 * fvu.baselines["PCA with k components"].low
    assert fvu.high < 0.7 * fvu.baselines["random dictionary"].low
    assert recovered.low > 0.8
    assert recovered.low > recovered.baselines["random dictionary"].high
    assert found.findings["l0"].value == pytest.approx(8, rel=0.05)
    assert found.findings["dead"].value < 26
    assert dictionary.model["name"] == model.name
