"""Analyses of real, very small studies: one of plain text twice over, one of the annotated world."""

import json
from pathlib import Path

import numpy as np
import pytest

from tymbal.analyses import Subject
from tymbal.cli import main
from tymbal.corpora.world import generate_world
from tymbal.study import StudyConfig, conduct_study


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory, tiny_llama_folder: Path) -> tuple[Path, Path]:
    """Two dictionaries, of 16 and 32 features, of the same text."""
    folder = tmp_path_factory.mktemp("studies")
    draw = np.random.default_rng(0)
    words = ["Once", "upon", "a", "time", "a", "little", "girl", "named", "Lily", "saw", "a", "big", "red", "cat"]
    lines = (" ".join(draw.choice(words, draw.integers(20, 40))) + "." for _ in range(300))
    text = folder / "words.txt"
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = []
    for features in (16, 32):
        config = StudyConfig(site="resid_post.1", features=features, k=2, epochs=1.0, separator="\n", autocast=False)
        conduct_study(str(tiny_llama_folder), (str(text),), config, out=folder / str(features))
        made.append(folder / str(features))
    return made[0], made[1]


def test_codes_read_from_a_study_are_those_of_its_atlas(studies: tuple[Path, Path]):
    subject = Subject(studies[0])
    rows = subject.atlas.features(limit=16)
    counts = np.diff(subject.coded.codes.tocsc().indptr)
    assert counts.tolist() == [row.count for row in rows]
    assert subject.name(3) == rows[3].label


def test_fewer_tokens_are_read_in_whole_shards(studies: tuple[Path, Path]):
    everything, some = Subject(studies[0]).coded, Subject(studies[0], tokens=1).coded
    assert 0 < len(some) <= len(everything)
    assert np.array_equal(some.token, everything.token[: len(some)])


@pytest.mark.parametrize("name", ["universality", "splitting"])
def test_two_studies_of_one_text_are_compared(
    studies: tuple[Path, Path], name: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["analyse", name, str(studies[0]), "--other", str(studies[1])]) == 0
    found = json.loads((studies[0] / "analyses" / name / "analysis.json").read_text(encoding="utf-8"))
    assert found["about"]["other"]["study"] == str(studies[1])
    assert found["findings"]
    assert "moved along the text" in capsys.readouterr().out


def test_one_study_is_refused_where_two_are_needed(studies: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
    assert main(["analyse", "splitting", str(studies[0])]) == 1
    assert "--other STUDY" in capsys.readouterr().err


def test_text_without_concepts_is_refused_in_one_line(studies: tuple[Path, Path], capsys: pytest.CaptureFixture[str]):
    assert main(["analyse", "languages", str(studies[0])]) == 1
    told = capsys.readouterr().err
    assert "annotated" in told
    assert told.count("\n") == 1


def test_automata_of_a_real_model_promote_what_its_unembedding_says(studies: tuple[Path, Path]):
    subject = Subject(studies[0])
    promoted = subject.promoted(5)
    effects = subject.model.output_directions(subject.dictionary.decoder.detach())
    for feature in range(16):
        least = effects[feature, promoted[feature]].min()
        assert int((effects[feature] > least).sum()) == 4
    assert main(["analyse", "automata", str(studies[0])]) == 0


def test_towns_of_the_bundled_world_are_placed_on_its_map(studies: tuple[Path, Path]):
    subject = Subject(studies[0])
    assert subject.true_places("town", ["5 Anywhere"]) is None
    subject.study.question["corpus"] = ["bundled"]
    town = generate_world(0).facts.towns[5]
    places = subject.true_places("town", [f"{town.id} {town.name}"])
    assert places is not None
    assert places.tolist() == [[town.x, town.y]]
