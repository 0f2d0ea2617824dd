"""The folder's bookkeeping: what is complete, what is damaged, what goes when something before it changed."""

import os
import subprocess
import sys

import pytest

from tymbal import artifact
from tymbal.errors import ArtifactError
from tymbal.study import StudyFolder


@pytest.fixture
def folder(tmp_path):
    """A folder in which every stage has left one file."""
    made = StudyFolder(tmp_path / "study")
    made.ask({"model": "m"})
    for stage in made.status():
        output = made.output(stage)
        artifact.write_text(output if output.suffix else output / "tensors.bin", f"made by {stage}")
        made.record(stage)
    return made


def test_a_new_folder_has_no_question_and_no_complete_stage(tmp_path):
    fresh = StudyFolder(tmp_path / "nothing")
    assert fresh.question() is None
    assert not any(fresh.status().values())
    assert fresh.foreign() is None


def test_recorded_stages_are_complete_and_undamaged(folder):
    assert all(folder.status().values())
    assert not [damage for stage in folder.status() for damage in folder.damaged(stage)]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_text("cut"), "3 bytes instead of 15"),
        (lambda path: path.write_text("made bX harvest"), "changed on disk"),
    ],
)
def test_damage_is_found_and_named(folder, harm, reason):
    harmed = folder.output("harvest") / "tensors.bin"
    harm(harmed)
    assert list(folder.damaged("harvest")) == [artifact.Damage(harmed, reason)]


def test_a_stage_made_again_with_the_same_bytes_keeps_the_later_ones(folder):
    folder.record("harvest")
    assert all(folder.status().values())


def test_a_stage_made_again_with_other_bytes_drops_the_later_ones_and_their_files(folder):
    artifact.write_text(folder.output("train") / "tensors.bin", "other")
    folder.record("train")
    assert [stage for stage, complete in folder.status().items() if complete] == ["cut", "harvest", "train"]
    assert not folder.output("evaluate").exists()
    assert not folder.output("index").exists()
    assert folder.output("harvest").exists()


def test_temporary_files_are_no_part_of_a_stage_and_are_cleared(folder):
    left = folder.output("cut") / "shard.bin.part"
    left.write_text("half")
    folder.record("cut")
    assert "corpus/shard.bin.part" not in folder.stages()["cut"]["files"]
    folder.clear_unfinished()
    assert not left.exists()


def test_a_damaged_manifest_makes_every_stage_be_asked_again(folder):
    (folder.path / artifact.MANIFEST).write_text('{"stages": {"cut"')
    assert not any(folder.status().values())


def test_two_processes_cannot_work_on_one_study(folder):
    code = (
        "import sys; from pathlib import Path; from tymbal.study import StudyFolder\n"
        "with StudyFolder(Path(sys.argv[1])).locked(): pass"
    )
    command = [sys.executable, "-c", code, os.fspath(folder.path)]
    with folder.locked():
        inside = subprocess.run(command, capture_output=True, text=True, check=False)
    outside = subprocess.run(command, capture_output=True, text=True, check=False)
    assert inside.returncode == 1
    assert "another process at work" in inside.stderr
    assert outside.returncode == 0


def test_a_path_that_cannot_be_a_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="--out"), StudyFolder(tmp_path / "file" / "study").locked():
        pass
