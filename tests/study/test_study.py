"""A whole study of a tiny model: what it leaves, what it refuses, what it mends."""

import dataclasses
import json
import random
import shutil

import pytest

from tymbal.dictionaries import load_dictionary
from tymbal.errors import ArtifactError, CorpusError, TymbalError
from tymbal.study import StudyConfig, StudyFolder, budget, conduct_study, open_study, resume_study


class Listener:
    """A display that remembers."""

    def __init__(self, stop_in: str = ""):
        self.stages, self.lines, self.units, self.stop_in = [], [], {}, stop_in

    def stage(self, name):
        from contextlib import contextmanager

        @contextmanager
        def shown():
            self.stages.append(name)
            yield lambda done, total, unit: self.progress(name, done, total, unit)

        return shown()

    def progress(self, name, done, total, unit):
        self.units[name] = (done, total, unit)
        if name == self.stop_in:
            raise KeyboardInterrupt

    def say(self, line):
        self.lines.append(line)


@pytest.fixture(scope="module")
def study(tiny_llama_folder, corpus, small, tmp_path_factory):
    """One complete study."""
    out = tmp_path_factory.mktemp("studies") / "tiny"
    listener = Listener()
    made = conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=out, display=listener)
    return made, listener


@pytest.fixture
def copy(study, tmp_path):
    """A copy of the complete study, to be harmed."""
    made, _ = study
    shutil.copytree(made.folder, tmp_path / "copy")
    return tmp_path / "copy"


def checksums(folder):
    """SHA-256 of every file that stages made."""
    stages = StudyFolder(folder).stages()
    return {name: entry["sha256"] for stage in stages.values() for name, entry in stage["files"].items()}


def test_a_study_leaves_every_stage_complete_and_shows_each(study):
    made, listener = study
    assert all(StudyFolder(made.folder).status().values())
    assert listener.stages == ["cut", "harvest", "train", "evaluate", "index", "explain"]
    for stage in ("harvest", "train", "evaluate"):
        done, total, unit = listener.units[stage]
        assert (done, unit) == (total, "tokens")


def test_what_was_asked_stands_in_the_folder_with_the_identities_of_model_and_corpus(study, tiny_llama_folder, corpus):
    made, _ = study
    question = json.loads((made.folder / "study.json").read_text())
    assert question["model"] == str(tiny_llama_folder)
    assert question["config"]["features"] == 16
    assert question["config"]["passage_tokens"] == 64
    assert question["identity"]["model"]["weights_sha256"]
    assert question["identity"]["corpus"][0]["bytes"] == corpus.stat().st_size


def test_the_dictionary_is_the_one_asked_for(study):
    dictionary = load_dictionary(study[0].folder / "dictionary")
    assert (dictionary.features, dictionary.k, dictionary.site) == (16, 2, "resid_post.1")


def test_the_loss_curve_is_drawn_in_the_log(study):
    assert "</svg>" in (study[0].folder / "log/training.svg").read_text()


def test_the_dictionary_explains_more_than_its_baselines_do(study):
    finding = study[0].evaluation["findings"]["fvu"]
    assert finding["high"] < finding["baselines"]["random dictionary"]["low"]


def test_no_file_outside_the_log_depends_on_time_or_place(study, tiny_llama_folder, corpus, small, tmp_path):
    again = conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=tmp_path / "elsewhere")
    assert checksums(again.folder) == checksums(study[0].folder)


@pytest.mark.slow
def test_a_map_by_umap_is_the_same_each_time(tiny_llama_folder, corpus, small, tmp_path):
    many = dataclasses.replace(small, features=64, k=4)
    first, second = (
        conduct_study(str(tiny_llama_folder), [str(corpus)], many, out=tmp_path / name) for name in ("one", "two")
    )
    assert json.loads((first.atlas / "overview.json").read_text())["map_method"] == "UMAP"
    assert checksums(first.folder) == checksums(second.folder)


def test_asking_the_same_again_keeps_everything(copy, tiny_llama_folder, corpus, small):
    listener = Listener()
    conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=copy, display=listener)
    assert listener.stages == []


@pytest.mark.parametrize("other", [StudyConfig(site="resid_post.1", features=8, k=2), StudyConfig(seed=1)])
def test_a_folder_with_another_study_is_refused_and_left_alone(copy, tiny_llama_folder, corpus, other):
    before = checksums(copy)
    with pytest.raises(ArtifactError, match=r"another study .*--out.*--resume"):
        conduct_study(str(tiny_llama_folder), [str(corpus)], other, out=copy)
    assert checksums(copy) == before


def test_a_folder_with_other_files_is_refused(tiny_llama_folder, corpus, small, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ArtifactError, match=r"thesis\.tex"):
        conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=tmp_path)


@pytest.mark.parametrize(
    "beginning",
    [
        "corpus/shard",
        "activations/shard",
        "dictionary/dictionary",
        "evaluation.json",
        "atlas/features",
        "atlas/examples",
        "atlas/neighbours",
        "explanations/explanations",
        "explanations/exact",
    ],
)
@pytest.mark.parametrize("harm", ["changed", "cut short", "gone"])
def test_a_damaged_file_is_named_and_made_again_to_the_same_bytes(copy, beginning, harm):
    before = checksums(copy)
    file = copy / next(name for name in before if name.startswith(beginning))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(content if harm == "changed" else content[: len(content) // 2])
    listener = Listener()
    resume_study(copy, display=listener)
    assert len(listener.stages) == 1
    assert any(str(file) in line for line in listener.lines)
    assert checksums(copy) == before
    assert not any(list(StudyFolder(copy).damaged(stage)) for stage in StudyFolder(copy).stages())


@pytest.mark.parametrize("stage", ["cut", "harvest", "train", "evaluate", "index", "explain"])
def test_an_interrupted_study_says_how_to_go_on_and_ends_the_same(
    study, stage, tiny_llama_folder, corpus, small, tmp_path
):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt) as caught:
        conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=out, display=Listener(stop_in=stage))
    assert caught.value.__notes__ == [f"resume with: tymbal study --resume {out}"]
    resumed = resume_study(out)
    assert checksums(resumed.folder) == checksums(study[0].folder)


def test_activations_beyond_the_limit_are_streamed_and_resumed_to_the_same_end(
    tiny_llama_folder, corpus, small, tmp_path, monkeypatch
):
    monkeypatch.setattr(budget, "STORED_BYTES", 0)
    model, text = str(tiny_llama_folder), [str(corpus)]
    whole = conduct_study(model, text, small, out=tmp_path / "whole")
    assert not (whole.folder / "activations").exists()
    with pytest.raises(KeyboardInterrupt):
        conduct_study(model, text, small, out=tmp_path / "broken", display=Listener(stop_in="train"))
    assert checksums(resume_study(tmp_path / "broken").folder) == checksums(whole.folder)


def test_annotated_text_is_also_judged_concept_by_concept(tiny_llama_folder, small, tmp_path):
    draw = random.Random(0)
    lines = []
    for _ in range(400):
        words = draw.choices(["cat", "mom", "red", "home"], k=30)
        text = " ".join(words)
        starts = [sum(len(word) + 1 for word in words[:place]) for place in range(len(words))]
        cats = [start for start, word in zip(starts, words, strict=True) if word == "cat"]
        spans = [{"start": start, "end": start + 3, "concept": "cat"} for start in cats]
        lines.append(json.dumps({"text": text, "spans": spans}))
    (tmp_path / "annotated.jsonl").write_text("\n".join(lines), encoding="utf-8")
    made = conduct_study(str(tiny_llama_folder), [str(tmp_path / "annotated.jsonl")], small, out=tmp_path / "out")
    assert [score["concept"] for score in made.evaluation["concepts"]["by_token"]["concepts"]] == ["cat"]


def test_too_little_annotated_text_is_said_and_does_not_stop_the_study(tiny_llama_folder, corpus, small, tmp_path):
    text = corpus.read_text(encoding="utf-8")
    row = {"text": text, "spans": [{"start": 0, "end": 4, "concept": "rare"}]}
    (tmp_path / "annotated.jsonl").write_text(json.dumps(row), encoding="utf-8")
    made = conduct_study(str(tiny_llama_folder), [str(tmp_path / "annotated.jsonl")], small, out=tmp_path / "out")
    assert "concept" in made.evaluation["concepts"]["not_measured"]


def test_an_unfinished_study_cannot_be_opened_and_says_how_to_finish_it(copy):
    StudyFolder(copy).drop(["explain"])
    with pytest.raises(ArtifactError, match=r"no explain stage yet.*--resume"):
        open_study(copy)


def test_resuming_refuses_a_model_that_has_changed(copy, tiny_llama_folder, tmp_path):
    other = tmp_path / "model"
    shutil.copytree(tiny_llama_folder, other)
    question = json.loads((copy / "study.json").read_text())
    question["model"] = str(other)
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    (copy / "study.json").write_text(json.dumps(question))
    with pytest.raises(ArtifactError, match="the model with which"):
        resume_study(copy)


def test_resuming_nothing_is_one_line(tmp_path):
    with pytest.raises(ArtifactError, match="no study"):
        resume_study(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "text in the corpus"), (b"good\nbad \xff\n", "line 2")], ids=["empty", "not UTF-8"]
)
def test_a_corpus_that_cannot_be_read_leaves_nothing_behind(content, says, tiny_llama_folder, small, tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(CorpusError, match=says):
        conduct_study(str(tiny_llama_folder), [str(file)], small, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_corpus_with_too_few_tokens_says_how_many_there_are(tiny_llama_folder, corpus, tmp_path):
    with pytest.raises(CorpusError, match=r"--tokens \d+"):
        conduct_study(str(tiny_llama_folder), [str(corpus)], StudyConfig(tokens=10**7), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_line_and_the_study_goes_on_when_there_is_room(
    study, tiny_llama_folder, corpus, small, tmp_path
):
    import resource

    out = tmp_path / "out"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(TymbalError) as caught:
            conduct_study(str(tiny_llama_folder), [str(corpus)], small, out=out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "make room" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__notes__ == [f"resume with: tymbal study --resume {out}"]
    assert checksums(resume_study(out).folder) == checksums(study[0].folder)


def test_without_a_folder_the_study_lies_in_studies_and_is_the_last_one(
    tiny_llama_folder, corpus, small, tmp_path, monkeypatch
):
    from tymbal.study.shelf import last_study

    monkeypatch.chdir(tmp_path)
    first = conduct_study(str(tiny_llama_folder), [str(corpus)], small)
    assert first.folder.parent.name == "studies"
    assert last_study().resolve() == first.folder.resolve()
    same = conduct_study(str(tiny_llama_folder), [str(corpus)], small)
    assert same.folder == first.folder
    other = conduct_study(
        str(tiny_llama_folder), [str(corpus)], StudyConfig(features=8, k=2, site="resid_post.1", separator="\n")
    )
    assert other.folder.name == first.folder.name + "-2"
    assert last_study().resolve() == other.folder.resolve()
