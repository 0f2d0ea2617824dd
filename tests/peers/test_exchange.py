"""Folders exchanged with the real packages, in both directions; `make peers` installs them and runs this.

Each package runs in an environment of its own (`SIDE.py`); what it computes comes back in files.
"""

import subprocess
from pathlib import Path

import pytest
import torch
from exchange import TRANSCODED, WIDTH, rows
from layout import close, dense, made, require_agreement
from safetensors.torch import load_file

from tymbal.dictionaries import (
    KINDS,
    BatchTopK,
    Dictionary,
    Ends,
    JumpReLU,
    Matryoshka,
    ReLU,
    Target,
    TopK,
    convert_dictionary,
    load_dictionary,
)
from tymbal.dictionaries.ends import AUTOENCODER

pytestmark = pytest.mark.peers
ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {"saelens": ".venv-peers", "sparsify": ".venv-peers", "dictionary_learning": ".venv-peers-old"}
THEIRS = {
    "saelens": {
        "relu": ("standard", "standard.normalised", "standard.bias", "transcoder", "skip_transcoder"),
        "topk": ("topk", "topk.normalised", "topk.raw", "topk.rescaled"),
        "gated": ("gated", "gated.normalised", "gated.bias"),
        "jumprelu": ("jumprelu", "batchtopk", "matryoshka", "gemma", "jumprelu_transcoder", "jumprelu_skip_transcoder"),
    },
    "sparsify": {"topk": ("coder", "transcoder", "skip_transcoder", "skip")},
    "dictionary_learning": {
        "relu": ("standard", "april"),
        "gated": ("gated",),
        "jumprelu": ("jumprelu",),
        "topk": ("topk",),
        "batch_topk": ("batchtopk",),
        "matryoshka": ("matryoshka",),
    },
}
"""What each side saves, by the kind that we read it as."""
READ_AS = [(side, name, kind) for side, kinds in THEIRS.items() for kind, names in kinds.items() for name in names]
TRANSCODES = Ends(target=Target(width=WIDTH, site="mlp_out.2"))
SKIPS = Ends(target=Target(width=WIDTH, site="mlp_out.2", skip=True))
NARROWS = Ends(target=Target(width=TRANSCODED, skip=True))
NORMALISES = {"layer_norm": Ends(row_norm="layer_norm"), "norm": Ends(row_norm="norm")}
PLAIN = {f"plain.{name}": (kind, AUTOENCODER) for name, kind in KINDS.items()}
OURS: dict[str, dict[str, tuple[type[Dictionary], Ends]]] = {
    "saelens": {
        **PLAIN,
        **{f"{norm}.{name}": (kind, ends) for norm, ends in NORMALISES.items() for name, kind in KINDS.items()},
        **{f"transcoder.{kind.kind}": (kind, TRANSCODES) for kind in (ReLU, JumpReLU, BatchTopK, Matryoshka)},
        **{f"skip.{kind.kind}": (kind, NARROWS) for kind in (ReLU, JumpReLU)},
        "ranked.topk": (TopK, AUTOENCODER),
    },
    "gemma_scope": {
        **{f"plain.{kind.kind}": (kind, AUTOENCODER) for kind in (JumpReLU, BatchTopK, Matryoshka)},
        "transcoder.jumprelu": (JumpReLU, TRANSCODES),
        "transcoder.skip": (JumpReLU, SKIPS),
    },
    "sparsify": {
        "plain.topk": (TopK, AUTOENCODER),
        "ranked.topk": (TopK, AUTOENCODER),
        "transcoder.topk": (TopK, TRANSCODES),
        "skip.topk": (TopK, SKIPS),
    },
    "dictionary_learning": {**PLAIN, "ranked.topk": (TopK, AUTOENCODER)},
}
"""What we save for each side."""


def run(side: str, order: str, folder: Path) -> None:
    """Let a side write or read a folder, in its environment."""
    python = ROOT / ENVIRONMENTS[side] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"needs {ENVIRONMENTS[side]}: run `make peers`")
    script = Path(__file__).with_name(f"{side}_side.py")
    done = subprocess.run([python, script, order, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders that the sides have written."""
    folders = {side: tmp_path_factory.mktemp(side) for side in THEIRS}
    for side, folder in folders.items():
        run(side, "write", folder)
    return folders


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders that we have written and the sides have read."""
    folders = {side: tmp_path_factory.mktemp(f"ours_{side}") for side in OURS}
    for to, folder in folders.items():
        own = tmp_path_factory.mktemp(f"own_{to}")
        for name, (kind, ends) in OURS[to].items():
            made(kind, ends, ranked="ranked" in name).save(own / name)
            convert_dictionary(own / name, folder / name, to)
        run("saelens" if to == "gemma_scope" else to, "read", folder)
    return folders


@pytest.mark.parametrize(("side", "name", "kind"), READ_AS)
def test_what_they_save_we_read_as_the_same(theirs: dict[str, Path], side: str, name: str, kind: str) -> None:
    dictionary = load_dictionary(theirs[side] / name)
    held = load_file(theirs[side] / f"{name}.safetensors")
    assert dictionary.kind == kind
    require_agreement(
        dictionary, rows(), held["activations"], held["decoder"], held["reconstruction"], scale=held["scale"]
    )


@pytest.mark.parametrize(("to", "name"), [(to, name) for to, names in OURS.items() for name in names])
def test_what_we_save_they_read_as_the_same(ours: dict[str, Path], to: str, name: str) -> None:
    kind, ends = OURS[to][name]
    dictionary, x = made(kind, ends, ranked="ranked" in name), rows()
    held = load_file(ours[to] / f"{name}.safetensors")
    values = held["activations"] * held["decoder"].norm(dim=1) * held["scale"]
    assert torch.equal(dense(dictionary, x) > 0, values > 0)
    close(values, dense(dictionary, x))
    close(held["reconstruction"], dictionary(x))


def test_every_side_saved_what_is_named_here(theirs: dict[str, Path]) -> None:
    saved = {(side, path.name) for side, folder in theirs.items() for path in folder.iterdir() if path.is_dir()}
    assert saved == {(side, name) for side, name, _ in READ_AS}
