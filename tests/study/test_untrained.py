"""A study's untrained twin: the same question of a model that learned nothing, made once, inside the study's folder."""

from dataclasses import replace

import pytest
import torch

from tymbal.explain import open_explanations
from tymbal.study import Study, conduct_study, finished_twin, untrained_twin
from tymbal.study.sources import open_subject


@pytest.fixture(scope="module")
def study(tiny_llama_folder, corpus, small, tmp_path_factory) -> Study:
    """A study without a twin; its seed is not the one that the tiny model was drawn by."""
    out = tmp_path_factory.mktemp("study") / "study"
    return conduct_study(str(tiny_llama_folder), [str(corpus)], replace(small, seed=1), out=out)


def test_the_twin_asks_the_same_of_other_weights_and_is_explained_likewise(study):
    assert finished_twin(study) is None
    twin = untrained_twin(study)
    assert twin.question["config"] == study.question["config"]
    assert twin.question["corpus"] == study.question["corpus"]
    asked, learned = (open_subject(one.question["model"], "cpu") for one in (twin, study))
    assert not torch.equal(asked.torch_model.lm_head.weight, learned.torch_model.lm_head.weight)
    assert asked.tokenizer.get_vocab() == learned.tokenizer.get_vocab()
    assert set(open_explanations(twin.explanations).by_feature()) == set(range(16))
    found = finished_twin(study)
    assert found is not None
    assert found.folder == twin.folder
    assert study.folder in twin.folder.parents


def test_a_finished_twin_is_not_made_again(study):
    twin = untrained_twin(study)
    times = {path: path.stat().st_mtime_ns for path in twin.explanations.rglob("*.parquet")}
    untrained_twin(study)
    assert times == {path: path.stat().st_mtime_ns for path in twin.explanations.rglob("*.parquet")}
