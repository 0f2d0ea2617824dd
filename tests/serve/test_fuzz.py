"""Text of every kind through every page and the export: shown, never acting, never a fault."""

import json
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tymbal import artifact
from tymbal.atlas.tables import (
    EXAMPLES,
    EXAMPLES_SCHEMA,
    FEATURES,
    FEATURES_SCHEMA,
    NEIGHBOURS,
    NEIGHBOURS_SCHEMA,
    OVERVIEW,
    write_tables,
)
from tymbal.serve import create_app, export, export_neuronpedia

from .conftest import HOSTILE
from .findings import write_findings

LONG = "⟪a token of 200,000 letters⟫"
"""stands for such a token, which hypothesis would not like to print"""
PARTS = (*HOSTILE, "\ufeff", "​", "é", "<!--", "\\u003c", "{{", "%00", "javascript:alert(5)", LONG)
STORABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(PARTS)
"""what Parquet can hold"""
ANYTHING = STORABLE | st.text(st.characters(categories=None), max_size=12) | st.just("\ud800\udc00\udfff")
"""lone surrogates included, as JSON may hold them"""


@pytest.fixture(scope="module")
def client(study: Path) -> TestClient:
    return TestClient(create_app(study), base_url="http://localhost")


NAMES = ("universality", "splitting", "automata", "languages", "geometry-month", "of-another-version")
PAGES = (
    *("/", "/explore?show=all", "/map", "/feature/0", "/feature/1", "/notes", "/calibrate", "/completeness"),
    *("/safety", "/analyses", "/languages", "/compare", "/compare/0-1", "/compare/1-0"),
    *(f"/analyses/{name}" for name in NAMES),
)
SENT = {"origin": "http://localhost", "content-type": "application/json"}
SURROGATE = re.compile("[\ud800-\udfff]")
QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)
"""without shrinking, which takes minutes where an example takes half a second"""
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


class Elements(HTMLParser):
    """Refuses whatever a page of ours never has."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("img", "iframe", "object", "embed", "style", "base")
        names = {name for name, _ in attrs}
        assert not any(name.startswith("on") or name == "style" for name in names), (tag, attrs)
        if tag == "script":
            assert names <= {"src", "defer"}
        for name, value in attrs:
            if name in ("href", "src", "action"):
                assert not re.match(r"\s*(javascript|data|vbscript):", value or "", re.IGNORECASE)

    def handle_data(self, data: str) -> None:
        assert self.cdata_elem is None or not data.strip(), "script with text of its own"


def table(columns: dict[str, Any], schema: pa.Schema, rows: int) -> pa.Table:
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def write_study(folder: Path, texts: list[str], loose: list[str]) -> None:
    """A study of two features whose every text is one of these."""
    one, two, three = (text.replace(LONG, "a" * 200_000) for text in texts)
    loose = [text.replace(LONG, "a" * 200_000) for text in loose]
    features = {
        "feature": [0, 1],
        "label": [one, f"▸ {two}"],
        "top_tokens": [[one, two], [three]],
        "density": [0.1, 0.2],
        "count": [5, 6],
        "dead": [False, False],
        "maximum": [2.0, 3.0],
        "mean": [1.0, 1.0],
        "cluster": [0, 0],
        "x": [0.0, 1.0],
        "y": [0.0, 1.0],
        "concept": [two, three],
        "concept_f1": [0.9, 0.1],
        "quantile_edges": [[0.1, 1.0, 2.0]] * 2,
        "histogram": [[1, 2]] * 2,
        "promoted": [[one], [two]],
        "promoted_weights": [[1.0], [1.0]],
        "suppressed": [[two], [three]],
        "suppressed_weights": [[-1.0], [-1.0]],
        "text": [one + two, three],
    }
    examples = {
        "feature": [0, 0, 1],
        "role": ["show"] * 3,
        "kind": ["top", "quantile", "top"],
        "quantile": [None, 1, None],
        "rank": [0, 0, 0],
        "passage": [1, 2, 3],
        "position": [1, 1, 1],
        "peak": [1, 0, 2],
        "tokens": [[one, two, three], [two], [three, two, one]],
        "activations": [[0.0, 2.0, 0.5], [0.7], [0.0, 0.0, 3.0]],
    }
    near = {"feature": [0, 1], "kind": ["cosine"] * 2, "rank": [0, 0], "neighbour": [1, 0], "value": [0.5, 0.5]}
    atlas = folder / "atlas"
    files = [
        *write_tables(atlas, FEATURES, FEATURES_SCHEMA, 2, lambda *_: [table(features, FEATURES_SCHEMA, 2)]),
        *write_tables(atlas, EXAMPLES, EXAMPLES_SCHEMA, 2, lambda *_: [table(examples, EXAMPLES_SCHEMA, 3)]),
        *write_tables(atlas, NEIGHBOURS, NEIGHBOURS_SCHEMA, 2, lambda *_: [table(near, NEIGHBOURS_SCHEMA, 2)]),
    ]
    first, second = loose
    overview = {
        "features": 2,
        "tokens": 9,
        "clusters": [{"cluster": 0, "label": first, "features": 2}],
        "model": second,
    }
    (atlas / OVERVIEW).write_text(json.dumps(overview | {"site": "resid_post.0"}))
    artifact.seal(atlas, "atlas", {}, [*files, OVERVIEW])
    scored = {"count": 3, "feature": 0, "f1": {"value": 0.9, "low": 0.8, "high": 1.0}, "random": 0.1, "shifted": 0.1}
    concepts = {"by_mention": {"concepts": [{**scored, "concept": first}]}}
    found = {first: {"value": 0.5, "unit": "share", "baselines": {second: {"value": 0.1}}}}
    (folder / "evaluation.json").write_text(json.dumps({"findings": found, "concepts": concepts}))
    (folder / "study.json").write_text(json.dumps({"corpus": [first], "model": second}))
    write_findings(folder, [first, second, one.encode("utf-8", "replace").decode(), first])


@settings(max_examples=10, deadline=None, phases=QUICKLY, suppress_health_check=list(HealthCheck))
@given(st.lists(STORABLE, min_size=3, max_size=3), st.lists(ANYTHING, min_size=2, max_size=2), ANYTHING)
def test_no_text_acts_on_any_page_or_in_the_export(texts: list[str], loose: list[str], typed: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "study"
        write_study(folder, texts, loose)
        client = TestClient(create_app(folder), base_url="http://localhost")
        for feature, kind in ((0, "remark"), (1, "label")):
            sent = json.dumps({"feature": feature, "kind": kind, "value": typed[:2000]})
            wrote = client.post("/api/notes", content=sent, headers=SENT)
            assert wrote.status_code == (422 if SURROGATE.search(typed[:2000]) else 201), wrote.text
        asked = {"q": typed.encode("utf-8", "replace").decode()[:3000]}
        pages = [client.get(path) for path in PAGES]
        pages += [client.get(path, params=asked) for path in ("/explore", "/search")]
        assert [answer.status_code for answer in pages] == [200] * len(pages)
        export(folder, Path(temporary) / "pages")
        export_neuronpedia(folder, Path(temporary) / "jsonl")
        exported = [path.read_text(encoding="utf-8") for path in (Path(temporary) / "pages").rglob("*.html")]
        for html in [*(answer.text for answer in pages), *exported]:
            assert not ACTING.search(html)
            assert len(html) < 200_000
            Elements().feed(html)


@settings(max_examples=30, deadline=None, phases=QUICKLY, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANYTHING)
def test_an_address_with_any_text_is_answered(client: TestClient, typed: str) -> None:
    asked = typed.encode("utf-8", "replace").decode()[:2000]
    for path, name in (
        ("/explore", "q"),
        ("/search", "q"),
        ("/explore", "cluster"),
        ("/notes", "show"),
        ("/api/search", "q"),
    ):
        assert client.get(path, params={name: asked[:200]}).status_code == 200
