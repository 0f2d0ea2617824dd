"""The pages of the safety board, of analyses and of comparisons say what the files hold."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tymbal.errors import ArtifactError
from tymbal.serve import create_app


@pytest.fixture(scope="module")
def client(study: Path) -> TestClient:
    return TestClient(create_app(study), base_url="http://localhost")


def plain(html: str) -> str:
    """What a reader reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_board_shows_each_step_with_number_interval_baselines_and_count(client: TestClient) -> None:
    text = plain(client.get("/safety").text)
    assert "0.900 AUROC by text, 95 % interval 0.850 to 0.950; p 0.010" in text
    assert "shuffled labels 0.500 (0.450 to 0.550)" in text
    assert "texts: 40." in text
    assert "points to the right one 90 times in 100" in text


def test_a_concept_may_end_at_not_found(client: TestClient) -> None:
    html = client.get("/safety").text
    absent = html[html.index('id="concept-2"') :]
    assert "not found" in absent
    assert "Found" in absent
    assert "Specific" not in plain(absent).split("How to read this")[0]


def test_the_board_is_had_as_json(client: TestClient) -> None:
    told = client.get("/api/safety").json()["ladders"]
    assert [(one["level"], one["stands"]) for one in told] == [(4, "beats a probe"), (0, "not found")]


def test_an_analysis_stands_in_plain_words_and_links_its_features(client: TestClient) -> None:
    html = client.get("/analyses/universality").text
    assert "Of 9 features that fire often enough to judge, 40 in 100 come again" in plain(html)
    assert 'href="/feature/8"' in html
    chain = client.get("/analyses/automata").text
    assert all(f'href="/feature/{number}"' in chain for number in (1, 2, 3))
    assert 'href="/feature/9999"' not in chain
    assert "1.50" in plain(client.get("/analyses/of-another-version").text)


def test_an_analysis_that_is_not_there_is_said_not_to_be(client: TestClient) -> None:
    for path in (
        "/analyses/nope",
        "/analyses/%3Cb%3E",
        "/compare/x",
        "/compare/-",
        "/compare/99999-99999",
        "/compare/١-٢",
    ):
        assert client.get(path).status_code == 404, path


def test_one_feature_lights_a_passage_in_each_language(client: TestClient) -> None:
    html = client.get("/languages").text
    assert "fires in 1 of 2 languages" in plain(html)
    assert len(re.findall(r"<mark class=\"a\d+ ?(?:peak)?\" data-v", html)) >= 10
    assert "German" in html


def test_a_finished_analysis_is_enough_to_compare(client: TestClient) -> None:
    text = plain(client.get("/compare").text)
    assert "6 of 9 features here, of those that fire often enough, have a partner there" in text
    pair = client.get("/compare/0-1").text
    assert "correlate with r = 1.00" in plain(pair)
    assert pair.count('class="examples"') == 2
    assert "correlate" not in plain(client.get("/compare/0-7").text)


def test_two_studies_are_compared_both_ways_and_once(living: Path) -> None:
    """A study beside itself: every feature is its own partner."""
    app = create_app(living, compare=living)
    client = TestClient(app, base_url="http://localhost")
    text = plain(client.get("/compare").text)
    here, judged = map(int, re.findall(r"(\d+) of (\d+) features here", text)[0])
    assert here == judged > 10
    assert f"{here} of {here} features there have a partner here" in text
    kept = list((living / "serve" / "compare").rglob("analysis.json"))
    assert len(kept) == 1
    rows = json.loads(kept[0].read_text())["here"]["rows"]
    assert all(row[0] == row[2] and row[4] == pytest.approx(1) for row in rows)
    before = kept[0].stat().st_mtime_ns
    create_app(living, compare=living)
    assert kept[0].stat().st_mtime_ns == before


def test_a_bare_atlas_and_a_missing_study_cannot_be_compared(bare: Path, living: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="a study, to be compared"):
        create_app(bare, compare=living)
    with pytest.raises(ArtifactError, match="a finished study in"):
        create_app(living, compare=tmp_path)


def test_influence_is_measured_once_and_kept(living: Path) -> None:
    client = TestClient(create_app(living), base_url="http://localhost")
    feature = next(row["feature"] for row in client.get("/api/features?sort=maximum").json()["features"])
    assert "Measure its influence" in client.get(f"/feature/{feature}").text
    measured = plain(client.get(f"/feature/{feature}?influence=measure").text)
    assert "Likelier when it is up" in measured
    assert "Measure its influence" not in measured
    kept = json.loads((living / "serve" / "influence" / f"{feature}.json").read_text())
    assert [one["dose"] for one in kept["responses"]] == [-1.0, 0.0, 0.5, 1.0, 2.0]
    assert plain(client.get(f"/feature/{feature}").text) == measured
