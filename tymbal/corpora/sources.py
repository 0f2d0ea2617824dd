"""Where documents come from: files, folders, globs, Hugging Face datasets.

Sources are read in the order given. A folder gives all files beneath it whose ending is known, a glob all it matches,
both sorted by name. A file that is named twice is read once.
"""

import glob
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tymbal.corpora.documents import Document, TextConfig
from tymbal.corpora.files import read_jsonl, read_parquet, read_rows, read_txt
from tymbal.corpora.separator import compiled
from tymbal.errors import CorpusError, MissingExtraError, listed

Reader = Callable[[Path, str, TextConfig], Iterator[Document]]
READERS: dict[str, Reader] = {".txt": read_txt, ".jsonl": read_jsonl, ".parquet": read_parquet}
HUB = "hf:"


def read_documents(sources: Sequence[str], config: TextConfig | None = None) -> Iterator[Document]:
    """All documents of the sources, in a stream; texts longer than a part come in parts (`Document.continues`).

    A source is a path (`.txt`, `.jsonl`, `.parquet`), a folder, a glob, or `hf:NAME`, `hf:NAME:SPLIT`,
    `hf:NAME:CONFIG:SPLIT` (split `train` where none is named).

    Raises `CorpusError`: at once for a source that is not there, has an unknown ending, or a separator that is no
    regular expression; while reading for text that is not UTF-8 or has no text field (with file and line), and at the
    end when there was no text at all. Raises `MissingExtraError` for `hf:` without the library `datasets`.
    """
    config = config or TextConfig()
    compiled(config.separator)
    return _read(places(sources), config, sources)


def _read(found: list[str | Path], config: TextConfig, sources: Sequence[str]) -> Iterator[Document]:
    empty = True
    for place in found:
        for document in _read_one(place, config):
            empty = False
            yield document
    if empty:
        raise CorpusError(
            expected="text in the corpus", got=f"none in {listed(sources)}", do="name files that hold some by --corpus"
        )


def _read_one(place: str | Path, config: TextConfig) -> Iterator[Document]:
    if isinstance(place, str):
        yield from read_rows(_dataset_rows(place), place, config)
        return
    try:
        yield from READERS[place.suffix.lower()](place, place.as_posix(), config)
    except OSError as error:
        raise CorpusError(
            expected=f"to read {place}", got=error.strerror or str(error), do="check the file's permissions"
        ) from error


def places(sources: Sequence[str]) -> list[str | Path]:
    """Files and dataset names, each once, in reading order; raises `CorpusError` for a source that is not there."""
    if isinstance(sources, str):
        raise ValueError(f"sources must be a sequence of names, got the single string {sources!r}")
    found: dict[str | Path, str | Path] = {}
    for source in sources:
        if source.startswith(HUB):
            _require_datasets()
            found.setdefault(source, source)
            continue
        for path in _files(source):
            found.setdefault(path.resolve(), path)
    if not found:
        raise CorpusError(expected="a corpus", got="no source", do="name files, a folder or a dataset by --corpus")
    return list(found.values())


def _files(source: str) -> list[Path]:
    path = Path(source).expanduser()
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in READERS]
        files = [file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
        if not files:
            raise CorpusError(
                expected=f"{_known()} files in {path}", got="none", do="name another folder or convert the files"
            )
        return sorted(files, key=lambda file: file.relative_to(path).parts)
    files = [path] if path.exists() else sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    files = [file for file in files if not file.is_dir()]
    if not files:
        got = "a glob that matches none" if glob.has_magic(source) else "no such file"
        raise CorpusError(expected=f"text files at {source}", got=got, do="check the name")
    for file in files:
        if file.suffix.lower() not in READERS:
            raise CorpusError(expected=f"a file ending in {_known()}", got=str(file), do="convert or rename it")
    return files


def _known() -> str:
    return ", ".join(READERS)


def _require_datasets() -> Any:
    try:
        return import_module("datasets")
    except ImportError as error:
        raise MissingExtraError("datasets", "hub") from error


def _dataset_rows(source: str) -> Iterator[Any]:
    """Rows of a Hugging Face dataset, streamed; whatever the library raises becomes one line that names the source."""
    name, *rest = source.removeprefix(HUB).split(":")
    if not name or len(rest) > 2:
        raise CorpusError(expected="hf:NAME, hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT", got=source, do="mend the name")
    split = rest[-1] if rest else "train"
    subset = rest[0] if len(rest) == 2 else None
    datasets = _require_datasets()
    try:
        yield from datasets.load_dataset(name, subset, split=split, streaming=True)
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise CorpusError(
            expected=f"the dataset {source} from the Hugging Face hub",
            got=f"{type(error).__name__}: {reason}",
            do="check name, split and network, or name local files",
        ) from error
