"""The same passage in several languages: what it says is the same, by the world's own parser."""

import json
from pathlib import Path

import pytest

from tymbal.analyses import read_passages, world_passages
from tymbal.corpora.world import generate_world
from tymbal.errors import ArtifactError


def test_passages_of_a_concept_make_one_claim_in_every_language() -> None:
    world = generate_world(0)
    passages = world_passages(world, "attribute.profession", ("de", "en", "fr"))
    assert [one.language for one in passages] == ["de", "en", "fr"]
    parses = [world.parse(one.text) for one in passages]
    claims = [{(claim.subject, claim.attribute, claim.value) for claim in parse.claims} for parse in parses if parse]
    assert len(claims) == 3
    assert set.intersection(*claims)
    assert all(any(span.concept == "attribute.profession" for span in parse.spans) for parse in parses if parse)


def test_a_concept_that_nothing_says_has_no_passages() -> None:
    assert world_passages(generate_world(0), "animal.unicorn", ("de", "en")) == []


def test_given_passages_are_read_and_others_refused(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    rows = [{"language": "de", "text": "Alle Menschen"}, {"language": "en", "text": "All human beings"}]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert [(one.language, one.text) for one in read_passages(path)] == [tuple(row.values()) for row in rows]
    path.write_text('{"language": "de"}', encoding="utf-8")
    with pytest.raises(ArtifactError, match="a language and a text"):
        read_passages(path)
