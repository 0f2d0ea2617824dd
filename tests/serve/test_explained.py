"""What features fire on stands on the pages, with its score, and none of it acts."""

import json
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tymbal.explain import Explanation, ExplanationFolder
from tymbal.explain.scores import SCORES_SCHEMA
from tymbal.explain.tables import EXPLANATIONS_SCHEMA
from tymbal.serve import create_app, export

from .conftest import FEATURES
from .test_app import listed

HOSTILE = "the token “<script>alert(9)</script>” after “\u202eevil”"


@pytest.fixture(scope="module")
def explained(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with explanations: of feature 3 hostile text, of feature 4 none, of the others a number."""
    folder = tmp_path_factory.mktemp("explained") / "study"
    shutil.copytree(study, folder)
    work = ExplanationFolder.begin(folder / "explanations", {"made": "up"})
    said = [_said(feature) for feature in range(FEATURES)]
    work.write("explanations", 0, [one.to_row() for one in said], EXPLANATIONS_SCHEMA)
    work.write("exact", 0, [_scored(feature) for feature in range(FEATURES)], SCORES_SCHEMA)
    work.seal({}, {"systems": {}, "naming": {}})
    return folder


def _said(feature: int) -> Explanation:
    if feature == 4:
        return Explanation(feature=4, text="unclear", kind="unclear")
    text = HOSTILE if feature == 3 else f"the number {feature} in words"
    return Explanation(feature=feature, text=text, kind="token", predicate='["token", "x"]', complexity=1)


def _scored(feature: int) -> dict:
    auroc = 0.5 + feature / 200
    numbers = dict.fromkeys(("precision", "recall", "f1", "f1_low", "f1_high", "correlation", "hard_auroc"), 0.25)
    token = {"token_text": "the token “<i>x</i>”", "token_auroc": 0.53}
    counts = {"tokens": 3840, "active": 17, "predicted": 20, "hard_negatives": 5, "hard_alarms": 1}
    interval = {"auroc": auroc, "auroc_low": auroc - 0.01, "auroc_high": auroc + 0.01}
    return {"feature": feature, **counts, **numbers, **token, **interval}


@pytest.fixture(scope="module")
def client(explained: Path) -> TestClient:
    return TestClient(create_app(explained), base_url="http://localhost")


def test_a_feature_page_says_what_it_fires_on_with_interval_and_baseline(client: TestClient) -> None:
    html = client.get("/feature/40").text
    assert "the number 40 in words" in html
    assert "0.7" in html
    assert "0.69" in html
    assert "0.71" in html
    assert "0.53" in html
    assert "17 of them active" in html


def test_text_of_an_explanation_does_not_act(client: TestClient) -> None:
    for path in ("/feature/3", "/explore?q=alert(9)", "/data/features.js"):
        html = client.get(path).text
        assert "<script>alert(9)" not in html
        assert "<i>x</i>" not in html
        assert "\u202e" not in html
        assert "alert(9)" in html


def test_an_unclear_feature_is_called_so(client: TestClient) -> None:
    assert "Unclear: no description was found" in client.get("/feature/4").text


def test_the_list_is_searched_by_words_and_sorted_by_how_well_they_hold(client: TestClient) -> None:
    assert listed(client.get("/explore?q=number+41+in").text) == [41]
    best = listed(client.get("/explore?sort=explanation_auroc&show=all").text)
    assert best == sorted(range(FEATURES), reverse=True)[: len(best)]


def test_a_study_without_explanations_shows_none(study: Path) -> None:
    client = TestClient(create_app(study), base_url="http://localhost")
    assert "In words" not in client.get("/feature/40").text
    assert "Words hold" not in client.get("/explore").text


def test_exported_pages_have_the_same_words(explained: Path, tmp_path: Path) -> None:
    front = export(explained, tmp_path / "out")
    assert "the number 40 in words" in (front.parent / "feature/40.html").read_text()
    script = (front.parent / "data/features.js").read_text()
    data = json.loads(script.split("JSON.parse('")[1].rsplit("')", 1)[0].replace("\\\\", "\\"))
    assert data["explanation"][40] == "the number 40 in words"
    assert data["written"]["explanation_auroc"][40] == "0.70"
