"""The live app: what it answers, to whom, and with which headers."""

import re
import socket
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tymbal.atlas import FeatureFilter, open_atlas
from tymbal.errors import ArtifactError
from tymbal.serve import create_app, serve

from .conftest import DEAD, FEATURES


@pytest.fixture(scope="module")
def client(study: Path) -> TestClient:
    return TestClient(create_app(study), base_url="http://localhost")


def listed(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-field="feature">(\d+)<', html)]


PATHS = (
    "/",
    "/explore",
    "/map",
    "/feature/0",
    f"/feature/{FEATURES - 1}",
    "/search?q=word",
    "/completeness",
    "/notes",
    "/calibrate",
)


@pytest.mark.parametrize("path", [*PATHS, "/data/map.js", "/api/features", "/api/openapi.json", "/static/app.css"])
def test_every_answer_forbids_inline_script_and_eval(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PATHS)
def test_pages_hold_no_inline_script_style_or_handler(client: TestClient, path: str) -> None:
    html = client.get(path).text
    assert not re.search(r"<[a-z]+[^>]*\s(style|on[a-z]+)\s*=", html)
    assert "<style" not in html
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", html))


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:7860", 200), ("evil.example", 400), ("localhost.evil.example", 400), ("", 400)],
)
def test_only_this_machine_may_be_called(client: TestClient, host: str, status: int) -> None:
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == status
    assert "content-security-policy" in answer.headers


def test_a_configured_host_may_be_called(bare: Path) -> None:
    client = TestClient(create_app(bare, hosts=["atlas.example"]), base_url="http://atlas.example")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/feature/72",
        "/feature/-1",
        "/feature/x",
        "/feature/٣",
        "/feature/" + "9" * 30,
        "/nope",
        "/data/nope.js",
        "/static/../app.py",
        "/feature/<script>alert(1)<script>",
    ],
)
def test_what_is_not_there_is_said_not_to_be(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-3",
        "page=99999999999999999999",
        "page=x",
        "sort=;drop",
        "dir=up",
        "cluster=999999999",
        "cluster=1e3",
        "min=nan",
        "max=-inf",
        "show=maybe",
        "q=%00",
        "q=%27%22%3Cscript%3E",
        "q=%ed%a0%80",
        "q=" + "x" * 9999,
        "q=%25_\\",
    ],
)
def test_an_address_of_nonsense_is_answered(client: TestClient, query: str) -> None:
    answer = client.get(f"/explore?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_features_are_sorted_as_asked(client: TestClient, study: Path) -> None:
    rows = open_atlas(study / "atlas").features(limit=FEATURES)
    for direction, descending in (("asc", False), ("desc", True)):
        shown = listed(client.get(f"/explore?sort=maximum&dir={direction}&show=all").text)
        expected = sorted(rows, key=lambda row: (row.maximum * (-1 if descending else 1), row.feature))
        assert shown == [row.feature for row in expected][: len(shown)]


def test_search_finds_what_the_atlas_finds(client: TestClient, study: Path) -> None:
    for words in ("wordz25", "<script>", "nosuchword", "%", "_"):
        found = open_atlas(study / "atlas").features(FeatureFilter(search=words), limit=FEATURES)
        html = client.get("/explore", params={"q": words, "show": "all", "sort": "feature"}).text
        assert listed(html) == [row.feature for row in found][:50]
        assert ("No feature is like that." in html) == (not found)
        assert f"of {len(found)} features" in html or not found


def test_filters_keep_what_they_say(client: TestClient, study: Path) -> None:
    rows = {row.feature: row for row in open_atlas(study / "atlas").features(limit=FEATURES)}
    assert listed(client.get("/explore?show=dead").text) == [row.feature for row in rows.values() if row.dead]
    assert len(listed(client.get("/explore?show=dead").text)) == DEAD
    often = listed(client.get("/explore?min=0.1").text)
    assert set(often) == {number for number, row in rows.items() if row.density >= 0.1}
    cluster = next(row.cluster for row in rows.values() if row.cluster is not None)
    shown = listed(client.get(f"/explore?cluster={cluster}").text)
    assert set(shown) == {number for number, row in rows.items() if row.cluster == cluster}


def test_turning_pages_shows_every_feature_once(client: TestClient) -> None:
    seen, address = [], "/explore?show=all&sort=feature"
    while address:
        html = client.get(address).text
        seen += listed(html)
        found = re.search(r'rel="next" href="([^"]+)"', html)
        address = unescape(found[1]) if found else ""
    assert seen == list(range(FEATURES))


def test_a_feature_page_shows_its_examples_and_numbers(client: TestClient, study: Path) -> None:
    atlas = open_atlas(study / "atlas")
    page, examples = atlas.feature(20), atlas.examples(20)
    html = client.get("/feature/20").text
    assert f"{page.count:,} in all" in html
    assert html.count('class="text"') == len(examples)
    assert html.count(" peak") == len(examples)
    for neighbour in page.by_cosine:
        assert f'href="/feature/{neighbour.feature}"' in html


def test_a_dead_feature_says_that_it_never_fired(client: TestClient) -> None:
    assert "never fired" in client.get(f"/feature/{FEATURES - 1}").text


def test_the_overview_shows_the_evaluation_with_intervals_and_baselines(client: TestClient) -> None:
    html = client.get("/").text
    for words in (
        "0.206",
        "0.199 to 0.214",
        "1.310",
        "15.9 to 16.1",
        "31 (95 %)",
        "Concepts told fairly",
        "28 to 33",
        "0.610",
        "0.95 to 0.99",
        "&lt;b&gt;odd&lt;/b&gt;",
        "&lt;s&gt;corpus&lt;/s&gt;.txt",
    ):
        assert words in html


def test_a_bare_atlas_has_an_overview(bare: Path) -> None:
    html = TestClient(create_app(bare), base_url="http://localhost").get("/").text
    assert "without an <code>evaluation.json</code>" in html


@pytest.mark.parametrize("make", [lambda folder: folder / "nowhere", lambda folder: folder])
def test_a_folder_without_an_atlas_is_told_in_one_line(tmp_path: Path, make) -> None:
    with pytest.raises(ArtifactError, match=r"^expected .*; got .*; [^\n]*$"):
        create_app(make(tmp_path))


def test_an_unfinished_atlas_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "atlas").mkdir()
    with pytest.raises(ArtifactError, match="finished atlas"):
        create_app(tmp_path)


def test_a_port_in_use_is_told_in_one_line(bare: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ArtifactError, match="got one in use; stop what"),
    ):
        serve(bare, port=taken.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("no.such.host.invalid", 7860)])
def test_an_address_that_cannot_be_listened_on_is_told_in_one_line(bare: Path, host: str, port: int) -> None:
    with pytest.raises(ArtifactError, match=r"^expected [^\n]*$"):
        serve(bare, host=host, port=port)
