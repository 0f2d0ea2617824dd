"""`tymbal othello` and `tymbal replicate othello` from the outside, on a model too small to have learnt anything."""

import json
from pathlib import Path

import pytest

from tymbal.cli import main
from tymbal.edits.replications import othello

SIZES = ["--tokens", "6000", "--layers", "2", "--width", "32", "--batch-tokens", "1024"]
TINY = [*SIZES, "--warmup-steps", "2", "--no-compiled"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    assert main(["othello", "train", "--out", str(out), *TINY]) == 0
    return out / "model"


def test_the_page_has_play_boards_and_edits_beside_their_controls(
    trained: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(othello, "CASES", 40)
    monkeypatch.setattr(othello, "TUNING_CASES", 10)
    out = tmp_path / "out"
    assert main(["replicate", "othello", str(trained), "--examples", "200", "--out", str(out)]) == 0
    page = capsys.readouterr().out
    for row in ("| this model |", "| one layer |", "| untrained |", "| any empty square |"):
        assert row in page
    for row in ("| resid_post.1 |", "| the model of one layer, resid_post.0 |", "| the moves made, without order |"):
        assert row in page
    for row in ("| unedited, its own board |", "| no edit |", "| probe |", "| gradient |", "| pattern |", "| random |"):
        assert row in page
    assert {path.name for path in out.iterdir()} == {"page.md", "boards.json", "edits.json", "board.svg"}
    edits = {trial["name"]: trial for trial in json.loads((out / "edits.json").read_text(encoding="utf-8"))}
    assert edits["random"]["sites"] == edits["probe"]["sites"]
    assert edits["no edit"]["wrong"]["value"] > 1


def test_a_replication_without_its_model_is_one_line(tmp_path: Path, capsys) -> None:
    assert main(["replicate", "othello", "--out", str(tmp_path)]) == 1
    assert "name the one that `tymbal othello train` wrote" in capsys.readouterr().err


def test_the_card_is_written_again(trained: Path) -> None:
    (trained / "README.md").unlink()
    assert main(["othello", "card", str(trained), "--games", "30"]) == 0
    assert "| one layer |" in (trained / "README.md").read_text(encoding="utf-8")


def test_a_folder_that_holds_no_model_is_one_line(tmp_path: Path, capsys) -> None:
    assert main(["othello", "card", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("tymbal: expected")
