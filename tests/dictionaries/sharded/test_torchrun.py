"""`torchrun ... tymbal train-dictionary`: a killed worker is started anew, and the run ends as an unbroken one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tymbal.activations import ActivationStore, HarvestConfig, StoredRows, harvest
from tymbal.corpora import CutConfig, Document, Role, cut
from tymbal.dictionaries import TrainingConfig, load_dictionary
from tymbal.dictionaries.sharded import Sharding, train_sharded
from tymbal.models import open_model

SITE = "resid_post.1"
WORDS = ("once", "upon", "a", "time", "Lily", "saw", "big", "red", "cat", "the", "happy", "ran", "home", "to", "mom")
CONFIG = TrainingConfig(features=64, k=3, batch=256, epochs=4.0, checkpoint_every=5)
ASKED = ("--features", "64", "--k", "3", "--batch", "256", "--epochs", "4", "--checkpoint-every", "5")
WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def store(tiny_llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ActivationStore:
    """About 1,500 activations of width 32."""
    model = open_model(tiny_llama_folder)
    texts = (" ".join(WORDS[number * place % 15] for place in range(1, 40)) for number in range(1, 40))
    documents = (Document(text, f"document-{number}") for number, text in enumerate(texts))
    passages = cut(documents, model.tokenizer, CutConfig(length=48), tmp_path_factory.mktemp("corpus"))
    return harvest(model, passages, HarvestConfig(sites=(SITE,)), tmp_path_factory.mktemp("store"), (Role.TRAIN,))


def torchrun(*words: object, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    """Two processes on this machine."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", str(restarts), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_killed_worker_is_started_anew_and_the_weights_are_the_same(store, together, tmp_path: Path) -> None:
    rows = StoredRows(store, SITE, seed=0)
    assert CONFIG.steps(rows.rows_per_epoch) > 15
    about = {"site": SITE, "model": store.identity["model"]}
    together(lambda: train_sharded(rows, CONFIG, tmp_path / "whole", Sharding(row_parts=2), **about))
    words = ("train-dictionary", store.folder, "--out", tmp_path / "killed", *ASKED)
    done = torchrun(WORKER, 12, tmp_path / "marker", *words, restarts=1)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "marker").exists()
    assert "SIGKILL" in done.stderr or "-9" in done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "killed")
    whole, killed = (load_dictionary(tmp_path / name) for name in ("whole", "killed"))
    assert whole.config() == killed.config()
    for name in ("dictionary.safetensors", "training.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()


def test_a_batch_smaller_than_the_ranks_is_refused_in_one_line(store, tmp_path: Path) -> None:
    words = ("train-dictionary", store.folder, "--out", tmp_path / "none", "--features", 64, "--k", 3, "--batch", 1)
    done = torchrun("--no-python", Path(sys.executable).with_name("tymbal"), *words)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("tymbal:")]
    assert lines == [
        "tymbal: expected at least one row of a batch for each of 2 processes; got a batch of 1; "
        "raise the batch or start fewer processes"
    ]
    assert not (tmp_path / "none").exists()
