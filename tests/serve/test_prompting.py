"""The prompt page and search by prompts: what they show is what model and dictionary say."""

import re
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient

from tymbal.serve import create_app
from tymbal.serve.exhibit import open_exhibit

TEXT = "lily saw a big red cat"


@pytest.fixture(scope="module")
def client(living: Path) -> TestClient:
    return TestClient(create_app(living), base_url="http://localhost")


def test_the_features_of_each_token_are_those_of_the_dictionary(client: TestClient, living: Path):
    answer = client.get("/api/prompt", params={"text": TEXT}).json()
    with open_exhibit(living).subject.at_work() as opened:
        tokens = opened.model.tokenize([TEXT])
        codes = opened.dictionary.encode(opened.model.read(tokens, [opened.site])[opened.site][0])
        assert "".join(token["text"] for token in answer["tokens"][1:]) == TEXT
    assert answer["tokens"][0]["special"]
    assert answer["tokens"][0]["features"] == []
    for place, token in enumerate(answer["tokens"][1:], 1):
        pairs = zip(codes.indices[place].tolist(), codes.values[place].tolist(), strict=True)
        truth = {index: value for index, value in pairs if value}
        assert dict(map(tuple, token["features"])) == pytest.approx(truth)
        values = [value for _, value in token["features"]]
        assert values == sorted(values, reverse=True)


def test_the_page_shows_tokens_features_and_next_tokens(client: TestClient, living: Path):
    html = client.get("/prompt", params={"text": TEXT}).text
    tokens = client.get("/api/prompt", params={"text": TEXT}).json()["tokens"]
    assert html.count('class="token') == len(tokens)
    last = tokens[-1]["features"]
    shown = re.search(r'(?s)<section id="token">.*?</section>', html)
    assert shown is not None
    linked = [int(number) for number in re.findall(r'href="/feature/(\d+)"', shown[0])]
    assert linked == [feature for feature, _ in last][: len(linked)]
    with open_exhibit(living).subject.at_work() as opened:
        likeliest = int(opened.model.logits(opened.model.tokenize([TEXT]))[0, -1].argmax())
    assert re.search(r"target=(\d+)", html)[1] == str(likeliest)  # type: ignore[index]


def test_attribution_on_the_page_is_that_of_the_api_and_adds_up(client: TestClient):
    asked = {"text": TEXT, "token": 4, "target": 70}
    found = client.get("/api/attribution", params=asked).json()
    assert found["difference"] == pytest.approx(found["logit"] - found["start"])
    total = sum(share["share"] for share in found["features"]) + sum(found["errors"])
    assert found["total"] == pytest.approx(total)
    assert abs(found["left_over"]) < 0.05 * (1 + sum(abs(share["share"]) for share in found["features"]))
    html = client.get("/prompt", params=asked).text
    assert "Sum of all shares" in html
    assert "what no feature explains (error)" in html
    gradient = client.get("/api/attribution", params={**asked, "method": "gradient"}).json()
    assert gradient["method"] == "gradient"
    assert gradient["total"] != pytest.approx(found["total"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/prompt?text=", 422),
        ("/api/attribution?text=a&token=99&target=1", 404),
        ("/api/attribution?text=a&token=0&target=999999", 409),
        ("/api/contrast?toward=%0A&away=a", 409),
        ("/prompt?text=a&token=99&feature=99&target=999999999", 409),
        ("/prompt?text=a&token=x&feature=-1&target=y", 200),
        ("/prompt?text=" + "a" * 5000, 409),
        ("/prompt?text=%00%ED%A0%80", 200),
    ],
)
def test_nonsense_is_answered_and_never_a_fault(client: TestClient, path: str, status: int):
    assert client.get(path).status_code == status


def test_a_text_beyond_the_context_is_cut_and_says_so(client: TestClient):
    answer = client.get("/api/prompt", params={"text": "cat " * 200}).json()
    assert len(answer["tokens"]) == 64
    assert answer["cut"] > 0
    assert "are left out" in client.get("/prompt", params={"text": "cat " * 200}).text


def test_contrast_on_the_page_finds_what_tells_the_sets_apart(client: TestClient):
    toward, away = "\n".join(["the cat was happy"] * 4), "\n".join(["once upon a time"] * 4)
    found = client.get("/api/contrast", params={"toward": toward, "away": away}).json()
    assert (found["toward"], found["away"]) == (4, 4)
    assert found["features"][0]["auc"] in (0.0, 1.0)
    html = client.get("/search", params={"by": "contrast", "toward": toward, "away": away}).text
    assert f'href="/feature/{found["features"][0]["feature"]}"' in html


def test_a_bare_atlas_says_that_it_has_no_model(bare: Path):
    client = TestClient(create_app(bare), base_url="http://localhost")
    assert client.get("/prompt").status_code == 404
    answer = client.get("/api/prompt", params={"text": "a"})
    assert answer.status_code == 409
    assert "bare atlas" in answer.json()["detail"]
    assert "Prompt" not in client.get("/").text


def test_a_study_whose_model_has_gone_says_so_each_time(living: Path, tmp_path: Path):
    import json
    import shutil

    folder = tmp_path / "study"
    shutil.copytree(living, folder)
    question = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps({**question, "model": "/no/such/model"}))
    client = TestClient(create_app(folder), base_url="http://localhost")
    for _ in range(2):
        assert "/no/such/model" in client.get("/prompt?text=a").text
    assert client.get("/feature/0").status_code == 200


def test_reading_leaves_no_gradients_behind(living: Path):
    exhibit = open_exhibit(living)
    reading = exhibit.prompting.reading(TEXT)
    assert reading.ids
    with exhibit.subject.at_work() as opened:
        assert all(parameter.grad is None for parameter in opened.model.torch_model.parameters())
    assert torch.is_grad_enabled()
