"""The export has Neuronpedia's folders and columns, and says what the atlas says."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tymbal.atlas import open_atlas
from tymbal.dictionaries import load_dictionary
from tymbal.serve import export_neuronpedia, neuronpedia
from tymbal.serve.explained import Explained

TEXT, NUMBER, WHOLE, FLAG = str, (int, float), int, bool
# Columns of apps/webapp/prisma/schema.prisma, hijohnnylin/neuronpedia (008d504): type, a list of it, or None allowed.
NEURON: dict[str, Any] = {
    "modelId": TEXT, "layer": TEXT, "index": TEXT, "sourceSetName": TEXT, "creatorId": TEXT, "maxActApprox": NUMBER,
    "hasVector": FLAG, "vector": [NUMBER], "vectorLabel": TEXT, "vectorDefaultSteerStrength": NUMBER, "hookName": TEXT,
    "topkCosSimIndices": [WHOLE], "topkCosSimValues": [NUMBER], "neg_str": [TEXT], "neg_values": [NUMBER],
    "pos_str": [TEXT], "pos_values": [NUMBER], "frac_nonzero": NUMBER, "freq_hist_data_bar_heights": [NUMBER],
    "freq_hist_data_bar_values": [NUMBER], "umap_cluster": WHOLE, "umap_x": NUMBER, "umap_y": NUMBER,
}  # fmt: skip
ACTIVATION: dict[str, Any] = {
    "id": TEXT, "tokens": [TEXT], "dataIndex": TEXT, "index": TEXT, "layer": TEXT, "modelId": TEXT, "dataSource": TEXT,
    "maxValue": NUMBER, "maxValueTokenIndex": WHOLE, "minValue": NUMBER, "values": [NUMBER], "creatorId": TEXT,
    "binMin": NUMBER, "binMax": NUMBER, "binContains": NUMBER, "qualifyingTokenIndex": WHOLE,
}  # fmt: skip
EXPLANATION = {"id": TEXT, "modelId": TEXT, "layer": TEXT, "index": TEXT, "description": TEXT, "authorId": TEXT}
MODEL: dict[str, Any] = {
    "id": TEXT, "displayNameShort": TEXT, "displayName": TEXT, "creatorId": TEXT, "dimension": WHOLE,
    "visibility": TEXT, "inferenceEnabled": FLAG, "instruct": FLAG, "layers": WHOLE, "neuronsPerLayer": WHOLE,
    "owner": TEXT,
}  # fmt: skip
RELEASE: dict[str, Any] = {
    "name": TEXT, "visibility": TEXT, "description": TEXT, "descriptionShort": TEXT, "urls": [TEXT],
    "creatorName": TEXT, "creatorNameShort": TEXT, "creatorId": TEXT,
}  # fmt: skip
SOURCE_SET: dict[str, Any] = {
    "modelId": TEXT, "name": TEXT, "hasDashboards": FLAG, "visibility": TEXT, "description": TEXT, "creatorName": TEXT,
    "urls": [TEXT], "creatorId": TEXT, "releaseName": TEXT, "showUmap": FLAG,
}  # fmt: skip
SOURCE: dict[str, Any] = {
    "id": TEXT, "modelId": TEXT, "hasDashboards": FLAG, "inferenceEnabled": FLAG, "visibility": TEXT, "setName": TEXT,
    "creatorId": TEXT, "hasUmap": FLAG, "hasUmapClusters": FLAG, "num_prompts": WHOLE, "dataset": TEXT, "notes": TEXT,
}  # fmt: skip
NULLABLE = {"dimension", "umap_cluster", "umap_x", "umap_y", "vectorLabel", "dataSource"}
TABLES = {
    "model.jsonl": MODEL,
    "release.jsonl": RELEASE,
    "sourceset.jsonl": SOURCE_SET,
    "source.jsonl": SOURCE,
    "features": NEURON,
    "activations": ACTIVATION,
    "explanations": EXPLANATION,
}


def lines(path: Path) -> list[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.decode("utf-8").strip().split("\n")]


def fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(one, kind[0]) for one in value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


@pytest.fixture(scope="module")
def source(living: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_neuronpedia(living, tmp_path_factory.mktemp("jsonl"))


def test_the_folders_are_those_of_a_source(source: Path):
    assert source.name == "1-tymbal-res-32"
    names = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert names == {
        "model.jsonl",
        "release.jsonl",
        "sourceset.jsonl",
        "source.jsonl",
        "features/batch-0.jsonl.gz",
        "activations/batch-0.jsonl.gz",
    }


def test_every_line_has_the_columns_of_its_table_and_no_others(source: Path):
    for path in filter(Path.is_file, source.rglob("*")):
        columns = TABLES[path.name if path.parent == source else path.parent.name]
        rows = lines(path)
        for row in rows:
            assert set(row) == set(rows[0]), path
            for name, value in row.items():
                assert (value is None and name in NULLABLE) or fits(value, columns[name]), (path.name, name, value)


def test_rows_refer_to_one_another(source: Path):
    model, sets, one, release = (
        lines(source / f"{name}.jsonl")[0] for name in ("model", "sourceset", "source", "release")
    )
    assert source.parent.name == model["id"] == sets["modelId"] == one["modelId"]
    assert (one["setName"], sets["releaseName"], one["id"]) == (sets["name"], release["name"], source.name)
    features = lines(source / "features" / "batch-0.jsonl.gz")
    assert [row["index"] for row in features] == [str(number) for number in range(32)]
    assert {row["layer"] for row in features} == {one["id"]}
    activations = lines(source / "activations" / "batch-0.jsonl.gz")
    assert len({row["id"] for row in activations}) == len(activations)
    assert {row["index"] for row in activations} <= {row["index"] for row in features}


def test_what_is_exported_is_what_the_atlas_and_the_dictionary_say(source: Path, living: Path):
    atlas, dictionary = open_atlas(living / "atlas"), load_dictionary(living / "dictionary")
    features = lines(source / "features" / "batch-0.jsonl.gz")
    activations = lines(source / "activations" / "batch-0.jsonl.gz")
    for row in features:
        page = atlas.feature(int(row["index"]))
        assert (row["frac_nonzero"], row["maxActApprox"]) == (page.density, page.maximum)
        assert row["pos_str"] == [one.token for one in page.promoted or ()]
        assert row["vector"] == pytest.approx(dictionary.decoder[page.feature].tolist())
        assert row["hookName"] == "blocks.1.hook_resid_post"
        own = [one for one in activations if one["index"] == row["index"]]
        examples = atlas.examples(page.feature)
        assert [one["tokens"] for one in own] == [example.tokens for example in examples]
        for one, example in zip(own, examples, strict=True):
            assert one["values"][one["qualifyingTokenIndex"]] == example.activations[example.peak]
            assert one["maxValue"] == max(one["values"]) == one["values"][one["maxValueTokenIndex"]]
            if example.kind == "top":
                assert (one["binMin"], one["binContains"]) == (-1, -1)
            else:
                value = example.activations[example.peak]
                assert one["binMin"] - 1e-5 <= value <= one["binMax"] + 1e-5
                assert one["binContains"] == pytest.approx(1 / 4)


def test_hostile_text_leaves_nothing_that_a_database_cannot_hold(bare: Path, tmp_path: Path):
    source = export_neuronpedia(bare, tmp_path)
    for path in source.rglob("*.gz"):
        raw = gzip.decompress(path.read_bytes()).decode("utf-8")
        assert "\\u0000" not in raw
        assert "\\ud8" not in raw
        assert raw.count("\n") == len(lines(path))
    assert not lines(source / "features" / "batch-0.jsonl.gz")[0]["hasVector"]


def test_explanations_are_exported_where_there_are_any(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened = neuronpedia.open_exhibit(bare)
    opened.explained = {4: Explained("names of cats", {})}
    monkeypatch.setattr(neuronpedia, "open_exhibit", lambda _: opened)
    source = export_neuronpedia(bare, tmp_path)
    (row,) = lines(source / "explanations" / "batch-0.jsonl.gz")
    assert set(row) == set(EXPLANATION)
    assert (row["index"], row["description"]) == ("4", "names of cats")


def test_an_export_made_again_has_the_same_bytes(source: Path, living: Path, tmp_path: Path):
    again = export_neuronpedia(living, tmp_path)
    for path in filter(Path.is_file, source.rglob("*")):
        assert (again / path.relative_to(source)).read_bytes() == path.read_bytes()


def test_more_features_than_a_batch_are_spread_over_files(
    living: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(neuronpedia, "BATCH", 10)
    source = export_neuronpedia(living, tmp_path)
    counts = [len(lines(source / "features" / f"batch-{number}.jsonl.gz")) for number in range(4)]
    assert counts == [10, 10, 10, 2]
