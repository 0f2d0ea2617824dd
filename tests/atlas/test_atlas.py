import json
import shutil
import threading
from pathlib import Path

import pytest
from synthetic import word, write_synthetic_atlas

from tymbal.atlas import Atlas, FeatureFilter, open_atlas
from tymbal.errors import ArtifactError

FEATURES = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("atlas's")
    write_synthetic_atlas(folder, features=FEATURES, concepts=True).close()
    return folder


@pytest.fixture(scope="module")
def atlas(folder: Path) -> Atlas:
    return open_atlas(folder)


def test_features_are_listed_in_any_order_and_a_page_at_a_time(atlas: Atlas) -> None:
    rows = [row for offset in range(0, FEATURES, 10) for row in atlas.features(limit=10, offset=offset)]
    assert [row.feature for row in rows] == list(range(FEATURES))
    for order in ("density", "maximum", "label", "cluster"):
        for descending in (False, True):
            listed = atlas.features(order=order, descending=descending, limit=FEATURES)
            values = [getattr(row, order) for row in listed]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=descending)
            assert values[len(known) :] == [None] * (FEATURES - len(known))


def test_filters_keep_what_they_say(atlas: Atlas) -> None:
    everything = atlas.features(limit=FEATURES)
    middle = sorted(row.density for row in everything)[FEATURES // 2]
    for where, keep in (
        (FeatureFilter(min_density=middle), lambda row: row.density >= middle),
        (FeatureFilter(max_density=middle), lambda row: row.density <= middle),
        (FeatureFilter(dead=False), lambda row: not row.dead),
        (FeatureFilter(dead=True), lambda row: row.dead),
        (FeatureFilter(cluster=0, max_density=middle), lambda row: row.cluster == 0 and row.density <= middle),
        (FeatureFilter(concept="even·1"), lambda row: row.concept == "even·1"),
    ):
        expected = [row.feature for row in everything if keep(row)]
        assert [row.feature for row in atlas.features(where, limit=FEATURES)] == expected
        assert atlas.count(where) == len(expected)


def test_search_finds_words_whatever_their_case_and_takes_signs_for_text(atlas: Atlas) -> None:
    wanted = word(50).strip()
    found = {row.feature for row in atlas.features(FeatureFilter(search=wanted.upper()), limit=FEATURES)}
    assert 50 in found
    assert found < set(range(FEATURES))
    for text in ("%", "_", "' OR 1=1 --", "\\", "<script>"):
        assert atlas.count(FeatureFilter(search=text)) == 0
    assert atlas.count(FeatureFilter(search="")) == FEATURES


def test_explanations_are_listed_searched_and_sorted_with_the_features(folder: Path) -> None:
    atlas = open_atlas(folder)
    assert atlas.feature(3).explanation is None
    atlas.explain(
        [(3, "the Token “<b>”", 0.75, 0.4), (5, "unclear", None, None), (9, "a token after 'it''s'", 0.9, 0.3)]
    )
    assert (atlas.feature(3).explanation, atlas.feature(3).explanation_auroc) == ("the Token “<b>”", 0.75)
    assert atlas.feature(4).explanation is None
    ordered = atlas.features(order="explanation_auroc", descending=True, limit=FEATURES)
    assert [row.feature for row in ordered[:3]] == [9, 3, 0]
    ordered = atlas.features(order="explanation_correlation", descending=True, limit=FEATURES)
    assert [(row.feature, row.explanation_correlation) for row in ordered[:3]] == [(3, 0.4), (9, 0.3), (0, None)]
    assert [row.feature for row in atlas.features(FeatureFilter(search="token “<B"))] == [3]
    assert [row.feature for row in atlas.features(limit=FEATURES)] == list(range(FEATURES))
    atlas.close()


def test_a_page_agrees_with_the_list_and_with_itself(atlas: Atlas) -> None:
    for row in atlas.features(limit=5, offset=20):
        page = atlas.feature(row.feature)
        assert all(getattr(page, name) == getattr(row, name) for name in type(row).__dataclass_fields__)
        assert sum(page.histogram) == page.count
        assert page.quantile_edges == sorted(page.quantile_edges)
        assert page.quantile_edges[-1] == page.maximum
        assert page.promoted is not None
        assert page.suppressed is not None
        assert [one.weight for one in page.promoted] == sorted((one.weight for one in page.promoted), reverse=True)
        assert page.promoted[0].weight > 0 > page.suppressed[0].weight
        assert [one.value for one in page.by_cosine] == sorted((one.value for one in page.by_cosine), reverse=True)
        assert row.feature not in [one.feature for one in page.by_cosine + page.by_coactivation]
        near = page.by_coactivation[0]
        assert (near.label, near.density) == (atlas.feature(near.feature).label, atlas.feature(near.feature).density)


def test_examples_peak_where_they_say(atlas: Atlas) -> None:
    for role in ("explain", "score", "show"):
        examples = atlas.examples(9, role)
        top = [example for example in examples if example.kind == "top"]
        peaks = [example.activations[example.peak] for example in top]
        assert peaks == sorted(peaks, reverse=True)
        assert len(top) == 24
        assert {example.quantile for example in examples if example.kind == "quantile"} == {0, 1, 2, 3}
        assert all(max(example.activations) == example.activations[example.peak] for example in top)
        assert all(len(example.tokens) == len(example.activations) for example in examples)
    assert atlas.examples(9)[0].tokens[atlas.examples(9)[0].peak] == word(9)


def test_roles_share_no_passage(atlas: Atlas) -> None:
    passages = {role: {one.passage for one in atlas.examples(3, role)} for role in ("explain", "score", "show")}
    assert not passages["explain"] & passages["score"]
    assert not passages["explain"] & passages["show"]
    assert not passages["score"] & passages["show"]


def test_the_map_and_its_clusters_agree_with_the_features(atlas: Atlas) -> None:
    points = atlas.map()
    assert [point.feature for point in points] == [
        row.feature for row in atlas.features(FeatureFilter(dead=False), limit=99)
    ]
    for cluster in atlas.clusters():
        assert cluster.features == sum(point.cluster == cluster.cluster for point in points)
        member = next(point.feature for point in points if point.cluster == cluster.cluster)
        assert atlas.feature(member).cluster_label == cluster.label


@pytest.mark.parametrize("feature", [-1, FEATURES, 10**12])
def test_a_feature_out_of_range_is_refused(atlas: Atlas, feature: int) -> None:
    with pytest.raises(ValueError, match=f"from 0 to {FEATURES - 1}, not {feature}"):
        atlas.feature(feature)
    with pytest.raises(ValueError, match="from 0 to"):
        atlas.examples(feature)


def test_unknown_columns_and_roles_are_refused(atlas: Atlas) -> None:
    with pytest.raises(ValueError, match="order must be one of"):
        atlas.features(order="density; DROP TABLE features")
    with pytest.raises(ValueError, match="role must be one of"):
        atlas.examples(0, "train")
    with pytest.raises(ValueError, match="at least 0"):
        atlas.features(limit=-1)


def test_threads_may_share_an_atlas(atlas: Atlas) -> None:
    expected = [atlas.feature(feature) for feature in range(FEATURES)]
    wrong: list[int] = []

    def read(start: int) -> None:
        for step in range(FEATURES):
            feature = (start + step) % FEATURES
            if atlas.feature(feature) != expected[feature]:
                wrong.append(feature)

    threads = [threading.Thread(target=read, args=(16 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_folder_that_is_no_atlas_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no manifest\.json") as caught:
        open_atlas(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "table",
    ["features/part-00000.parquet", "examples/part-00000.parquet", "neighbours/part-00000.parquet", "overview.json"],
)
@pytest.mark.parametrize("harm", ["cut", "changed", "missing"])
def test_a_damaged_table_is_named_in_one_line(tmp_path: Path, folder: Path, table: str, harm: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / table
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if harm == "cut" else content[:100] + bytes([content[100] ^ 1]) + content[101:])
    with pytest.raises(ArtifactError, match=table) as caught:
        open_atlas(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_table_damaged_while_open_is_one_line_too(tmp_path: Path) -> None:
    atlas = write_synthetic_atlas(tmp_path, features=24, passages=60)
    path = tmp_path / "features/part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ArtifactError, match="readable tables") as caught:
        atlas.feature(0)
    assert "\n" not in str(caught.value)


def test_the_overview_counts_the_dead_and_the_dense(atlas: Atlas, folder: Path) -> None:
    overview = atlas.overview()
    assert overview == json.loads((folder / "overview.json").read_text())
    assert overview["dead"] == atlas.count(FeatureFilter(dead=True))
    assert overview["dense"] == sum(row.density > 0.1 for row in atlas.features(limit=FEATURES))
    assert sum(overview["density_histogram"]["features"]) == FEATURES - overview["dead"]
    assert overview["passages"] == {"explain": 80, "score": 80, "show": 80}


def test_many_features_read_at_once_are_the_same_as_one_by_one(atlas: Atlas) -> None:
    assert atlas.feature_pages(3, 20) == [atlas.feature(feature) for feature in range(3, 20)]
    assert atlas.examples_of(3, 20, "score") == [atlas.examples(feature, "score") for feature in range(3, 20)]
    with pytest.raises(ValueError, match="not 3 to 1000000"):
        atlas.feature_pages(3, 1_000_001)
