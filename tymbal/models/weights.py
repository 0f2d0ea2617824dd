"""The files of a model folder: `config.json`, the tokenizer's, and the safetensors files with the weights."""

import hashlib
from pathlib import Path

from tymbal.artifact import CONFIG, file_checksum, read_json
from tymbal.errors import ArtifactError, ModelError, listed

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
_READ_BYTES = 1 << 20


def weight_files(folder: Path) -> list[Path]:
    """The weights' safetensors files, sorted by name; raises `ModelError` when one is missing."""
    if (folder / INDEX).exists():
        try:
            names = sorted(set(read_json(folder / INDEX)["weight_map"].values()))
        except (ArtifactError, KeyError, TypeError, AttributeError) as error:
            raise _lacks(folder, f"a readable {INDEX}") from error
    else:
        names = [SINGLE]
    for name in names:
        if not (folder / name).is_file():
            raise _lacks(folder, f"the weights {name}")
    return [folder / name for name in names]


def require_config_and_tokenizer(folder: Path) -> None:
    """Raise `ModelError` for a folder without `config.json` or without a tokenizer."""
    if not (folder / CONFIG).is_file():
        raise _lacks(folder, CONFIG)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise _lacks(folder, f"a tokenizer ({' or '.join(TOKENIZER_FILES)})")


def weights_identity(folder: Path) -> dict[str, str]:
    """SHA-256 of `config.json` and of the weight files' bytes, one after another in the order of their names."""
    digest = hashlib.sha256()
    for path in weight_files(folder):
        with open(path, "rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
    return {"config_sha256": file_checksum(folder / CONFIG), "weights_sha256": digest.hexdigest()}


def _lacks(folder: Path, what: str) -> ModelError:
    there = listed(sorted(path.name for path in folder.iterdir()), most=6) or "nothing"
    return ModelError(
        expected=f"{what} in {folder}", got=f"only {there}", do="name a complete Hugging Face model folder"
    )
