"""Files of contrast texts, and those of the world."""

import json
from pathlib import Path

import pytest

from tymbal.corpora.world import generate_world
from tymbal.errors import ArtifactError
from tymbal.safety import read_concepts, world_concepts
from tymbal.safety.concepts import LEAST_TEXTS

TEXTS = [f"text {number}" for number in range(LEAST_TEXTS)]
GOOD = {"concept": "lying", "sentence": "Somebody lies.", "with": TEXTS, "without": TEXTS}


def test_a_file_of_concepts_is_read_as_it_was_written(tmp_path: Path) -> None:
    row = GOOD | {"with": [{"text": "He lied. So?", "start": 3, "end": 8, "group": "he"}, *TEXTS]}
    path = tmp_path / "concepts.jsonl"
    path.write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    (concept,) = read_concepts(path)
    first = concept.having[0]
    assert (first.text[first.start : first.end], first.group, first.label) == ("lied.", "he", "with")
    assert concept.lacking[0].group == "text 0"
    path.write_text(json.dumps(concept.as_json()), encoding="utf-8")
    assert read_concepts(path) == [concept]
    listed = tmp_path / "concepts.json"
    listed.write_text(json.dumps([row]), encoding="utf-8")
    assert read_concepts(listed) == [concept]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"concept": "lying"}, "a concept and a sentence"),
        (GOOD | {"with": TEXTS[1:]}, "at least 8 texts with"),
        (GOOD | {"without": "text"}, "at least 8 texts without"),
        (GOOD | {"with": [*TEXTS, ""]}, "a text with the concept"),
        (GOOD | {"with": [*TEXTS, {"text": "abc", "start": 2, "end": 9}]}, "within the 3 characters"),
        (GOOD | {"with": [*TEXTS, "half \ud83d"]}, "half a character at 5"),
        (GOOD | {"sentence": "\udfff"}, "half a character at 0"),
        ([1], "a concept and a sentence"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(tmp_path: Path, row: object, told: str) -> None:
    path = tmp_path / "concepts.jsonl"
    path.write_text(json.dumps(GOOD | {"concept": "other"}) + "\n" + json.dumps(row), encoding="utf-8")
    with pytest.raises(ArtifactError, match=told) as error:
        read_concepts(path)
    assert "concept 2" in str(error.value)


def test_a_name_given_twice_and_a_file_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "concepts.jsonl"
    path.write_text((json.dumps(GOOD) + "\n") * 2, encoding="utf-8")
    with pytest.raises(ArtifactError, match="twice"):
        read_concepts(path)
    path.write_text("not json", encoding="utf-8")
    with pytest.raises(ArtifactError, match="a JSON object in each line"):
        read_concepts(path)
    with pytest.raises(ArtifactError, match=r"\.json or \.jsonl"):
        read_concepts(tmp_path / "concepts.txt")


def test_texts_of_the_world_have_what_they_are_given_for_and_the_others_lack_it() -> None:
    """The world's own parser is the judge, which knows nothing of how the texts were chosen."""
    world = generate_world(0)
    concepts = {concept.name: concept for concept in world_concepts(world, texts=6)}

    def carry(name: str, side: str) -> list[set[str]]:
        concept = concepts[name]
        texts = concept.having if side == "with" else concept.lacking
        assert len(texts) == 6
        parses = [world.parse(one.text, partial=True) for one in texts]
        return [{span.concept for span in parse.spans} for parse in parses if parse is not None]

    for name, sign in {"refusal": "refusal", "secret told": "record.confidential", "anger": "tone.angry"}.items():
        assert all(sign in found for found in carry(name, "with"))
        assert not any(sign in found for found in carry(name, "without"))
    assert all(one.text[one.start - 1] == ":" for one in concepts["refusal"].having)
    codes = {True: set(), False: set()}
    for odd in (True, False):
        for one in concepts["unsaid secret"].having if odd else concepts["unsaid secret"].lacking:
            code = world.facts.people[int(one.group.partition(".")[2])].door_code
            assert code not in one.text
            codes[odd].add(int(code) % 2)
    assert codes == {True: {1}, False: {0}}
