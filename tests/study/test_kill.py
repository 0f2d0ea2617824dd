"""A study that is killed at any moment (SIGKILL) ends, when resumed, with the same tensors and tables.

The studies run in processes forked from a server that has imported everything, so that a kill costs no import. A kill
comes after a seeded share of the time that one undisturbed study took; the same study is killed again and again until
it has had its kills, then it is resumed to its end.
"""

import multiprocessing
import random
import signal
import time
from pathlib import Path

import pytest

from tymbal.study import StudyConfig, StudyFolder, conduct_study

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tymbal.study.study", "tymbal.dictionaries", "tymbal.atlas", "umap"])
PATIENCE = 120


def conduct(model: str, corpus: str, config: StudyConfig, out: str) -> None:
    """One study in a process of its own: begun, or gone on with where it lies already."""
    conduct_study(model, [corpus], config, out=Path(out))


def start(*arguments) -> multiprocessing.process.BaseProcess:
    process = PROCESSES.Process(target=conduct, args=arguments)
    process.start()
    return process


def finished(process: multiprocessing.process.BaseProcess) -> bool:
    process.join(PATIENCE)
    return process.exitcode == 0


def everything(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of every stage."""
    stages = StudyFolder(folder).stages()
    assert list(stages) == sorted(StudyFolder(folder).status())
    return {name: entry["sha256"] for stage in stages.values() for name, entry in stage["files"].items()}


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_study_killed_at_random_moments_ends_with_the_same_tensors_and_tables(
    kills, tiny_llama_folder, corpus, small, tmp_path
):
    whole = [str(tiny_llama_folder), str(corpus), small, str(tmp_path / "whole")]
    assert finished(start(*whole[:3], str(tmp_path / "warm")))  # the server has imported everything now
    begun = time.monotonic()
    assert finished(start(*whole))
    seconds = time.monotonic() - begun
    draw = random.Random(kills)
    killed, begun_anew, folder = 0, 0, tmp_path / "killed-0"
    while killed < kills:
        process = start(*whole[:3], str(folder))
        process.join(draw.uniform(0.05, 1.0) * seconds)
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            killed += 1
        else:  # it came to its end before the kill: this one is judged, the next begins
            assert process.exitcode == 0
            assert everything(folder) == everything(tmp_path / "whole")
            begun_anew += 1
            folder = tmp_path / f"killed-{begun_anew}"
    assert finished(start(*whole[:3], str(folder)))
    assert everything(folder) == everything(tmp_path / "whole")
    assert not list(folder.rglob("*.part"))
